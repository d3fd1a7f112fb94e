"""The nodes of expressions that call something: built-ins, functions, lambdas, the helper object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from candu_source.integrations.freemarker.built_ins import BuiltIn
from candu_source.integrations.freemarker.built_ins.table import items_of
from candu_source.integrations.freemarker.expressions import Node, Paren
from candu_source.integrations.freemarker.faults import TemplateError, missing, wrong
from candu_source.integrations.freemarker.json_text import json_text
from candu_source.integrations.freemarker.limits import NODES_A_STEP
from candu_source.integrations.freemarker.scope import Frame, Scope
from candu_source.integrations.freemarker.values import Helper, Range, Value, type_name


class Function:
    """Be what a template may call in an expression."""

    __slots__ = ()

    def call(self, scope: Scope, arguments: list[Value]) -> Value:
        """Return what the function makes of the arguments."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Applied(Node):
    """Be `target?name(arguments)`; `selected` when the argument stands in brackets or after a point."""

    target: Node
    name: str
    built_in: BuiltIn
    arguments: tuple[Node, ...] | None
    selected: bool = False

    def value(self, scope: Scope) -> Value:
        """Return what the built-in makes of the value."""
        with self.span:
            target = _LAZY.get(self.name, _whole)(self.target, scope)
            arguments = [one.needed(scope) if self.built_in.printing else one.value(scope) for one in self.arguments or ()]
            if not self.built_in.least <= len(arguments) <= self.built_in.most:
                raise wrong(f"?{self.name} takes {_number_of_arguments(self.built_in)}, but has {len(arguments)}")
            if self.selected:
                return self.built_in.function(scope, target, *arguments, selected=True)
            return self.built_in.function(scope, target, *arguments)


def _whole(node: Node, scope: Scope) -> Value:
    return node.needed(scope)


def _all_items(node: Node, scope: Scope) -> Value:
    items = lazily(node, scope)
    return node.needed(scope) if items is None else list(items)


def _first_item(node: Node, scope: Scope) -> Value:
    items = lazily(node, scope)
    return node.needed(scope) if items is None else list(islice(items, 1))


def _as_many(node: Node, scope: Scope) -> Value:
    inner = _unwrapped(node)
    return Range(0, 1, inner.count(scope), adaptive=False) if isinstance(inner, Transformed) else node.needed(scope)


# These let ?filter and ?map work item by item.
_LAZY: dict[str, Callable[[Node, Scope], Value]] = {
    "join": _all_items, "seq_contains": _all_items, "seq_index_of": _all_items, "first": _first_item, "size": _as_many,
}  # fmt: skip


def _number_of_arguments(built_in: BuiltIn) -> str:
    least, most = built_in.least, built_in.most
    return f"{least} argument{'s' * (least != 1)}" if least == most else f"{least} to {most} arguments"


@dataclass(frozen=True, slots=True, eq=False)
class LoopState(Node):
    """Be `variable?index` and its relatives."""

    variable: str
    name: str

    def value(self, scope: Scope) -> Value:
        """Return where the variable's loop is."""
        with self.span:
            loop = scope.loop(self.variable)
        return _LOOP_STATES[self.name](loop.index, loop.has_next)


_LOOP_STATES: dict[str, Callable[[int, bool], Value]] = {
    "index": lambda index, _: index,
    "counter": lambda index, _: index + 1,
    "has_next": lambda _, has_next: has_next,
    "is_first": lambda index, _: index == 0,
    "is_last": lambda _, has_next: not has_next,
}


@dataclass(frozen=True, slots=True, eq=False)
class Then(Node):
    """Be `condition?then(yes, no)`; only one of the two is evaluated."""

    condition: Node
    yes: Node
    no: Node

    def value(self, scope: Scope) -> Value:
        """Return the value of the one that holds."""
        return (self.yes if self.condition.truth(scope) else self.no).value(scope)


@dataclass(frozen=True, slots=True, eq=False)
class Lambda(Node):
    """Be `name -> body`."""

    parameter: str
    body: Node
    size: int

    def value(self, scope: Scope) -> Value:
        """Raise `runtime`: a lambda is no value of its own."""
        raise wrong("a lambda stands only within ?filter and ?map").at(self.span)


