"""The nodes that ask whether there is a value, and what stands in for one that is missing."""

from __future__ import annotations

from dataclasses import dataclass

from candu_source.integrations.freemarker.expressions import Node
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import NOTHING, Range, Value


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
