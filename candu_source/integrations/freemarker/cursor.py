"""Go over the tokens of a tag or interpolation."""

from __future__ import annotations

from collections.abc import Callable

from candu_source.integrations.freemarker.faults import Span, TemplateError
from candu_source.integrations.freemarker.tokens import END, Token

_RESERVED = frozenset({"as", "in", "using", "true", "false"})
_SHOWN = 60


class Cursor:
    """Hold tokens and which of them is next; `spot` gives the line and column of an offset."""

    def __init__(self, source: str, tokens: list[Token], spot: Callable[[int], tuple[int, int]]) -> None:
        self._source = source
        self._tokens = tokens
        self._place = 0
        self._spot = spot

    @property
    def token(self) -> Token:
        """Return the token that is next."""
        return self._tokens[self._place]

    def following(self, ahead: int = 1) -> Token:
        """Return a token further on; the last one when there are no more."""
        return self._tokens[min(self._place + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and go on."""
        token = self.token
        if token.kind not in {END, "nothing"}:
            self._place += 1
        return token

    def accept(self, sign: str) -> bool:
        """Go over the next token if it is that sign."""
        if self.token.sign == sign and self.token.kind != END:
            self._place += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        """Go over the next token, which has to be that sign."""
        if not self.accept(sign):
            raise self.unexpected(f"{sign!r}")

    def name(self) -> str:
        """Go over the next token, which has to be a name."""
        token = self.token
        if token.kind != "name" or token.text in _RESERVED:
            raise self.unexpected("a name")
        self._place += 1
        return token.text.replace("\\", "")

    def end(self, *, closed: bool = False) -> int:
        """Return where the tag ends; `closed` lets it end by />."""
        if self.token.kind != END or (self.token.text == "/>" and not closed):
            raise self.unexpected("an operator or the end of the tag")
        return self.token.after

    def unexpected(self, wanted: str) -> TemplateError:
        """Return the error of a token that does not fit."""
        token = self.token
        if token.kind == "nothing":
            return self.error(token.at, f"the template ends here, but {wanted} is missing")
        if token.kind == "misplaced":
            return self.error(token.at, f"{token.text} does not stand within a tag or another ${{…}}; write the name alone")
        return self.error(token.at, f"{token.text!r} stands where {wanted} is needed")

    def error(self, at: int, message: str, kind: str = "parse") -> TemplateError:
        """Return an error at an offset."""
        line, column = self._spot(at)
        return TemplateError("unsupported" if kind == "unsupported" else "parse", line, column, message)

    def too_deep(self, at: int, message: str) -> TemplateError:
        """Return the error of a limit of nesting."""
        return TemplateError("runtime", *self._spot(at), message, limit=True)

    def span(self, start: int) -> Span:
        """Return the span from an offset to the last token read."""
        end = self._tokens[self._place - 1].after if self._place else start
        words = self._source[start:end]
        return Span(*self._spot(start), words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…")
