"""The elements of a template: text, interpolations and directives. `element.render(scope)` writes one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from candu_source.integrations.freemarker.expressions import Node
from candu_source.integrations.freemarker.faults import Span, TemplateError
from candu_source.integrations.freemarker.operations import compare
from candu_source.integrations.freemarker.scope import Scope


class Break(Exception):  # noqa: N818 - control flow: <#break> leaves the nearest loop or switch
    """Leave a loop or a switch."""


@dataclass(slots=True, eq=False)
class Element:
    """Be a part of a template; what it holds within is in `children`, and `place` is where it stands in its parent's.

    `cost` is what rendering it takes in steps. For the stripping of white space: `opaque` elements are looked at as one from outside,
    `silent` ones write nothing.
    """

    span: Span
    last_line: int
    children: list[Element] = field(default_factory=list)
    parent: Element | None = None
    place: int = 0
    cost: int = 1
    opaque: ClassVar[bool] = False
    silent: ClassVar[bool] = False

    def render(self, scope: Scope) -> None:
        """Write the element."""
        render_all(self.children, scope)

    def nodes(self) -> Iterable[Node | None]:
        """Return the expressions of the element itself."""
        return ()


def render_all(elements: Sequence[Element], scope: Scope) -> None:
    """Write elements one after the other; raise TemplateError with the place of the one that fails."""
    for element in elements:
        with element.span:
            scope.spend(element.cost)
            element.render(scope)


def captured(elements: Sequence[Element], scope: Scope) -> str:
    """Return what elements write."""
    with scope.capturing() as written:
        render_all(elements, scope)
    return "".join(written)


class Block(Element):
    """Be several elements: the template itself, the part after <#else> or <#recover>."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class Text(Element):
    """Be text; `verbatim` within <#noparse>."""

    text: str = ""
    verbatim: bool = False

    def render(self, scope: Scope) -> None:
        """Write the text."""
        scope.write(self.text)


@dataclass(slots=True, eq=False)
class Interpolation(Element):
    """Be `${…}`."""

    expression: Node = field(kw_only=True)

    def render(self, scope: Scope) -> None:
        """Write the value."""
        scope.write(self.expression.text(scope))

    def nodes(self) -> Iterable[Node | None]:
        """Return the expression."""
        return (self.expression,)


class If(Element):
    """Be <#if>: its children are the branches, of which the first that holds is rendered."""

    __slots__ = ()

    def render(self, scope: Scope) -> None:
        """Write the first branch whose condition holds."""
        for branch in self.children:
            assert isinstance(branch, Branch)
            if branch.condition is None or branch.condition.truth(scope):
                render_all(branch.children, scope)
                return

    def nodes(self) -> Iterable[Node | None]:
        """Return the conditions: asking them is part of the cost."""
        return [branch.condition for branch in self.children if isinstance(branch, Branch)]


@dataclass(slots=True, eq=False)
class Branch(Element):
    """Be what <#if>, <#elseif> or <#else> holds."""

    condition: Node | None = None


@dataclass(slots=True, eq=False)
class Switch(Element):
    """Be <#switch>: its children are the cases. One that fits falls through to those after it, until <#break>."""

    searched: Node = field(kw_only=True)

    def render(self, scope: Scope) -> None:
        """Write the cases from the first that fits on, or the default."""
        searched = self.searched.needed(scope)
        cases = [case for case in self.children if isinstance(case, Case)]
        fits = False
        try:
            for case in cases:
                fits = fits or (case.condition is not None and compare(scope, "==", searched, case.condition.needed(scope)))
                if fits:
                    render_all(case.children, scope)
            if not fits:
                for case in cases:
                    if case.condition is None:
                        render_all(case.children, scope)
        except Break:
            return

    def nodes(self) -> Iterable[Node | None]:
        """Return what is searched for, and what with."""
        return [self.searched, *(case.condition for case in self.children if isinstance(case, Case))]


@dataclass(slots=True, eq=False)
class Case(Element):
    """Be <#case value>, or <#default> without one."""

    condition: Node | None = None


class Compress(Element):
    """Be <#compress>: white space within becomes one space, or one line end if it has any; none is left at the ends."""

    __slots__ = ()

    def render(self, scope: Scope) -> None:
        """Write the body without superfluous white space."""
        text = captured(self.children, scope)
        scope.spend_text(len(text))
        scope.write(_LINE_ENDS.sub(_one_line_end, _BLANKS.sub(" ", text)).strip(" \r\n"))


def _one_line_end(blanks: re.Match[str]) -> str:
    """Return one line end, of the kind of the first."""
    ends = blanks.group().replace(" ", "")
    return "\n" if ends[0] == "\n" else "\r\n" if "\n" in ends else "\r"


# What Java calls white space: not the spaces that do not break.
_BLANKS = re.compile(r"[^\S\r\n\x85\xa0\u2007\u202f]+")
_LINE_ENDS = re.compile(r" ?[\r\n][ \r\n]*")


@dataclass(slots=True, eq=False)
class Trim(Element):
    """Be <#t>, <#lt>, <#rt> or <#nt>: words to the stripping of white space."""

    left: bool = False
    right: bool = False


class Comment(Element):
    """Be <#-- … -->."""

    __slots__ = ()
    silent = True


@dataclass(slots=True, eq=False)
class Stop(Element):
    """Be <#stop>."""

    reason: Node | None = None

    def render(self, scope: Scope) -> None:
        """End the rendering with the reason given."""
        words = self.reason.text(scope) if self.reason else "the template stops here"
        raise TemplateError("stop", self.span.line, self.span.column, words)

    def nodes(self) -> Iterable[Node | None]:
        """Return the reason's expression."""
        return (self.reason,)


class Attempt(Element):
    """Be <#attempt>: the first child is tried, the second written in its place if it fails."""

    __slots__ = ()

    def render(self, scope: Scope) -> None:
        """Write the first part whole, or else the second; limits are not caught."""
        tried, recover = self.children
        try:
            text = captured(tried.children, scope)
        except TemplateError as error:
            if error.limit or error.kind == "unsupported":
                raise
            recover.render(scope)
        else:
            scope.written.append(text)
