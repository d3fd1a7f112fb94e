"""Say what is wrong with a template, or with its data, and where.

Five kinds: `parse` (not FreeMarker; found when compiling), `unsupported` (FreeMarker, but refused here; found when compiling
wherever it can be), `undefined` (missing or null), `runtime` (wrong type, bad number, a limit) and `stop` (`<#stop>`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from candu_source.errors import CanduSourceError

Kind = Literal["parse", "undefined", "runtime", "stop", "unsupported"]


class Span(NamedTuple):
    """Hold where something is written (line and column count from 1) and its words.

    `with span:` gives its place to a problem that leaves the block. A decorator would cost a frame, and deep templates need many.
    """

    line: int
    column: int
    words: str = ""

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Raise the problem as a TemplateError with this place."""
        if isinstance(error, Problem):
            raise error.at(self) from None


class TemplateError(CanduSourceError):
    """Tell why a template does not compile or render: kind, line, column, and a message that says what to do.

    `limit` is true when one of the limits of `limits.py` ended the work; `<#attempt>` does not catch those.
    """

    def __init__(self, kind: Kind, line: int, column: int, message: str, *, limit: bool = False) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.kind: Kind = kind
        self.line = line
        self.column = column
        self.message = message
        self.limit = limit


class Problem(Exception):  # noqa: N818 - never leaves the package: it becomes a TemplateError where the place is known
    """Carry what is wrong up to the next node that knows its place."""

    def __init__(self, kind: Kind, message: str, *, limit: bool = False) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message
        self.limit = limit

    def at(self, span: Span) -> TemplateError:
        """Return the error with its place."""
        return TemplateError(self.kind, span.line, span.column, self.message, limit=self.limit)


def wrong(message: str) -> Problem:
    """Return the problem of a value that does not fit."""
    return Problem("runtime", message)


def refused(message: str) -> Problem:
    """Return the problem of something that FreeMarker has and this subset leaves out."""
    return Problem("unsupported", message)


def exceeded(message: str) -> Problem:
    """Return the problem of a limit that was reached; `message` names the limit."""
    return Problem("runtime", message, limit=True)


def missing(span: Span) -> TemplateError:
    """Return the error of a value that is missing or null."""
    words = span.words or "this value"
    return TemplateError(
        "undefined", span.line, span.column, f"{words} is missing or null; give it a default, as in ({words})!'', or test it with ??"
    )
