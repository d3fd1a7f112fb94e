"""Parse a template: text as it stands, `${…}`, and tags, each with what it encloses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import NamedTuple

from candu_source.integrations.freemarker.callables import Macro
from candu_source.integrations.freemarker.elements import Block, Comment, Element, Interpolation, Text
from candu_source.integrations.freemarker.expressions import Literal, Node
from candu_source.integrations.freemarker.faults import Span, TemplateError
from candu_source.integrations.freemarker.grammar import Grammar, literal_kind
from candu_source.integrations.freemarker.limits import NESTING
from candu_source.integrations.freemarker.tokens import Inside

_CONSTRUCT = re.compile(r"\$\{|\#\{|<\#--|</?\#[A-Za-z_]+|<@|</@[\w.$\\]*[ \t\r\n]*>")
_CLOSE = re.compile(r"[ \t\r\n]*>")
CLOSE_OR_EMPTY = re.compile(r"[ \t\r\n]*/?>")
_HEADER = re.compile(r"[ \t\r\n]*(?=<\#ftl[ \t\r\n/>])")
_HEADER_LINE = re.compile(r"[^\S\r\n]*(?:\r\n|\r|\n)?")
_COMMENT_END = re.compile(r"-->")

# What FreeMarker has beyond the subset.
REFUSED_WORDS = """
    include import visit recurse fallback escape noescape autoesc noautoesc outputformat transform call foreach flush
"""
REFUSED = frozenset(REFUSED_WORDS.split())


class Tag(NamedTuple):
    """Hold a tag's name, `/if` for a closing one, and where it begins and where its name ends."""

    name: str
    start: int
    after: int


Directive = Callable[["Parser", Tag], Element]


