"""Parse the directives that give names: assignments, macros and functions, and the calls of macros."""

from __future__ import annotations

from candu_source.integrations.freemarker.assignments import Assignment, Assignments, Capture
from candu_source.integrations.freemarker.callables import Definition, Leave, Macro, MacroCall, Nested
from candu_source.integrations.freemarker.elements import Element
from candu_source.integrations.freemarker.expressions import Name, Node
from candu_source.integrations.freemarker.grammar import Grammar
from candu_source.integrations.freemarker.members import Dot
from candu_source.integrations.freemarker.parser import CLOSE_OR_EMPTY, Parser, Tag
from candu_source.integrations.freemarker.tokens import END, unescaped

_OPERATORS = frozenset({"==", "+=", "-=", "*=", "/=", "%="})
_STEPS = frozenset({"++", "--"})


def assign(parser: Parser, tag: Tag) -> Element:
    """Read <#assign>, <#global> or <#local>: one or more values, or a body that becomes one."""
    if tag.name == "local" and not parser.routine:
        raise parser.error(tag.start, "<#local> stands within <#macro> or <#function>")
    reader = parser.opened(tag)
    name = _target(reader)
    if reader.token.kind == END:
        return _capture(parser, tag, reader, name)
    found = [_assignment(parser, tag, reader, name)]
    while reader.token.kind != END:
        reader.accept(",")
        if reader.token.text == "in":
            raise parser.refused(reader.token.at, "<#assign … in a namespace> is not supported")
        found.append(_assignment(parser, tag, reader, _target(reader)))
    parser.at = reader.end(closed=True)
    if len(found) > 1:
        return Assignments(*parser.placed(tag.start), list(found))
    found[0].span, found[0].last_line = parser.placed(tag.start)
    return found[0]


def _target(reader: Grammar) -> str:
    """Return the name of the variable: a name, or a text."""
    return unescaped(reader.take().text) if reader.token.kind in {"text", "raw"} else reader.name()


def _assignment(parser: Parser, tag: Tag, reader: Grammar, name: str) -> Assignment:
    at, sign = reader.token.at, reader.token.sign
    if sign not in _OPERATORS | _STEPS or reader.token.text == "==":
        raise reader.unexpected("'='")
    reader.take()
    expression = None if sign in _STEPS else reader.expression()
    return Assignment(*parser.placed(at, at + 1), target=tag.name, name=name, operator="=" if sign == "==" else sign, expression=expression)


def _capture(parser: Parser, tag: Tag, reader: Grammar, name: str) -> Element:
    parser.at = reader.end()
    children, _ = parser.enclosed(tag, f"/{tag.name}")
    return Capture(*parser.placed(tag.start), children, target=tag.name, name=name)


def routine(parser: Parser, tag: Tag) -> Element:
    """Read <#macro> or <#function>."""
    if parser.routine:
        raise parser.error(tag.start, "macros and functions do not stand within each other")
    reader = parser.opened(tag)
    name = _target(reader)
    in_parentheses = reader.accept("(")
    parameters, rest = _parameters(parser, reader)
    if in_parentheses:
        reader.expect(")")
    parser.at = reader.end()
    outside = parser.loops, parser.breakable, parser.continuable
    parser.routine, parser.loops, parser.breakable, parser.continuable = tag.name, [], 0, 0
    children, _ = parser.enclosed(tag, f"/{tag.name}")
    parser.routine, (parser.loops, parser.breakable, parser.continuable) = "", outside
    macro = Macro(name, parameters, rest, tag.name == "function", children)
    parser.macros.append(macro)
    return Definition(*parser.placed(tag.start), children, macro=macro)


def _parameters(parser: Parser, reader: Grammar) -> tuple[tuple[tuple[str, Node | None], ...], str | None]:
    """Return the parameters with their defaults, and the one written `name...`."""
    found: list[tuple[str, Node | None]] = []
    while reader.token.kind == "name":
        at, name = reader.token.at, reader.name()
        if reader.accept("..") and reader.accept("."):
            reader.accept(",")
            return tuple(found), name
        default = reader.expression() if reader.accept("==") else None
        if default is None and any(one is not None for _, one in found):
            raise parser.error(at, "parameters without a default come before those with one")
        found.append((name, default))
        reader.accept(",")
    return tuple(found), None