@dataclass(frozen=True, slots=True, eq=False)
class Transformed(Node):
    """Be `sequence?filter(rule)` or `sequence?map(rule)`, the rule a lambda or a function."""

    target: Node
    filtering: bool
    rule: Node

    def value(self, scope: Scope) -> Value:
        """Return the items that the rule keeps, or what it makes of each."""
        with self.span:
            source = lazily(self.target, scope) or items_of(scope, self.target.needed(scope))
            return list(self._results(self._applied(scope), source))

    def stream(self, scope: Scope) -> Iterator[Value]:
        """Yield the results one by one; a value that is missing within the rule is then a `runtime` error, as in FreeMarker."""
        source = lazily(self.target, scope) or items_of(scope, self.target.needed(scope))
        results = self._results(self._applied(scope), source)
        while True:
            try:
                result = next(results)
            except StopIteration:
                return
            except TemplateError as error:
                if error.kind != "undefined":
                    raise
                raise TemplateError("runtime", error.line, error.column, error.message) from None
            yield result

    def count(self, scope: Scope) -> int:
        """Return how many results there will be, without making them where nothing is left out."""
        if self.filtering:
            return sum(1 for _ in self.stream(scope))
        inner = _unwrapped(self.target)
        return inner.count(scope) if isinstance(inner, Transformed) else len(items_of(scope, inner.needed(scope)))

    def _results(self, apply: Callable[[Value], Value], source: Iterable[Value]) -> Iterator[Value]:
        for one in source:
            result = apply(one)
            if not self.filtering:
                yield self._made(result)
            elif self._kept(result):
                yield one

    def _applied(self, scope: Scope) -> Callable[[Value], Value]:
        if not isinstance(self.rule, Lambda):
            function = self.rule.needed(scope)
            return lambda one: called(scope, function, [one])
        names: dict[str, Value] = {}
        frame, rule = Frame(names, scope.frame), self.rule
        cost = 1 + rule.size // NODES_A_STEP

        def apply(one: Value) -> Value:
            names[rule.parameter] = one
            scope.spend(cost)
            with scope.inside(frame):
                return rule.body.value(scope)

        return apply

    def _kept(self, verdict: Value) -> bool:
        if not isinstance(verdict, bool):
            raise wrong(f"?filter needs a boolean for each item, but this is {type_name(verdict)}")
        return verdict

    def _made(self, value: Value) -> Value:
        if value is None:
            raise wrong("?map makes nothing of an item; give it a default")
        return value


def _unwrapped(node: Node) -> Node:
    while isinstance(node, Paren):
        node = node.inner
    return node


def lazily(node: Node, scope: Scope) -> Iterator[Value] | None:
    """Return the items of a ?filter or ?map as they are needed, None if the expression is neither."""
    inner = _unwrapped(node)
    return inner.stream(scope) if isinstance(inner, Transformed) else None


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """Be `target(arguments)`."""

    target: Node
    arguments: tuple[Node, ...]

    def value(self, scope: Scope) -> Value:
        """Return what the function gives."""
        target = self.target.needed(scope)
        if not isinstance(target, Function | Helper):
            raise wrong(f"{type_name(target)} cannot be called").at(self.span)
        arguments = [one.value(scope) for one in self.arguments]
        if isinstance(target, Helper):
            for node, one in zip(self.arguments, arguments, strict=True):
                if one is None:
                    raise missing(node.span)
        with self.span:
            return called(scope, target, arguments)


def called(scope: Scope, target: Any, arguments: list[Value]) -> Value:
    """Return what a function or the helper object's function gives; raise `runtime` for anything that is neither."""
    if isinstance(target, Function):
        return target.call(scope, arguments)
    if isinstance(target, Helper) and target.function:
        if len(arguments) != 1:
            raise wrong(f"{target.function} takes one argument")
        return json_text(scope, arguments[0])
    raise wrong(f"{type_name(target)} cannot be called")
