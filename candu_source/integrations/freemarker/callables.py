"""Macros and functions: what defines them, what calls them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from candu_source.integrations.freemarker.calls import Function
from candu_source.integrations.freemarker.elements import Element, render_all
from candu_source.integrations.freemarker.expressions import Node
from candu_source.integrations.freemarker.faults import wrong
from candu_source.integrations.freemarker.scope import Frame, Scope
from candu_source.integrations.freemarker.values import Value, type_name


class Return(Exception):  # noqa: N818 - control flow: <#return> leaves a macro or function
    """Leave a macro, or a function with its value."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Body(NamedTuple):
    """Hold what a call of a macro encloses: its elements, the names that <#nested> gives values to, the names around."""

    elements: list[Element]
    names: tuple[str, ...]
    frame: Frame | None


@dataclass(frozen=True, slots=True)
class Macro(Function):
    """Hold a macro or function: parameters with their defaults in order, and the one that takes all others."""

    name: str
    parameters: tuple[tuple[str, Node | None], ...]
    rest: str | None
    is_function: bool
    elements: list[Element]

    def call(self, scope: Scope, arguments: list[Value]) -> Value:
        """Return the function's value, None without <#return>; what it writes is dropped."""
        if not self.is_function:
            raise wrong(f"{self.name} is a macro, not a function; write <@{self.name}/>")
        with scope.capturing():
            return self.run(scope, self._by_place(arguments), None)

    def run(self, scope: Scope, given: dict[str, Value], body: Body | None) -> Value:
        """Render the macro with the arguments by name; return what <#return> says."""
        frame = Frame(given, None, body=body, call=True)
        with scope.inside(frame):
            for name, default in self.parameters:
                if given.get(name) is None:
                    given[name] = None if default is None else default.value(scope)
                if given[name] is None:
                    raise wrong(f"{self.name} needs a value for {name}")
            try:
                render_all(self.elements, scope)
            except Return as done:
                return done.value
        return None

    def _by_place(self, arguments: list[Value]) -> dict[str, Value]:
        names = [name for name, _ in self.parameters]
        if len(arguments) > len(names) and self.rest is None:
            raise wrong(f"{self.name} takes {len(names)} arguments at most, but has {len(arguments)}")
        given = dict(zip(names, arguments, strict=False))
        if self.rest is not None:
            given[self.rest] = list(arguments[len(names) :])
        return given

    def arguments(self, placed: list[Value], named: dict[str, Value]) -> dict[str, Value]:
        """Return the arguments of a tag by their names."""
        if not named:
            return self._by_place(placed)
        names = {name for name, _ in self.parameters}
        others = {name: value for name, value in named.items() if name not in names}
        if others and self.rest is None:
            raise wrong(f"{self.name} has no parameter {min(others)}")
        given = {name: value for name, value in named.items() if name in names}
        if self.rest is not None:
            given[self.rest] = others
        return given


@dataclass(slots=True, eq=False)
class Definition(Element):
    """Be <#macro> or <#function>; known from the start of the template on."""

    macro: Macro = field(kw_only=True)
    opaque = True
    silent = True

    def render(self, scope: Scope) -> None:
        """Define it (again)."""
        scope.assigned[self.macro.name] = self.macro

    def nodes(self) -> Iterable[Node | None]:
        """Return the defaults of the parameters."""
        return [default for _, default in self.macro.parameters]


@dataclass(slots=True, eq=False)
class MacroCall(Element):
    """Be <@name …>."""

    target: Node = field(kw_only=True)
    placed: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()
    body_names: tuple[str, ...] = ()
    has_body: bool = False

    def render(self, scope: Scope) -> None:
        """Render the macro with what the tag gives and encloses."""
        macro: Any = self.target.needed(scope)
        if not isinstance(macro, Macro) or macro.is_function:
            raise wrong(f"<@…> calls a macro, but this is {type_name(macro)}")
        placed = [node.value(scope) for node in self.placed]
        named = {name: node.value(scope) for name, node in self.named}
        body = Body(self.children, self.body_names, scope.frame) if self.has_body else None
        macro.run(scope, macro.arguments(placed, named), body)

    def nodes(self) -> Iterable[Node | None]:
        """Return the macro and the arguments."""
        return [self.target, *self.placed, *(node for _, node in self.named)]


@dataclass(slots=True, eq=False)
class Nested(Element):
    """Be <#nested>: what the call of the macro encloses."""

    values: tuple[Node, ...] = ()

    def render(self, scope: Scope) -> None:
        """Render what the call encloses, among the names around the call."""
        body = scope.call_frame().body
        values = [node.value(scope) for node in self.values]
        if body is not None:
            with scope.inside(Frame(dict(zip(body.names, values, strict=False)), body.frame)):
                render_all(body.elements, scope)

    def nodes(self) -> Iterable[Node | None]:
        """Return the values given to the enclosed part."""
        return self.values


@dataclass(slots=True, eq=False)
class Leave(Element):
    """Be <#return>."""

    expression: Node | None = None

    def render(self, scope: Scope) -> None:
        """Leave the macro, or the function with a value."""
        raise Return(None if self.expression is None else self.expression.value(scope))

    def nodes(self) -> Iterable[Node | None]:
        """Return the value's expression."""
        return (self.expression,)
