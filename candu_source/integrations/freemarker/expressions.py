"""The nodes of expressions: literals, variables and operators. `node.value(scope)` evaluates one; None is a missing value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from candu_source.integrations.freemarker.faults import Problem, Span, TemplateError, missing, refused, wrong
from candu_source.integrations.freemarker.operations import character, item, sliced
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import (
    NOTHING,
    Helper,
    Match,
    Moment,
    Number,
    Range,
    Value,
    as_boolean,
    as_hash,
    as_number,
    as_sequence,
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
        try:
            return scope.text(self.needed(scope))
        except Problem as problem:
            raise problem.at(self.span) from None

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
        return _paid(scope, whole, self.span)


def _paid(scope: Scope, text: str, span: Span) -> str:
    try:
        scope.spend_text(len(text))
    except Problem as problem:
        raise problem.at(span) from None
    return text


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


@dataclass(frozen=True, slots=True, eq=False)
class Dot(Node):
    """Be `target.key`."""

    target: Node
    key: str

    def value(self, scope: Scope) -> Value:
        """Return what the hash holds under the key."""
        target = self.target.needed(scope)
        if type(target) is dict:
            return target.get(self.key)
        return member(target, self.key, self.span)


def member(target: Value, key: str, span: Span) -> Value:
    """Return what a value holds under a key; raise `runtime` if it is no hash."""
    members = as_hash(target)
    if members is not None:
        return members.get(key)
    if isinstance(target, Helper):
        try:
            return target.member(key)
        except Problem as problem:
            raise problem.at(span) from None
    raise wrong(f"{key} is looked for in {type_name(target)}, which has no members").at(span)


@dataclass(frozen=True, slots=True, eq=False)
class Index(Node):
    """Be `target[key]`: a member, an item, a character or a slice."""

    target: Node
    key: Node

    def value(self, scope: Scope) -> Value:
        """Return what the target holds there."""
        target = self.target.needed(scope)
        key = self.key.needed(scope)
        if isinstance(key, str | Match):
            return member(target, key if isinstance(key, str) else key.text, self.span)
        try:
            return self._at(scope, target, key)
        except Problem as problem:
            raise problem.at(self.span) from None

    def _at(self, scope: Scope, target: Value, key: Value) -> Value:
        sequence = as_sequence(target)
        number = None if isinstance(key, bool) else as_number(key)
        if number is None and not isinstance(key, Range):
            raise wrong(f"{type_name(key)} is neither a key nor a place")
        if sequence is None:
            if as_hash(target) is not None:
                raise wrong("a hash is asked by a text, not by a number or a range")
            sequence_or_text: str | list[Value] | Range = scope.text(target)
        else:
            sequence_or_text = sequence
        if number is None:
            return sliced(scope, sequence_or_text, key)
        return character(scope, sequence_or_text, number) if isinstance(sequence_or_text, str) else item(sequence_or_text, number)


@dataclass(frozen=True, slots=True, eq=False)
class Default(Node):
    """Be `target!fallback`, or `target!`, whose fallback is empty in every way."""

    target: Node
    fallback: Node | None

    def value(self, scope: Scope) -> Value:
        """Return the target's value, or the fallback's if that is missing."""
        value = self.target.or_missing(scope)
        if value is not None:
            return value
        return NOTHING if self.fallback is None else self.fallback.value(scope)


@dataclass(frozen=True, slots=True, eq=False)
class Exists(Node):
    """Be `target??`."""

    target: Node

    def value(self, scope: Scope) -> Value:
        """Tell whether there is a value."""
        return self.target.or_missing(scope) is not None


@dataclass(frozen=True, slots=True, eq=False)
class HasContent(Node):
    """Be `target?has_content`."""

    target: Node

    def value(self, scope: Scope) -> Value:
        """Tell whether there is a value that is not an empty text, sequence or hash."""
        value = self.target.or_missing(scope)
        if isinstance(value, str | list | dict):
            return bool(value)
        if isinstance(value, Range):
            return value.size != 0
        return value is not None