class Parser:
    """Read one template from front to back: `at` is how far it has come."""

    def __init__(self, source: str, directives: Mapping[str, Directive], place: tuple[int, int] | None = None) -> None:
        self.source = source
        self._directives = directives
        self._fixed = place
        self.at = 0
        self.loops: list[tuple[str, ...]] = []
        self.breakable = 0
        self.continuable = 0
        self.routine = ""
        self.macros: list[Macro] = []
        self.strip = True
        self._lines = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", source))]
        self._depth = 0

    def template(self) -> Block:
        """Return the whole template; raise TemplateError for what is wrong with it."""
        self._header()
        children, end = self.body()
        if end is not None:
            raise self.error(end.start, f"<{_shown(end.name)}> closes or continues nothing that is open")
        return Block(Span(1, 1), len(self._lines), children)

    def spot(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset; of a literal only its own place is known, because its escapes are gone."""
        if self._fixed is not None:
            return self._fixed
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def error(self, at: int, message: str) -> TemplateError:
        """Return a parse error at an offset."""
        return TemplateError("parse", *self.spot(at), message)

    def refused(self, at: int, message: str) -> TemplateError:
        """Return the error of what FreeMarker has and the subset leaves out."""
        return TemplateError("unsupported", *self.spot(at), message)

    def placed(self, start: int, end: int | None = None) -> tuple[Span, int]:
        """Return the span of an element and the line on which it ends, by default where the parser is."""
        return Span(*self.spot(start)), self.spot((self.at if end is None else end) - 1)[0]

    def grammar(self, start: int, inside: Inside = "tag") -> Grammar:
        """Return a reader of expressions from an offset on."""
        return Grammar(self.source, start, inside, self.spot, [name for names in self.loops for name in names], self._parts)

    def body(self) -> tuple[list[Element], Tag | None]:
        """Return elements up to a tag that closes or continues what is open, and that tag; None at the end of the template."""
        self._depth += 1
        if self._depth > NESTING:
            raise TemplateError("runtime", *self.spot(self.at), f"tags are nested deeper than {NESTING}, the limit", limit=True)
        elements: list[Element] = []
        end: Tag | None = None
        while end is None and self.at < len(self.source):
            found = _CONSTRUCT.search(self.source, self.at)
            stop = found.start() if found else len(self.source)
            if stop > self.at:
                start, self.at = self.at, stop
                elements.append(self._text(start, stop))
            if found:
                element, end = self._construct(found)
                elements += [element] if element else []
        self._depth -= 1
        return elements, end

    def _text(self, start: int, stop: int) -> Text:
        """Return text; a tab counts eight columns in FreeMarker, so one that begins so does not begin its line for the stripping."""
        span, last_line = self.placed(start)
        text = self.source[start:stop]
        return Text(span._replace(column=8) if text.startswith("\t") else span, last_line, text=text)

    def enclosed(self, opener: Tag, *ends: str) -> tuple[list[Element], Tag]:
        """Return what a tag encloses, and the tag that ends it, which has to be one of those named."""
        elements, end = self.body()
        if end is None:
            raise self.error(opener.start, f"<{_shown(opener.name)}> is not closed; add <{_shown(ends[-1])}>")
        if end.name not in ends:
            raise self.error(end.start, f"<{_shown(end.name)}> stands where <{_shown(ends[-1])}> is needed")
        return elements, end

    def close(self, tag: Tag, *, empty: bool = False) -> None:
        """Go over the end of a tag without expressions; `empty` lets it end by />."""
        found = (CLOSE_OR_EMPTY if empty else _CLOSE).match(self.source, tag.after)
        if found is None:
            raise self.error(tag.start, f"<{_shown(tag.name)}> has more within it than FreeMarker takes")
        self.at = found.end()

    def opened(self, tag: Tag) -> Grammar:
        """Return a reader of the expressions of a tag, which white space has to part from its name."""
        if self.source[tag.after : tag.after + 1] not in {" ", "\t", "\r", "\n"}:
            raise self.error(tag.start, f"<{_shown(tag.name)}> needs a space and something after its name")
        return self.grammar(tag.after)

    def _header(self) -> None:
        """Read <#ftl>, which stands at the very start or not at all."""
        header = _HEADER.match(self.source)
        if header is None:
            return
        tag = Tag("ftl", header.end(), header.end() + len("<#ftl"))
        reader = self.grammar(tag.after)
        while reader.token.kind == "name":
            at, name = reader.token.at, reader.name()
            reader.expect("==")
            value = reader.expression()
            if name.lower() in {"strip_whitespace", "stripwhitespace"} and isinstance(value, Literal) and isinstance(value.constant, bool):
                self.strip = value.constant
            elif name != "encoding":
                raise self.refused(at, f"{name} in <#ftl> is not supported; only strip_whitespace=true or false is")
        end = _HEADER_LINE.match(self.source, reader.end(closed=True))
        assert end is not None
        self.at = end.end()

    def _construct(self, found: re.Match[str]) -> tuple[Element | None, Tag | None]:
        """Return the element that begins here, or the tag if it closes or continues what is open."""
        words = found.group()
        if words == "${":
            return self._interpolation(found), None
        if words == "#{":
            raise self.refused(found.start(), "#{…} is not supported; write ${…}, with ?string['0.00'] for a format")
        if words == "<#--":
            return self.comment(found.start(), found.end(), _COMMENT_END), None
        if words.startswith("<@"):
            return self._directives["@"](self, Tag("@", found.start(), found.end())), None
        if words.startswith("</@"):
            self.at = found.end()
            return None, Tag(f"/@{words[3:-1].strip()}", found.start(), found.end())
        tag = Tag(words[1:].replace("#", ""), found.start(), found.end())
        return self._directive(tag)

    def _directive(self, tag: Tag) -> tuple[Element | None, Tag | None]:
        name = tag.name if tag.name.startswith("/") else tag.name.lower() if tag.name in _CAMEL else tag.name
        tag = tag._replace(name=name)
        if name in self._directives:
            return self._directives[name](self, tag), None
        if name in _CONTINUING:
            if name in {"else", "elseif", "case", "default", "recover"}:
                self.at = tag.after
                if name not in {"elseif", "case"}:
                    self.close(tag, empty=name == "else")
            else:
                self.close(tag)
            return None, tag
        if name.lstrip("/").lower() in REFUSED:
            raise self.refused(tag.start, f"<{_shown(name)}> is not supported")
        if name == "ftl":
            raise self.error(tag.start, "<#ftl> stands only at the start of a template")
        raise self.error(tag.start, f"<{_shown(name)}> is no directive")

    def _interpolation(self, found: re.Match[str]) -> Element:
        reader = self.grammar(found.end(), "interpolation")
        expression = reader.expression()
        if literal_kind(expression) in {"list", "hash"}:
            raise self.error(found.start(), "a list or hash does not print; print its parts")
        self.at = reader.end()
        return Interpolation(*self.placed(found.start()), expression=expression)

    def _parts(self, text: str, at: int) -> tuple[Node, ...]:
        """Return the text and expressions of a literal with `${…}` within; errors are told at the literal's place."""
        place = self.spot(at)
        inner = Parser(text, {}, place)
        inner.loops = self.loops
        parts: list[Node] = []
        while inner.at < len(text):
            opening = text.find("${", inner.at)
            if "#{" in text[inner.at : opening if opening >= 0 else len(text)]:
                raise self.refused(at, "#{…} is not supported; write ${…}")
            stop = opening if opening >= 0 else len(text)
            if stop > inner.at:
                parts.append(Literal(Span(*place), text[inner.at : stop]))
            inner.at = stop
            if opening >= 0:
                reader = inner.grammar(opening + 2, "interpolation")
                parts.append(reader.expression())
                inner.at = reader.end()
        return tuple(parts)

    def comment(self, start: int, after: int, end: re.Pattern[str]) -> Element:
        """Read what is left of a comment, up to its end."""
        found = end.search(self.source, after)
        if found is None:
            raise self.error(start, "the comment is not closed")
        self.at = found.end()
        return Comment(*self.placed(start))


def _shown(name: str) -> str:
    """Return a tag's name as it is written."""
    if name.startswith("/@"):
        return name
    return f"/#{name[1:]}" if name.startswith("/") else f"#{name}"


_CAMEL = frozenset({"elseIf", "noParse"})
_CONTINUING_WORDS = """
    else elseif case default recover /if /list /items /sep /assign /global /local /switch /compress /attempt /recover /macro /function
"""
_CONTINUING = frozenset(_CONTINUING_WORDS.split())
