"""Parse what an expression begins with: texts, numbers, variables, lists, hashes, parentheses and special variables."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from candu_source.integrations.freemarker.expressions import (
    HashLiteral,
    Interpolated,
    ListLiteral,
    Literal,
    Name,
    Node,
    Now,
    Paren,
    Statics,
)
from candu_source.integrations.freemarker.faults import Problem
from candu_source.integrations.freemarker.limits import DIGITS
from candu_source.integrations.freemarker.suffixes import snake
from candu_source.integrations.freemarker.tokens import unescaped
from candu_source.integrations.freemarker.values import HELPER_CLASS, HELPER_FUNCTIONS

if TYPE_CHECKING:
    from candu_source.integrations.freemarker.grammar import Grammar

# What FreeMarker has beside .now.
_SPECIALS_WORDS = """
    args auto_esc caller_template_name current_node current_template_name data_model error globals incompatible_improvements lang
    locale locale_object locals main main_template_name namespace node now output_encoding output_format pass template_name time_zone
    url_escaping_charset vars version get_optional_template
"""
_SPECIALS = frozenset(_SPECIALS_WORDS.split())


def atom(grammar: Grammar) -> Node:
    """Read an expression without operators, and without what may follow it."""
    token = grammar.token
    if token.kind in {"text", "raw"}:
        return _text(grammar)
    if token.kind == "number":
        return _number(grammar)
    if token.kind == "name":
        if token.text in {"true", "false"}:
            grammar.take()
            return Literal(grammar.span(token.at), token.text == "true")
        return _variable(grammar)
    if token.kind == "operator" and token.sign in _OPENED:
        grammar.take()
        return _OPENED[token.sign](grammar, token.at)
    raise grammar.unexpected("an expression")


def _text(grammar: Grammar) -> Node:
    token = grammar.take()
    try:
        text = unescaped(token.text)
    except Problem as problem:
        raise grammar.error(token.at, problem.message) from None
    span = grammar.span(token.at)
    if token.kind == "text" and ("${" in token.text or "#{" in token.text) and len(text) > 3:  # noqa: PLR2004 - "${}" is text
        return Interpolated(span, grammar.parts(text, token.at))
    return Literal(span, text)


def _number(grammar: Grammar) -> Node:
    token = grammar.token
    if len(token.text) > DIGITS:
        raise grammar.too_deep(token.at, f"a number has more than {DIGITS} digits, the limit")
    grammar.take()
    return Literal(grammar.span(token.at), Decimal(token.text) if "." in token.text else int(token.text))


def _variable(grammar: Grammar) -> Node:
    start = grammar.token.at
    name = grammar.name()
    if name != "statics":
        return Name(grammar.span(start), name)
    grammar.expect("[")
    wanted = atom(grammar)
    grammar.expect("]")
    if not isinstance(wanted, Literal) or wanted.constant != HELPER_CLASS:
        raise grammar.error(start, f"of statics only [{HELPER_CLASS!r}] is given to templates", "unsupported")
    if grammar.token.sign == "." and grammar.following().text not in HELPER_FUNCTIONS:
        raise grammar.error(grammar.following().at, f"the helper object has only {' and '.join(HELPER_FUNCTIONS)}", "unsupported")
    return Statics(grammar.span(start))


def _paren(grammar: Grammar, start: int) -> Node:
    inner = grammar.expression()
    grammar.expect(")")
    return Paren(grammar.span(start), inner)


def _list(grammar: Grammar, start: int) -> Node:
    items = grammar.arguments("]")
    return ListLiteral(grammar.span(start), items)


def _hash(grammar: Grammar, start: int) -> Node:
    members: list[tuple[Node, Node]] = []
    while not grammar.accept("}"):
        if members:
            grammar.expect(",")
        key = grammar.expression()
        grammar.refuse_literal(key, ("number", "boolean", "list", "hash"), "a text")
        if not grammar.accept(":"):
            grammar.expect(",")
        members.append((key, grammar.expression()))
    return HashLiteral(grammar.span(start), tuple(members))


def _special(grammar: Grammar, start: int) -> Node:
    name = grammar.name()
    if name == "now":
        return Now(grammar.span(start))
    if snake(name) in _SPECIALS:
        raise grammar.error(start, f".{name} is not supported; only .now is", "unsupported")
    raise grammar.error(start, f".{name} is no special variable")


_OPENED: dict[str, Callable[[Grammar, int], Node]] = {"(": _paren, "[": _list, "{": _hash, ".": _special}
# The signs that an expression may begin with, beside those before a value.
OPENING = frozenset(_OPENED)
