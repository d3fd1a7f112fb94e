"""The nodes of expressions: what each can do, literals and variables. `node.value(scope)` evaluates one; None is a missing value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from candu_source.integrations.freemarker.faults import Span, TemplateError, missing, refused, wrong
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import (
    Helper,
    Moment,
    Number,
    Value,
    as_boolean,
    as_number,
    type_name,
)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Be an expression; `span` says where it is written, and its words."""

    span: Span

    def value(self, scope: Scope) -> Value:
        """Return the value, None if it is missing; raise TemplateError for anything else that is wrong."""
        raise NotImplementedError

    def needed(self, scope: Scope) -> Value:
        """Return the value; raise `undefined` if it is missing."""
        value = self.value(scope)
        if value is None:
            raise missing(self.span)
        return value

    def text(self, scope: Scope) -> str:
        """Return the value as it prints."""
        with self.span:
            return scope.text(self.needed(scope))

    def truth(self, scope: Scope) -> bool:
        """Return the value, which has to be a boolean."""
        value = self.needed(scope)
        if isinstance(value, bool):
            return value
        verdict = as_boolean(value)
        if verdict is None:
            raise wrong(f"{self.span.words or 'this'} has to be a boolean, but is {type_name(value)}").at(self.span)
        return verdict

    def number(self, scope: Scope) -> Number:
        """Return the value, which has to be a number."""
        value = self.needed(scope)
        number = None if isinstance(value, bool) else as_number(value)
        if number is None:
            raise wrong(f"{self.span.words or 'this'} has to be a number, but is {type_name(value)}").at(self.span)
        return number

    def or_missing(self, scope: Scope) -> Value:
        """Return the value, None if it or, within parentheses, anything on the way to it is missing."""
        return self.value(scope)


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly below one."""
    for field in fields(node):
        yield from _nodes(getattr(node, field.name))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple) and not isinstance(value, Span):
        for one in value:
            yield from _nodes(one)


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    """Be a text, number or boolean as written."""

    constant: str | Number | bool

    def value(self, scope: Scope) -> Value:
        """Return the constant."""
        return self.constant


@dataclass(frozen=True, slots=True, eq=False)
class Interpolated(Node):
    """Be a text with `${…}` within."""

    parts: tuple[Node, ...]

    def value(self, scope: Scope) -> Value:
        """Return the parts printed, together."""
        whole = "".join([part.text(scope) for part in self.parts])
        with self.span:
            scope.spend_text(len(whole))
        return whole


@dataclass(frozen=True, slots=True, eq=False)
class ListLiteral(Node):
    """Be `[a, b]`."""

    items: tuple[Node, ...]

    def value(self, scope: Scope) -> Value:
        """Return the list; none of its items may be missing."""
        return [one.needed(scope) for one in self.items]


@dataclass(frozen=True, slots=True, eq=False)
class HashLiteral(Node):
    """Be `{"a": b}`."""

    members: tuple[tuple[Node, Node], ...]

    def value(self, scope: Scope) -> Value:
        """Return the hash; none of its values may be missing."""
        return {key.text(scope): value.needed(scope) for key, value in self.members}


@dataclass(frozen=True, slots=True, eq=False)
class Name(Node):
    """Be a variable."""

    name: str

    def value(self, scope: Scope) -> Value:
        """Return what the variable holds."""
        return scope.find(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Now(Node):
    """Be `.now`."""

    def value(self, scope: Scope) -> Value:
        """Return the moment that the caller calls now."""
        if scope.now is None:
            raise refused(".now is not given here").at(self.span)
        return Moment(scope.now, "datetime")


@dataclass(frozen=True, slots=True, eq=False)
class Statics(Node):
    """Be the helper object, written `statics["…FtlUtils"]`."""

    def value(self, scope: Scope) -> Value:
        """Return the helper object."""
        return Helper()


@dataclass(frozen=True, slots=True, eq=False)
class Paren(Node):
    """Be an expression within parentheses: `!`, `??` and `?has_content` look through them at every step."""

    inner: Node

    def value(self, scope: Scope) -> Value:
        """Return the value within."""
        return self.inner.value(scope)

    def or_missing(self, scope: Scope) -> Value:
        """Return the value within, None if any step towards it is missing."""
        try:
            return self.inner.value(scope)
        except TemplateError as error:
            if error.kind != "undefined":
                raise
            return None
