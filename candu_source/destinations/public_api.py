"""Ask Segment's Public API (docs.segmentapis.com) to make a source; the token is used for this and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
import requests
from urllib3.exceptions import HTTPError

from candu_source.connecting import Source
from candu_source.converting import converter
from candu_source.destinations.egress import guarded_session
from candu_source.errors import CanduSourceError, Conflict, UsageError
from candu_source.model import Secret

# Segment's catalogue id of the Candu source.
CANDU_SOURCE = "nmb56PunPc"
T = TypeVar("T")
_TIMEOUT_SECONDS = 15
_MOST_BYTES = 4 * 2**20
# Segment, Pagination: at most 200 a page; a workspace with more than so many pages of sources is asked no further.
_A_PAGE, _PAGES = 200, 50
_SENTENCE_CHARACTERS = 200

# Status -> (error, what happened, what to do). Segment, Error Handling: 401 is also said to a token without the permission.
_REFUSALS: Mapping[int, tuple[type[CanduSourceError], str, str]] = MappingProxyType(
    {
        401: (UsageError, "Segment does not take the token", "make a Public API token as Workspace Owner, and look at --region"),
        403: (UsageError, "the token may not do this", "make one as Workspace Owner"),
        404: (UsageError, f"the workspace's catalogue has no Candu source ({CANDU_SOURCE})", "make the source in Segment by hand"),
        409: (Conflict, "the workspace has such a source already", "--use-existing takes it, another name makes another"),
        422: (UsageError, "Segment does not take the name", "choose another"),
        429: (CanduSourceError, "Segment asks for fewer requests", "try again in a minute"),
    }
)


class _Metadata(msgspec.Struct):
    id: str = ""


class _Source(msgspec.Struct, rename="camel"):
    id: str
    slug: str
    enabled: bool = True
    write_keys: list[str] = []
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Pagination(msgspec.Struct):
    next: str | None = None


class _Sources(msgspec.Struct):
    sources: list[_Source]
    pagination: _Pagination = msgspec.field(default_factory=_Pagination)


class _Created(msgspec.Struct):
    source: _Source


_sources = converter(_Sources)
_created = converter(_Created)


class PublicApi:
    """Implement connecting.Workspace; `base_url` is that of the workspace's region."""

    def __init__(self, base_url: str, token: Secret, *, allow_private: bool) -> None:
        self._base_url = base_url
        self._token = token
        self._session = guarded_session(allow_private=allow_private)

    def find_source(self, slug: str) -> Source | None:
        """Return the source of that slug, or None; raise UsageError, or CanduSourceError for what Segment has to mend."""
        params = {"pagination[count]": str(_A_PAGE)}
        for _ in range(_PAGES):
            page = _read(self._ask("GET", "/sources", params=params), _sources)
            found = next((each for each in page.sources if each.slug == slug), None)
            if found or page.pagination.next is None:
                return _shown(found) if found else None
            params["pagination[cursor]"] = page.pagination.next
        return None

    def create_source(self, slug: str) -> Source:
        """Make a Candu source of that slug; raise Conflict when it is taken, else as `find_source` does."""
        wanted = {"slug": slug, "enabled": True, "metadataId": CANDU_SOURCE, "settings": {}}
        return _shown(_read(self._ask("POST", "/sources", json=wanted), _created).source)

    def _ask(self, method: str, path: str, **request: Any) -> bytes:
        """Return the body of a 2xx; raise for all else, without the token in any text."""
        headers = {"Authorization": f"Bearer {self._token.reveal()}", "Accept": "application/json"}
        try:
            with self._session.request(
                method, self._base_url + path, headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False, stream=True, **request
            ) as answer:
                body: bytes = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
                status, wait = answer.status_code, answer.headers.get("Retry-After", "")
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise CanduSourceError(
                f"Segment's Public API at {self._base_url} cannot be reached ({type(error).__name__}); look at the network and --region"
            ) from None
        if len(body) > _MOST_BYTES:
            raise CanduSourceError(f"Segment's Public API at {self._base_url} answers more than {_MOST_BYTES} bytes")
        if not 200 <= status < 300:  # noqa: PLR2004 - the 2xx class
            raise _refusal(status, self._said(body), wait)
        return body

    def _said(self, body: bytes) -> str:
        """Return Segment's own sentence, bounded, fit for a terminal and without the token."""
        try:
            said = str(msgspec.json.decode(body)["errors"][0]["message"])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, IndexError, TypeError):
            return ""
        said = said.replace(self._token.reveal(), "[token]")[:_SENTENCE_CHARACTERS]
        return "".join(each if each.isprintable() else " " for each in said)


def _refusal(status: int, said: str, wait: str) -> CanduSourceError:
    """Return the error that an answer means; `wait` is its Retry-After."""
    quoted = f" (Segment: {said})" if said else ""
    if status in _REFUSALS:
        kind, what, advice = _REFUSALS[status]
        return kind(f"{what}{quoted}: {advice}")
    asked = f", asking to wait {wait[:20]} s" if wait.isascii() and wait.isdigit() else ""
    return CanduSourceError(f"Segment's Public API answered {status}{asked}{quoted}: try again later")


def _read(body: bytes, convert: Callable[[object], T]) -> T:
    """Return `data` of an answer, converted; raise CanduSourceError naming what is off."""
    try:
        return convert(msgspec.json.decode(body)["data"])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError, KeyError, TypeError) as error:
        what = f"Segment's Public API answered something unknown ({type(error).__name__})"
        raise CanduSourceError(f"{what}; nothing was changed here") from None


def _shown(source: _Source) -> Source:
    return Source(source.id, source.slug, source.enabled, source.metadata.id, [Secret(key) for key in source.write_keys])
