"""Parse the directives that repeat: <#list> and <#items>."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from candu_source.integrations.freemarker.elements import Block, Element
from candu_source.integrations.freemarker.grammar import Grammar
from candu_source.integrations.freemarker.loops import Items, ListOrElse, Loops
from candu_source.integrations.freemarker.parser import Parser, Tag


@contextmanager
def _looping(parser: Parser, names: tuple[str, ...], *, repeats: bool) -> Iterator[None]:
    """Let names be those of a loop for a while; <#break> and <#continue> may stand in what repeats."""
    parser.loops.append(names)
    parser.breakable += repeats
    parser.continuable += repeats
    yield
    parser.loops.pop()
    parser.breakable -= repeats
    parser.continuable -= repeats


def loops(parser: Parser, tag: Tag) -> Element:
    """Read <#list>."""
    reader = parser.opened(tag)
    listed = reader.expression()
    names: tuple[str, ...] = ()
    if reader.token.text == "as" and reader.token.kind == "name":
        reader.take()
        names = _read_names(parser, reader)
    parser.at = reader.end()
    with _looping(parser, names, repeats=bool(names)):
        children, end = parser.enclosed(tag, "else", "/list")
    if not names and not _has_items(children):
        raise parser.error(tag.start, "<#list> needs `as name`, or <#items> within it")
    begun = parser.placed(tag.start, end.start)
    if end.name == "/list":
        return Loops(*parser.placed(tag.start), children, listed=listed, names=names)
    start = parser.placed(end.start)
    others, _ = parser.enclosed(end, "/list")
    other = Block(start[0], others[-1].last_line if others else start[1], others)
    place = parser.placed(tag.start)
    return ListOrElse(*place, [Loops(begun[0], place[1], children, listed=listed, names=names), other])


def _read_names(parser: Parser, reader: Grammar) -> tuple[str, ...]:
    """Return the one or two names of a loop."""
    at, first = reader.token.at, reader.name()
    if not reader.accept(","):
        return (first,)
    second = reader.name()
    if first == second:
        raise parser.error(at, "key and value need two names")
    return first, second


def _has_items(elements: list[Element]) -> bool:
    """Tell whether <#items> stands within, but not within a list of its own."""
    return any(isinstance(one, Items) or (not isinstance(one, Loops) and _has_items(one.children)) for one in elements)


def items(parser: Parser, tag: Tag) -> Element:
    """Read <#items>."""
    if not parser.loops or parser.loops[-1]:
        raise parser.error(tag.start, "<#items> stands within a <#list> that has no `as` of its own")
    reader = parser.opened(tag)
    if reader.token.text != "as":
        raise reader.unexpected("'as'")
    reader.take()
    names = _read_names(parser, reader)
    parser.at = reader.end()
    with _looping(parser, names, repeats=True):
        children, _ = parser.enclosed(tag, "/items")
    return Items(*parser.placed(tag.start), children, names=names)


TABLE = {"list": loops, "items": items}
