"""Post one request of a sync and say what came back: no redirect, nothing private, nothing kept of a far end but a masked sample."""

from __future__ import annotations

import contextlib
import time
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from candu_source.deliveries import Outcome
from candu_source.destinations.egress import PrivateAddress, causes, guard
from candu_source.destinations.masking import Masked
from candu_source.errors import Reason
from candu_source.integrations.rendering import Rendered
from candu_source.retry import classify, retry_after_seconds

# What is read of an answer: more is not worth keeping the connection for.
_ANSWER_BYTES = 64 * 2**10


class Posted(NamedTuple):
    """Hold what one request met, the beginning of the answer's body, masked, and the seconds it took."""

    outcome: Outcome
    answer: str
    seconds: float


class Poster:
    """Send requests for many customers: connections are kept, cookies and redirects are not followed."""

    def __init__(self, *, senders: int, timeout_seconds: float, allow_private: bool) -> None:
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        guard(self._session, senders=senders, allow_private=allow_private)

    def post(self, request: Rendered, masked: Masked) -> Posted:
        """Send a request once, its bytes as they were rendered; every answer and network error becomes an Outcome, `masked`."""
        began = time.perf_counter()
        outcome, answer = self._try(request, masked)
        return Posted(outcome, answer, time.perf_counter() - began)

    def _try(self, request: Rendered, masked: Masked) -> tuple[Outcome, str]:
        try:
            answer = self._session.request(
                request.method,
                request.url,
                data=request.body.encode(),
                headers=dict(request.headers),
                timeout=self._timeout_seconds,
                stream=True,
            )
        except requests.TooManyRedirects as error:
            return Outcome(Reason.ENDPOINT_WRONG, _status(error), "it redirects; redirects are not followed"), ""
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _network(error, masked.text(_host(request.url))), ""
        with answer:
            said = masked.sample(_beginning(answer))
        return _outcome(answer, said, masked, request), said


def _status(error: requests.RequestException) -> int | None:
    return None if error.response is None else error.response.status_code


def _outcome(answer: requests.Response, said: str, masked: Masked, request: Rendered) -> Outcome:
    code = classify(answer.status_code, "")
    if code is Reason.ACCEPTED:
        return Outcome(code, answer.status_code)
    detail = f"answered: {said or 'nothing'}; sent: {masked.sample(request.body.encode())}"
    return Outcome(code, answer.status_code, detail, retry_after_seconds(answer.headers, time.time()))


def _network(error: Exception, host: str) -> Outcome:
    known = list(causes(error))
    private = next((each for each in known if isinstance(each, PrivateAddress)), None)
    if private is not None:
        return Outcome(Reason.ADDRESS_REFUSED, detail=f"{host}: {private}")
    if isinstance(error, requests.Timeout):
        return Outcome(Reason.TIMEOUT, detail=f"{host} said nothing in time")
    if isinstance(error, ValueError) and not isinstance(error, requests.ConnectionError):
        return Outcome(Reason.ENDPOINT_WRONG, detail=f"{host} is not an address")
    return Outcome(Reason.NETWORK, detail=f"{host}: {type(known[-1]).__name__}")


def _beginning(answer: requests.Response) -> bytes:
    """Read at most so much of an answer, as far as it comes; what is cut short costs the connection and no more: the status is known."""
    body = bytearray()
    with contextlib.suppress(HTTPError, OSError, HTTPException):
        while len(body) < _ANSWER_BYTES and (piece := answer.raw.read1(_ANSWER_BYTES, decode_content=False)):
            body += piece
    return bytes(body)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
