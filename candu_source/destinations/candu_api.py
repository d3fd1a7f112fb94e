"""Say where Candu's REST API is and how it is shown a key (seed: Candu, "Get Data into Candu via the REST API")."""

from __future__ import annotations

from base64 import b64encode
from enum import StrEnum
from urllib.parse import urlsplit

from candu_source import __version__
from candu_source.errors import UsageError
from candu_source.model import Secret

ADDRESS = "https://api.candu.ai"
EVENTS_PATH = "/api/eventWebhook"
CONTENTS_PATH = "/api/contentMetadata"
USER_AGENT = f"candu-source/{__version__}"


class Dialect(StrEnum):
    """Name the ways in which programs show Candu a key: its own page has the first, others are seen to use the second and third."""

    BEARER = "bearer"
    BASIC_COLON = "basic-colon"
    BASIC = "basic"


def authorization(key: Secret, dialect: Dialect) -> str:
    """Return the value of the Authorization header; raise UsageError for a key that is none."""
    text = key.reveal()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError("the API key is one word without blanks; copy it from the settings of the Candu workspace")
    match dialect:
        case Dialect.BEARER:
            return f"Bearer {text}"
        case Dialect.BASIC_COLON:
            return f"Basic {b64encode(f'{text}:'.encode()).decode()}"
        case Dialect.BASIC:
            return f"Basic {b64encode(text.encode()).decode()}"


def address(base: str, path: str) -> str:
    """Return the address of a path below a base address; raise UsageError for a base that is none."""
    try:
        parts = urlsplit(base)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in base or set(base) & set("?# ") or not base.isascii() or not base.isprintable():
        raise UsageError(f"{base[:200]!r} is no base address; write it as {ADDRESS}, without user, query or blanks")
    return base.rstrip("/") + path
