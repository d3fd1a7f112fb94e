"""The elements that set variables and settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from candu_source.integrations.freemarker.arithmetic import calculate
from candu_source.integrations.freemarker.elements import Element, captured
from candu_source.integrations.freemarker.expressions import Node
from candu_source.integrations.freemarker.faults import missing
from candu_source.integrations.freemarker.operators import added
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Value


@dataclass(slots=True, eq=False)
class Assignment(Element):
    """Be one `name = value` of <#assign>, <#global> or <#local>."""

    target: str = ""
    name: str = ""
    operator: str = "="
    expression: Node | None = None
    silent = True

    def render(self, scope: Scope) -> None:
        """Give the variable its value; raise `undefined` if there is none."""
        names = scope.names(self.target)
        if self.operator == "=":
            assert self.expression is not None
            names[self.name] = self.expression.needed(scope)
            return
        old = names.get(self.name)
        if old is None:
            raise missing(self.span._replace(words=self.name))
        names[self.name] = self._changed(scope, old)

    def _changed(self, scope: Scope, old: Value) -> Value:
        if self.operator in {"++", "--"}:
            return calculate("-", old, -1 if self.operator == "++" else 1)
        assert self.expression is not None
        if self.operator == "+=":
            return added(scope, old, self.expression.value(scope), self.expression, self.expression)
        return calculate(self.operator[0], old, self.expression.needed(scope))

    def nodes(self) -> Iterable[Node | None]:
        """Return the value's expression."""
        return (self.expression,)


class Assignments(Element):
    """Be a tag with several assignments."""

    __slots__ = ()
    silent = True


@dataclass(slots=True, eq=False)
class Capture(Element):
    """Be <#assign name>…</#assign>: what is written within becomes the value."""

    target: str = ""
    name: str = ""
    opaque = True

    def render(self, scope: Scope) -> None:
        """Give the variable what the body writes."""
        scope.names(self.target)[self.name] = captured(self.children, scope)


@dataclass(slots=True, eq=False)
class Setting(Element):
    """Be <#setting name=value>."""

    name: str = ""
    expression: Node = field(kw_only=True)
    silent = True

    def render(self, scope: Scope) -> None:
        """Let the setting hold from here on."""
        value = self.expression.needed(scope)
        text = ("true" if value else "false") if isinstance(value, bool) else scope.text(value)
        scope.formats.set(self.name, text)

    def nodes(self) -> Iterable[Node | None]:
        """Return the value's expression."""
        return (self.expression,)
