"""Ask Candu which contents a workspace has: GET /api/contentMetadata, a list of {name, slug}; the key is used for this and not kept."""

from __future__ import annotations

from typing import Annotated

import msgspec
import requests
from urllib3.exceptions import HTTPError

from candu_source.destinations.candu_api import CONTENTS_PATH, USER_AGENT, Dialect, address, authorization
from candu_source.destinations.egress import PrivateAddress, causes, guarded_session
from candu_source.destinations.masking import Masked
from candu_source.errors import CanduSourceError, UsageError
from candu_source.model import Content, Secret

_TIMEOUT_SECONDS = 15.0
_MOST_BYTES = 4 * 2**20

# As long as a slug and a name may be where files tell of contents; SQLite cuts text at a NUL where it shows it.
_Slug = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\x00]*\Z")]
_Name = Annotated[str, msgspec.Meta(max_length=1_000, pattern=r"^[^\x00]*\Z")]


class _Listed(msgspec.Struct):
    slug: _Slug | None
    name: _Name | None = None


_decode = msgspec.json.Decoder(list[_Listed]).decode


def fetch_contents(base: str, key: Secret, dialect: Dialect, *, allow_private: bool) -> list[Content]:
    """Return the contents that Candu lists; those without a slug are passed over, fields that are not known, too.

    Raises UsageError for an address, a key or an answer that is off, CanduSourceError for what passes by waiting.
    """
    url = address(base, CONTENTS_PATH)
    headers = {"Authorization": authorization(key, dialect), "Accept": "application/json", "Accept-Encoding": "identity"}
    status, body = _ask(url, headers | {"User-Agent": USER_AGENT}, allow_private=allow_private)
    said = Masked([key]).sample(body)
    if status != requests.codes.ok:
        raise _refusal(url, status, said)
    try:
        listed = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{url} answers no list of {{name, slug}}: {error}. It begins: {said}") from None
    return [Content(slug=each.slug, name=each.name or None) for each in listed if each.slug]


def _ask(url: str, headers: dict[str, str], *, allow_private: bool) -> tuple[int, bytes]:
    """Return status and body of an answer; no more of it is read than there is room for."""
    try:
        with (
            guarded_session(allow_private=allow_private) as session,
            session.get(url, headers=headers, timeout=_TIMEOUT_SECONDS, stream=True) as answer,
        ):
            body: bytes = answer.raw.read(_MOST_BYTES + 1, decode_content=False)
    except requests.TooManyRedirects:
        raise UsageError(f"{url} redirects, which is not followed; write where it leads to as --base") from None
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        known = list(causes(error))
        private = next((each for each in known if isinstance(each, PrivateAddress)), None)
        raise CanduSourceError(f"{url} cannot be reached: {private or type(known[-1]).__name__}") from None
    if len(body) > _MOST_BYTES:
        raise UsageError(f"{url} answers more than {_MOST_BYTES} bytes; look at --base")
    return answer.status_code, body


def _refusal(url: str, status: int, said: str) -> CanduSourceError:
    """Return the error that a status means: what the caller can mend is a UsageError."""
    quoted = f". It begins: {said}" if said else ""
    if status in (401, 403):
        return UsageError(f"{url} does not take the key ({status}); look at it, and at --dialect{quoted}")
    if status in (408, 429) or status >= 500:  # noqa: PLR2004 - the 5xx class
        return CanduSourceError(f"{url} answers {status}; try again later{quoted}")
    return UsageError(f"{url} answers {status} in place of a list of contents; look at --base{quoted}")
