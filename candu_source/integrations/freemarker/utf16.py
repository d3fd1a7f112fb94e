"""Count text as Java does: a character beyond U+FFFF is two units, a pair of surrogates."""

from __future__ import annotations

from array import array

_LAST = "\uffff"


def units(text: str) -> str:
    """Return the text with each character beyond U+FFFF as its two surrogates, so that places count as in Java."""
    if text.isascii() or max(text) <= _LAST:
        return text
    pairs = array("H", text.encode("utf-16", "surrogatepass")[2:])
    return "".join(map(chr, pairs))


def characters(text: str) -> str:
    """Return the text with pairs of surrogates as the characters that they stand for; a half of a pair stays."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def printable(text: str) -> str:
    """Return the text as Java encodes it: half of a pair of surrogates becomes a question mark."""
    if text.isascii():
        return text
    return characters(text).encode("utf-8", "replace").decode("utf-8")
