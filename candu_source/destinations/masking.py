"""Take secrets out of what is kept of requests and answers."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from candu_source.model import Secret

MASK = "[secret]"
SAMPLE_CHARACTERS = 240
# What is looked at for a sample: blanks and what cannot be printed take up some of it.
_CONSIDERED = 4 * SAMPLE_CHARACTERS
# Less of a secret than this, in Base64, may stand anywhere by chance.
_LEAST_BASE64 = 8
_SAFE_FOR_URLS = str.maketrans("+/", "-_")


class Masked:
    """Take secrets out of text: as they are, as addresses, JSON and pages write them, and within any Base64."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        forms = {form for secret in secrets for form in _forms(secret.reveal())}
        self._forms = sorted(filter(None, forms), key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text with a mask in place of every secret."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def sample(self, raw: bytes) -> str:
        """Return the beginning of a body on one line; it is masked before it is cut, so that no part of a secret is left."""
        text = self.text(raw.decode("utf-8", "replace"))[:_CONSIDERED]
        return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:SAMPLE_CHARACTERS]


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "replace")
    yield from (secret, quote(raw), quote(raw, safe=""), quote_plus(raw), html.escape(secret))
    yield from (json.dumps(secret, ensure_ascii=plain)[1:-1] for plain in (True, False))
    yield from (b64encode(credentials).decode() for credentials in (raw, raw + b":"))
    yield from _within_base64(raw)


def _within_base64(raw: bytes) -> Iterator[str]:
    """Yield what a secret becomes in the Base64 of anything that holds it: three ways, as three bytes are four characters."""
    for before in range(3):
        whole = b64encode(bytes(before) + raw).decode().rstrip("=")
        core = whole[before + 1 if before else 0 : -1 if (before + len(raw)) % 3 else None]
        if len(core) >= _LEAST_BASE64:
            yield from (core, core.translate(_SAFE_FOR_URLS))
