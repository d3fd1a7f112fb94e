"""Parse what follows a value: members, keys, arguments, built-ins, defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from candu_source.integrations.freemarker import built_ins
from candu_source.integrations.freemarker.calls import Applied, Call, LoopState, Then, Transformed
from candu_source.integrations.freemarker.expressions import Literal, Name, Node
from candu_source.integrations.freemarker.members import Dot, Index
from candu_source.integrations.freemarker.presence import Default, Exists, HasContent

if TYPE_CHECKING:
    from candu_source.integrations.freemarker.grammar import Grammar


def dot(grammar: Grammar, start: int, target: Node) -> Node:
    """Read `.key`."""
    grammar.take()
    token = grammar.token
    if token.kind == "nothing" or not (token.kind == "name" or token.text[0].isalpha()):
        raise grammar.unexpected("a name")
    grammar.take()
    grammar.refuse_literal(target, ("list", "text", "boolean"), "a hash")
    return Dot(grammar.span(start), target, token.text.replace("\\", ""))


def index(grammar: Grammar, start: int, target: Node) -> Node:
    """Read `[key]`."""
    grammar.take()
    key = grammar.expression()
    grammar.expect("]")
    grammar.refuse_literal(target, ("boolean", "number"), "a hash or a sequence")
    return Index(grammar.span(start), target, key)


def call(grammar: Grammar, start: int, target: Node) -> Node:
    """Read `(arguments)`."""
    grammar.take()
    arguments = grammar.arguments(")")
    return Call(grammar.span(start), target, arguments)


def default(grammar: Grammar, start: int, target: Node) -> Node:
    """Read `!` and the default behind it, a whole expression."""
    mark = grammar.take()
    apart = grammar.token.at > mark.after
    fallback = grammar.expression() if grammar.starts() and not (grammar.named_arguments and apart) else None
    return Default(grammar.span(start), target, fallback)


def exists(grammar: Grammar, start: int, target: Node) -> Node:
    """Read `??`."""
    grammar.take()
    return Exists(grammar.span(start), target)


def built_in(grammar: Grammar, start: int, target: Node) -> Node:
    """Read `?name` with its arguments."""
    grammar.take()
    at = grammar.token.at
    written = grammar.name()
    name = snake(written)
    if name in built_ins.OF_LOOPS:
        return _loop_state(grammar, start, target, name)
    if name in built_ins.LAZY:
        return _lazy(grammar, start, target, name)
    if name in built_ins.REFUSED:
        raise grammar.error(at, f"?{written} is not supported", "unsupported")
    if name not in built_ins.TABLE:
        raise grammar.error(at, f"there is no built-in ?{written}")
    return _applied(grammar, start, target, name)


def _applied(grammar: Grammar, start: int, target: Node, name: str) -> Node:
    built_in = built_ins.TABLE[name]
    if name in built_ins.SELECTING and grammar.token.sign in {"[", "."} and grammar.token.kind == "operator":
        argument = _selector(grammar)
        return Applied(grammar.span(start), target, name, built_in, (argument,), selected=True)
    arguments = grammar.arguments(")") if built_in.most and grammar.accept("(") else None
    return Applied(grammar.span(start), target, name, built_in, arguments)


def _selector(grammar: Grammar) -> Node:
    """Return the format in ?string['0.0'] or ?string.iso."""
    if grammar.accept("."):
        start = grammar.token.at
        return Literal(grammar.span(start), grammar.name())
    grammar.expect("[")
    key = grammar.expression()
    grammar.expect("]")
    return key


def _loop_state(grammar: Grammar, start: int, target: Node, name: str) -> Node:
    if not isinstance(target, Name) or target.name not in grammar.loops:
        raise grammar.error(start, f"?{name} stands behind the variable of a <#list> around it")
    return LoopState(grammar.span(start), target.name, name)


def _lazy(grammar: Grammar, start: int, target: Node, name: str) -> Node:
    if name == "has_content":
        return HasContent(grammar.span(start), target)
    grammar.expect("(")
    arguments = grammar.arguments(")", lambdas=name in {"filter", "map"})
    wanted = 2 if name == "then" else 1
    if len(arguments) != wanted:
        raise grammar.error(start, f"?{name} takes {wanted} argument{'s' * (wanted > 1)}")
    if name == "then":
        return Then(grammar.span(start), target, *arguments)
    return Transformed(grammar.span(start), target, name == "filter", arguments[0])


def snake(name: str) -> str:
    """Return upper_case for upperCase: FreeMarker knows both ways of writing."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


SUFFIXES: dict[str, Callable[[Grammar, int, Node], Node]] = {
    ".": dot,
    "[": index,
    "(": call,
    "?": built_in,
    "!": default,
    "??": exists,
}
