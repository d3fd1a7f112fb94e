"""Take away the white space that only lays out a template, as FreeMarker does after parsing.

A line that holds nothing but tags vanishes with its line end; <#t>, <#lt> and <#rt> trim their line; texts between assignments and comments
vanish. Two ways of FreeMarker against its manual are kept: the first text of a template is never stripped, and what is looked at are the
texts and interpolations next to each other on a line, whatever tags are between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile

from candu_source.integrations.freemarker.elements import Block, Comment, Element, Interpolation, Text, Trim
from candu_source.integrations.freemarker.faults import exceeded
from candu_source.integrations.freemarker.limits import LINE_LOOKS

# What Java's String.trim takes away.
_BLANK = "".join(map(chr, range(33)))


def tidy(root: Block, *, strip: bool) -> None:
    """Strip the texts of a template, then leave out what writes nothing; `strip` is false where <#ftl> says so.

    Raises a limit when one line holds so much that looking at it would take too long.
    """
    if len(root.children) == 1 and isinstance(root.children[0], Text):
        return
    trims: set[int] = set()
    _adopt(root, trims)
    _Stripping(strip, trims).clean(root)


def _adopt(element: Element, trims: set[int]) -> None:
    """Tell each element its parent and place, and note the lines that hold trimming tags."""
    for place, child in enumerate(element.children):
        child.parent, child.place = element, place
        if isinstance(child, Trim):
            trims.add(child.span.line)
        _adopt(child, trims)


class _Stripping:
    """Hold what one stripping needs: whether blank lines go, which lines hold trimming tags, how many looks are left."""

    def __init__(self, strip: bool, trims: set[int]) -> None:
        self._strip = strip
        self._trims = trims
        self._looks = LINE_LOOKS

    def clean(self, element: Element) -> None:
        """Strip what an element holds, in the order of the template: texts see those before them as they are by then."""
        for child in element.children:
            if isinstance(child, Text):
                self._clean_text(child)
            self.clean(child)
        kept: list[Element] = []
        for place, child in enumerate(element.children):
            # One by one: what goes is no neighbour to those after it. Comments stay neighbours to the end.
            behind = element.children[place + 1] if place + 1 < len(element.children) else None
            if not isinstance(child, Trim) and not self._vanishes(child, kept[-1] if kept else None, behind):
                kept.append(child)
        element.children[:] = [child for child in kept if not isinstance(child, Comment)]
        for place, child in enumerate(element.children):
            child.place = place

    def _vanishes(self, child: Element, before: Element | None, behind: Element | None) -> bool:
        if not isinstance(child, Text):
            return False
        return not child.text or (self._strip and _between_silent(child, before, behind))

    def _clean_text(self, text: Text) -> None:
        """Take from one text what its line does not need."""
        if not text.text:
            return
        left = text.last_line in self._trims and self._trimmed_left(text)
        right = text.span.line in self._trims and self._trimmed_right(text)
        if not self._strip or not text.text or _is_first(text):
            return
        ends = 0 if left else self._blank_end(text)
        starts = 0 if right else self._blank_start(text)
        text.text = text.text[starts : len(text.text) - ends]
        if starts:
            text.span = text.span._replace(line=text.span.line + 1, column=1)

    def _leaves(self, element: Element, step: int) -> Iterator[Element]:
        """Yield what is written next, or before, in the order of the template; opaque elements as one."""
        while (parent := element.parent) is not None:
            self._looks -= 1
            if self._looks < 0:
                raise exceeded(f"a line holds too many tags: stripping its white space takes more than {LINE_LOOKS} looks, the limit")
            place = element.place + step
            if 0 <= place < len(parent.children):
                element = parent.children[place]
                while element.children and not element.opaque:
                    element = element.children[0 if step > 0 else -1]
                yield element
            else:
                element = parent

    def _after(self, text: Text) -> Iterator[Element]:
        """Yield what follows on the line on which the text ends."""
        return takewhile(lambda leaf: leaf.span.line == text.last_line, self._leaves(text, 1))

    def _before(self, text: Text) -> Iterator[Element]:
        """Yield what precedes on the line on which the text begins."""
        return takewhile(lambda leaf: leaf.last_line == text.span.line, self._leaves(text, -1))

    def _trimmed_left(self, text: Text) -> bool:
        """Trim the last line of the text if <#t> or <#lt> stands behind it; return whether one of the trimming tags does."""
        trimmed = False
        for leaf in self._after(text):
            if isinstance(leaf, Trim):
                trimmed = trimmed or leaf.left or not leaf.right
                if leaf.left:
                    head = _last_line_end(text.text) + 1
                    if head > 0 or text.span.column == 1:
                        text.text = text.text[:head] + text.text[head:].lstrip()
        return trimmed

    def _trimmed_right(self, text: Text) -> bool:
        """Trim the first line of the text if <#t> or <#rt> stands before it; return whether one of the trimming tags does."""
        trimmed = False
        for leaf in self._before(text):
            if isinstance(leaf, Trim):
                if leaf.right and _first_line(text.text) == 0:
                    return False
                trimmed = trimmed or leaf.right or not leaf.left
                if leaf.right:
                    self._trim_first_line(text)
        return trimmed

    def _trim_first_line(self, text: Text) -> None:
        length = _first_line(text.text)
        first, rest = text.text[:length], text.text[length:]
        if not first.strip(_BLANK):
            text.text = rest
            text.span = text.span._replace(line=text.span.line + 1, column=1)
            return
        if not rest.strip(_BLANK) and self._rest_is_blank(text):
            rest = ""
        text.text = first.rstrip() + rest

    def _rest_is_blank(self, text: Text) -> bool:
        """Tell whether nothing behind the text needs the white space that it ends with."""
        blank = True
        for leaf in self._after(text):
            if _heeds(leaf, _opens_line):
                blank = False
            if isinstance(leaf, Trim) and leaf.left:
                return True
        return blank

    def _blank_start(self, text: Text) -> int:
        """Return how many characters go from the start: a blank rest of a line on which nothing else is written."""
        length = _first_line(text.text)
        if length == 0 or text.text[:length].strip(_BLANK):
            return 0
        return 0 if any(_heeds(leaf, _opens_line) for leaf in self._before(text)) else length

    def _blank_end(self, text: Text) -> int:
        """Return how many characters go from the end: the blank start of a line on which nothing else is written."""
        end = _last_line_end(text.text)
        rest = text.text[end + 1 :]
        if (end < 0 and text.span.column != 1) or rest.strip(_BLANK):
            return 0
        return 0 if any(_heeds(leaf, _closes_line) for leaf in self._after(text)) else len(rest)