def leave(parser: Parser, tag: Tag) -> Element:
    """Read <#return>."""
    expression = None
    if CLOSE_OR_EMPTY.match(parser.source, tag.after):
        parser.close(tag, empty=True)
    else:
        reader = parser.opened(tag)
        expression = reader.expression()
        parser.at = reader.end(closed=True)
    if (parser.routine == "function") != (expression is not None) or not parser.routine:
        raise parser.error(tag.start, "<#return> with a value ends a function, without one a macro")
    return Leave(*parser.placed(tag.start), expression=expression)


def nested(parser: Parser, tag: Tag) -> Element:
    """Read <#nested>."""
    if parser.routine != "macro":
        raise parser.error(tag.start, "<#nested> stands within <#macro>")
    values: list[Node] = []
    if CLOSE_OR_EMPTY.match(parser.source, tag.after):
        parser.close(tag, empty=True)
    else:
        reader = parser.opened(tag)
        while reader.token.kind != END:
            values.append(reader.expression())
            reader.accept(",")
        parser.at = reader.end(closed=True)
    return Nested(*parser.placed(tag.start), values=tuple(values))


def macro_call(parser: Parser, tag: Tag) -> Element:
    """Read <@name …> with what it encloses."""
    if parser.source[tag.after : tag.after + 1] in {" ", "\t", "\r", "\n"}:
        raise parser.error(tag.start, "<@ needs the name of a macro at once")
    reader = parser.grammar(tag.after)
    target = reader.expression()
    placed, named = _arguments(reader)
    names = _body_names(reader)
    parser.at = reader.end(closed=True)
    children: list[Element] = []
    closed = reader.token.text == "/>"
    if not closed:
        children = _called_body(parser, tag, target, names)
    return MacroCall(*parser.placed(tag.start), children, target=target, placed=placed, named=named, body_names=names, has_body=not closed)


def _called_body(parser: Parser, tag: Tag, target: Node, names: tuple[str, ...]) -> list[Element]:
    """Return what the call encloses; names that it gives hide those of the loops around."""
    outside = parser.loops
    parser.loops = [tuple("" if name in names else name for name in loop) for loop in outside]
    children, end = parser.body()
    parser.loops = outside
    plain = target.span.words if isinstance(target, Name | Dot) else ""
    if end is None or not end.name.startswith("/@") or end.name[2:] not in {"", plain}:
        raise parser.error(tag.start if end is None else end.start, f"<@{plain}> is not closed; add </@{plain}>")
    return children


def _arguments(reader: Grammar) -> tuple[tuple[Node, ...], tuple[tuple[str, Node], ...]]:
    """Return the arguments by place, or those by name."""
    if reader.token.kind == "name" and reader.following().text == "=":
        reader.named_arguments = True
        named: dict[str, Node] = {}
        while reader.token.kind == "name":
            name = reader.name()
            if reader.token.text != "=":
                raise reader.unexpected("'='")
            reader.take()
            named[name] = reader.expression()
        reader.named_arguments = False
        return (), tuple(named.items())
    placed: list[Node] = []
    while reader.token.kind not in {END, "nothing"} and reader.token.sign != ";":
        placed.append(reader.expression())
        reader.accept(",")
    return tuple(placed), ()


def _body_names(reader: Grammar) -> tuple[str, ...]:
    """Return the names behind the semicolon, to which <#nested> gives values."""
    names: list[str] = []
    if reader.accept(";"):
        while reader.token.kind == "name":
            names.append(reader.name())
            if not reader.accept(","):
                break
    return tuple(names)


TABLE = {
    "assign": assign,
    "global": assign,
    "local": assign,
    "macro": routine,
    "function": routine,
    "return": leave,
    "nested": nested,
    "@": macro_call,
}
