"""The nodes that look into a value: members of hashes, items, characters and slices."""

from __future__ import annotations

from dataclasses import dataclass

from candu_source.integrations.freemarker.expressions import Node
from candu_source.integrations.freemarker.faults import Span, wrong
from candu_source.integrations.freemarker.operations import character, item, sliced
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Helper, Match, Range, Value, as_hash, as_number, as_sequence, type_name


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
        with span:
            return target.member(key)
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
        with self.span:
            return self._at(scope, target, key)

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
