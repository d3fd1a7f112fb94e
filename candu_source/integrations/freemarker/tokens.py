"""Cut the inside of a tag or of `${…}` into tokens."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from candu_source.integrations.freemarker.faults import Problem

Inside = Literal["tag", "interpolation"]

# The name rules of the manual: letters, digits, _, $ and @, and - . : # after a backslash.
_NAME = r"(?:[^\W\d]|[$@]|\\[-.:#])(?:\w|[$@]|\\[-.:#])*"
_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment><[\#!]--.*?-->)
    | (?P<raw>r(?:"[^"]*"|'[^']*'))
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<misplaced>\$\{{|\#\{{)
    | (?P<name>{_NAME})
    | (?P<operator>
        \.\.[<!*]? | \?\?? | == | != | \+= | -= | \*= | /= | %= | \+\+ | -- | -> | -&gt; | <= | &lt;= | &gt;= | &lt; | &gt;
      | && | &amp;&amp; | \|\|? | \\(?:lte?|gte?) | [-+*/%!<>=.,;:()\[\]{{}}&]
      )
    """,
    re.VERBOSE | re.DOTALL,
)
# Words and forms for one and the same operator (the manual's "Comparison" and "Logical operations").
_SAME = {
    "=": "==", "lt": "<", "\\lt": "<", "&lt;": "<", "lte": "<=", "\\lte": "<=", "&lt;=": "<=",
    "gt": ">", "\\gt": ">", "&gt;": ">", "gte": ">=", "\\gte": ">=", "&gt;=": ">=",
    "&": "&&", "&amp;&amp;": "&&", "|": "||", "..!": "..<", "-&gt;": "->",
}  # fmt: skip
_WORDS = frozenset({"lt", "lte", "gt", "gte"})
END = "end"


class Token(NamedTuple):
    """Hold a token: `kind` is name, text, raw, number, operator or end; `text` as written, `sign` the operator it stands for."""

    kind: str
    text: str
    at: int
    sign: str = ""

    @property
    def after(self) -> int:
        """Return the offset behind the token."""
        return self.at + len(self.text)


def read_tokens(source: str, start: int, inside: Inside) -> list[Token]:
    """Return the tokens from `start` on, the last being the `>`, `/>` or `}` that ends them; raise `parse` if nothing does.

    A `>` outside of parentheses ends a tag, as in FreeMarker: `<#if n > 2>` tests `n`.
    """
    tokens: list[Token] = []
    parentheses = braces = 0
    at = start
    while token := _next(source, at, inside, parentheses):
        at = token.after
        if _ends(token, inside, parentheses, braces):
            return [*tokens, token._replace(kind=END, sign="")]
        parentheses += (token.sign == "(") - (token.sign == ")")
        braces += (token.sign == "{") - (token.sign == "}")
        if token.kind not in {"space", "comment"}:
            tokens.append(token)
    return [*tokens, Token("nothing", "", len(source))]


def _next(source: str, at: int, inside: Inside, parentheses: int) -> Token | None:
    """Return the token at an offset, None at the end of the template."""
    if at >= len(source):
        return None
    if parentheses > 0 and source.startswith(">=", at):
        return Token("operator", ">=", at, ">=")
    if parentheses == 0 and inside == "tag" and source.startswith("/>", at):
        return Token("operator", "/>", at)
    found = _TOKEN.match(source, at)
    if found is None:
        return Token("stray", source[at], at)
    kind, text = str(found.lastgroup), found.group()
    if kind == "operator" or text in _WORDS:
        return Token("operator", text, at, _SAME.get(text, text))
    return Token(kind, text, at)


def _ends(token: Token, inside: Inside, parentheses: int, braces: int) -> bool:
    """Tell whether the token ends the tag or interpolation."""
    if inside == "interpolation":
        return token.sign == "}" and braces == 0
    return parentheses == 0 and token.text in {">", "/>"}


_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "f": "\f",
    "b": "\b",
    "g": ">",
    "l": "<",
    "a": "&",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "{": "{",
    "=": "=",
}
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,4})|(.))", re.DOTALL)


def unescaped(literal: str) -> str:
    """Return the text that a quoted literal stands for; raise `parse` for an escape that FreeMarker does not know."""
    if literal.startswith("r"):
        return literal[2:-1]

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] not in _ESCAPES:
            raise Problem("parse", f"\\{found[2]} is not an escape; write \\\\ for a backslash")
        return _ESCAPES[found[2]]

    return _ESCAPE.sub(one, literal[1:-1]) if "\\" in literal else literal[1:-1]
