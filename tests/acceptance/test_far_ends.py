"""Whatever a destination answers, and whatever address a customer gave, concerns that customer's lane alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from candu_source.twin import Twin
from tests.acceptance.hands import connect, pause
from tests.acceptance.load import interaction
from tests.acceptance.oddities import Answer, always, far_end
from tests.acceptance.proof import rows
from tests.acceptance.service import Door, Service
from tests.acceptance.waiting import until

_ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "deep JSON": always("500 Odd", b"[" * 200_000),
        "a list": always("500 Odd", b"[1]"),
        "null words": always("500 Odd", b'{"code": null, "message": null}'),
        "half a surrogate pair": always("500 Odd", b'{"code": "odd", "message": "\\ud800"}'),
        "a NUL": always("500 Odd", b'{"code": "odd", "message": "\\u0000"}'),
        "a number without end": always("500 Odd", b'{"code": ' + b"1" * 5_000 + b"}"),
        "gzip that is none": always("500 Odd", b"plain", "Content-Encoding: gzip"),
        "a charset nobody knows": always("500 Odd", b"\xff\xfe\x00\xd8", "Content-Type: text/plain; charset=odd"),
        "a wait without end": always("429 Odd", b"{}", f"Retry-After: {'9' * 400}"),
        "a wait until never": always("429 Odd", b"{}", "Retry-After: Mon, 99 Odd 99999 99:99:99 GMT"),
        "a redirect to nowhere": always("302 Odd", b"", "Location: http://[::odd/"),
        "a status nobody knows": always("999 Odd", b"{}"),
        "no HTTP": lambda _: b"\x00\x01\x02\r\n\r\n",
        "nothing": lambda _: b"",
    }
)
_ADDRESSES = (
    "http://api..segment.io",
    f"http://{'a' * 70}.example.com",
    "http://127.0.0.1:99999",
    "http://*.example.com",
    "http://[fe80::1]",
)

River = tuple[Service, Twin, Door]


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """Run one service and one twin for the whole file, with a customer whose far end is well."""
    with Twin() as twin, Service(tmp_path_factory.mktemp("odd")) as service:
        service.serve()
        (good,) = connect(service, {"well": twin.url})
        yield service, twin, good


@pytest.mark.parametrize("name", _ANSWERS)
def test_an_odd_answer_concerns_its_own_lane(river: River, name: str) -> None:
    with far_end(_ANSWERS[name]) as host:
        _send_beside(river, name, host)


@pytest.mark.parametrize("host", _ADDRESSES)
def test_an_odd_address_concerns_its_own_lane(river: River, host: str) -> None:
    _send_beside(river, host, host)


def _send_beside(river: River, name: str, host: str) -> None:
    """Send to an odd far end and to the twin: the odd lane has tried, the other has delivered, and no process has ended."""
    service, twin, good = river
    ends = len(list(service.facts("process.ended")))
    (odd,) = connect(service, {name: host})
    assert odd.post(interaction("odd")).status_code == 202
    until(lambda: _tries(service, odd) or len(list(service.facts("process.ended"))) > ends, "the odd lane to try")
    assert good.post(interaction(name[:60])).status_code == 202
    until(lambda: door_has(twin, good, name[:60]) or len(list(service.facts("process.ended"))) > ends, "the other lane to deliver")
    pause(service, odd)
    assert len(list(service.facts("process.ended"))) == ends, "the worker ended"
    assert _tries(service, odd)


def door_has(twin: Twin, door: Door, sender_id: str) -> bool:
    """Tell whether an event has arrived."""
    return door.message_ids({sender_id}) <= set(twin.ids(door.name))


def _tries(service: Service, door: Door) -> list[Any]:
    return rows(service, "SELECT outcome FROM attempts WHERE connection = ?", door.id)
