"""Deliver batches to Segment's Tracking API through the official library's own request."""

from __future__ import annotations

import logging
import time
from base64 import b64encode

import requests
from segment.analytics import request as library

from candu_source.deliveries import Batch, Outcome, Target
from candu_source.destinations.egress import PrivateAddress, causes, guard
from candu_source.errors import Reason
from candu_source.retry import classify, retry_after_seconds

_DETAIL_CHARACTERS = 500
_MASK = "[write key]"


class SegmentDestination:
    """Implement ports.Destination over `segment.analytics.request.post`: its headers, its sentAt, its errors."""

    def __init__(self, *, senders: int, timeout_seconds: float, allow_private: bool) -> None:
        self._timeout_seconds = timeout_seconds
        # The library logs whole batches and keys; nothing of it goes further.
        logging.getLogger("segment").disabled = True
        self._adapter = guard(library._session, senders=senders, allow_private=allow_private)

    def deliver(self, target: Target, batch: Batch, tries: int) -> Outcome:
        """Post the batch once; `tries` goes out as X-Retry-Count. Every answer and network error becomes an Outcome."""
        key = target.write_key.reveal()
        self._adapter.carry([event.message for event in batch.events])
        try:
            answer = library.post(key, target.host, timeout=self._timeout_seconds, batch=[], retry_count=tries)
            return Outcome(Reason.ACCEPTED, answer.status_code)
        except library.APIError as error:
            return _refusal(error, key)
        except requests.TooManyRedirects:
            return Outcome(Reason.ENDPOINT_WRONG, detail=f"{target.host} redirects; redirects are not followed")
        except requests.RequestException as error:
            return _network(error, target.host)


def _refusal(error: library.APIError, key: str) -> Outcome:
    message = f"{error.code}: {error.message}".encode("utf-8", "replace").decode()
    wait = retry_after_seconds(error.response.headers, time.time())
    return Outcome(classify(error.status, message), error.status, _masked(message, key)[:_DETAIL_CHARACTERS], wait)


def _masked(message: str, key: str) -> str:
    """Take the write key out of a far end's words, plain and as the credentials that it makes."""
    return message.replace(key, _MASK).replace(b64encode(f"{key}:".encode()).decode(), _MASK)


def _network(error: requests.RequestException, host: str) -> Outcome:
    known = list(causes(error))
    private = next((cause for cause in known if isinstance(cause, PrivateAddress)), None)
    if private is not None:
        return Outcome(Reason.ADDRESS_REFUSED, detail=f"{host}: {private}")
    if isinstance(error, requests.Timeout):
        return Outcome(Reason.TIMEOUT, detail=f"{host} said nothing in time")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | requests.exceptions.InvalidSchema):
        return Outcome(Reason.ENDPOINT_WRONG, detail=f"{host} is not an address")
    return Outcome(Reason.NETWORK, detail=f"{host}: {type(known[-1]).__name__}")
