"""Parse each directive: conditions, settings, what shapes the output, what ends it."""

from __future__ import annotations

import re

from candu_source.integrations.freemarker.assignments import Setting
from candu_source.integrations.freemarker.elements import (
    Attempt,
    Block,
    Branch,
    Case,
    Compress,
    Element,
    If,
    Stop,
    Switch,
    Text,
    Trim,
)
from candu_source.integrations.freemarker.expressions import Literal, Node
from candu_source.integrations.freemarker.formats import REFUSED_SETTINGS, SETTINGS
from candu_source.integrations.freemarker.loops import Jump, Sep
from candu_source.integrations.freemarker.parser import CLOSE_OR_EMPTY, Parser, Tag

_COMMENT_END = re.compile(r"</#?comment[ \t\r\n]*>")
_NOPARSE_END = re.compile(r"</#?no[pP]arse[ \t\r\n]*>")


def comment(parser: Parser, tag: Tag) -> Element:
    """Read <#comment>."""
    parser.close(tag)
    return parser.comment(tag.start, parser.at, _COMMENT_END)


def noparse(parser: Parser, tag: Tag) -> Element:
    """Read <#noparse>."""
    parser.close(tag)
    begin = parser.at
    found = _NOPARSE_END.search(parser.source, begin)
    if found is None:
        raise parser.error(tag.start, "<#noparse> is not closed; add </#noparse>")
    parser.at = found.end()
    return Text(*parser.placed(tag.start), text=parser.source[begin : found.start()], verbatim=True)


def condition(parser: Parser, tag: Tag) -> Element:
    """Read <#if> with its branches."""
    branches: list[Element] = []
    end = tag
    while end.name != "/if":
        asked = _asked(parser, end) if end.name in {"if", "elseif"} else None
        begun = parser.placed(end.start)
        ends = ("elseif", "else", "/if") if end.name != "else" else ("/if",)
        children, following = parser.enclosed(end, *ends)
        branches.append(Branch(begun[0], _last(begun[1], children), children, condition=asked))
        end = following
    if len(branches) == 1:
        branches[0].last_line = parser.placed(tag.start)[1]
    return If(*parser.placed(tag.start), branches)


def _asked(parser: Parser, tag: Tag) -> Node:
    """Return the expression that is all of a tag."""
    reader = parser.opened(tag)
    expression = reader.expression()
    parser.at = reader.end(closed=tag.name == "elseif")
    return expression


def _last(line: int, children: list[Element]) -> int:
    """Return the line on which a part ends that has no closing tag of its own."""
    return children[-1].last_line if children else line


def sep(parser: Parser, tag: Tag) -> Element:
    """Read <#sep>, whose closing tag may be left out."""
    if not parser.loops:
        raise parser.error(tag.start, "<#sep> stands within <#list>")
    parser.close(tag)
    begun = parser.placed(tag.start)
    children, end = parser.body()
    if end is not None and end.name == "/sep":
        return Sep(*parser.placed(tag.start), children)
    if end is not None:
        # The tag belongs to what is around: it is read again there.
        parser.at = end.start
    return Sep(begun[0], _last(begun[1], children), children)


def setting(parser: Parser, tag: Tag) -> Element:
    """Read <#setting>."""
    reader = parser.opened(tag)
    at, written = reader.token.at, reader.name()
    name = re.sub("[A-Z]", lambda found: f"_{found.group().lower()}", written)
    if name in REFUSED_SETTINGS:
        raise parser.refused(at, f"the setting {written} is not supported")
    if name not in SETTINGS:
        raise parser.error(at, f"there is no setting {written}; use one of {', '.join(sorted(SETTINGS))}")
    reader.expect("==")
    expression = reader.expression()
    if name == "locale" and isinstance(expression, Literal) and str(expression.constant).replace("-", "_") != "en_US":
        raise parser.refused(at, "the locale is always en_US")
    parser.at = reader.end(closed=True)
    return Setting(*parser.placed(tag.start), name=name, expression=expression)


def jump(parser: Parser, tag: Tag) -> Element:
    """Read <#break> or <#continue>."""
    parser.close(tag, empty=True)
    if (parser.breakable if tag.name == "break" else parser.continuable) == 0:
        raise parser.error(tag.start, f"<#{tag.name}> stands within <#list>{' or <#switch>' if tag.name == 'break' else ''}")
    return Jump(*parser.placed(tag.start), leaving=tag.name == "break")


def compress(parser: Parser, tag: Tag) -> Element:
    """Read <#compress>."""
    parser.close(tag)
    children, _ = parser.enclosed(tag, "/compress")
    return Compress(*parser.placed(tag.start), children)


def trim(parser: Parser, tag: Tag) -> Element:
    """Read <#t>, <#lt>, <#rt> or <#nt>."""
    parser.close(tag, empty=True)
    return Trim(*parser.placed(tag.start), left=tag.name in {"t", "lt"}, right=tag.name in {"t", "rt"})


def stop(parser: Parser, tag: Tag) -> Element:
    """Read <#stop>."""
    reason = None
    if CLOSE_OR_EMPTY.match(parser.source, tag.after):
        parser.close(tag, empty=True)
    else:
        reader = parser.opened(tag)
        reason = reader.expression()
        parser.at = reader.end(closed=True)
    return Stop(*parser.placed(tag.start), reason=reason)


def attempt(parser: Parser, tag: Tag) -> Element:
    """Read <#attempt> with its <#recover>."""
    parser.close(tag)
    begun = parser.placed(tag.start)
    tried, recover = parser.enclosed(tag, "recover")
    again = parser.placed(recover.start)
    written, _ = parser.enclosed(recover, "/recover", "/attempt")
    return Attempt(*parser.placed(tag.start), [Block(*begun, tried), Block(*again, written)])


def switch(parser: Parser, tag: Tag) -> Element:
    """Read <#switch> with its cases."""
    searched = _asked(parser, tag)
    before, end = parser.body()
    for one in before:
        if not one.silent and not (isinstance(one, Text) and not one.text.strip()):
            raise parser.error(tag.start, "between <#switch> and its first <#case> only white space may stand")
    parser.breakable += 1
    cases: list[Element] = []
    while end is not None and end.name in {"case", "default"}:
        condition = _asked(parser, end) if end.name == "case" else None
        if condition is None and any(isinstance(case, Case) and case.condition is None for case in cases):
            raise parser.error(end.start, "<#switch> has one <#default> only")
        begun = parser.placed(end.start)
        children, following = parser.enclosed(end, "case", "default", "/switch")
        cases.append(Case(begun[0], _last(begun[1], children), children, condition=condition))
        end = following
    parser.breakable -= 1
    if end is None or end.name != "/switch":
        raise parser.error(tag.start, "<#switch> is not closed; add </#switch>")
    # Lonely white space before the first case is no element; with a comment it takes part in the stripping.
    ignored = [Block(*parser.placed(tag.start), before)] if len(before) > 1 else []
    return Switch(*parser.placed(tag.start), [*ignored, *cases], searched=searched)


TABLE = {
    "if": condition,
    "sep": sep,
    "setting": setting,
    "switch": switch,
    "break": jump,
    "continue": jump,
    "compress": compress,
    "comment": comment,
    "noparse": noparse,
    "t": trim,
    "lt": trim,
    "rt": trim,
    "nt": trim,
    "stop": stop,
    "attempt": attempt,
}