def _is_first(text: Text) -> bool:
    return text.parent is not None and text.parent.parent is None and text.place == 0


def _first_line(text: str) -> int:
    """Return the length of the first line with its end, 0 if it has none."""
    ends = [place for place in (text.find("\n"), text.find("\r")) if place >= 0]
    if not ends:
        return 0
    end = min(ends) + 1
    return end + 1 if text[end - 1 : end + 1] == "\r\n" else end


def _last_line_end(text: str) -> int:
    return max(text.rfind("\n"), text.rfind("\r"))


def _heeds(leaf: Element, within: Callable[[str], bool]) -> bool:
    """Tell whether a leaf needs the white space next to it on its line."""
    if isinstance(leaf, Text):
        return not _ignorable(leaf) and within(leaf.text)
    return isinstance(leaf, Interpolation)


def _opens_line(text: str) -> bool:
    """Tell whether the last line of the text has anything, or the text has no line end at all."""
    return bool(text[_last_line_end(text) + 1 :].strip()) or _last_line_end(text) < 0


def _closes_line(text: str) -> bool:
    """Tell whether the first line of the text has anything, or the text has no line end at all."""
    length = _first_line(text)
    return length == 0 or bool(text[:length].strip())


def _ignorable(text: Text) -> bool:
    """Tell whether a text is blank and has nothing beside it but what writes nothing."""
    if not text.text:
        return True
    if text.parent is None:
        return False
    siblings = text.parent.children
    before = siblings[text.place - 1] if text.place else None
    return _between_silent(text, before, siblings[text.place + 1] if text.place + 1 < len(siblings) else None)


def _between_silent(text: Text, before: Element | None, behind: Element | None) -> bool:
    if text.text.strip(_BLANK) or text.parent is None:
        return False
    on_top = text.parent.parent is None
    return all(on_top if one is None else one.silent for one in (before, behind))
