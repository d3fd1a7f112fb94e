"""Whatever an event is, planning goes on: rows or remarks, never an exception."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candu_source.destinations.warehouse.casting import cast
from candu_source.destinations.warehouse.dialects import Warehouse
from candu_source.destinations.warehouse.flattening import Flattener
from candu_source.destinations.warehouse.plan import MENDED, TOO_DEEP, UNREADABLE
from candu_source.destinations.warehouse.remarks import MORE, MOST
from candu_source.destinations.warehouse.tables import Column, Load, Type
from candu_source.destinations.warehouse.values import json_text
from tests.warehouse.planning import NAME_BYTES, identify, planned, rows, said, track

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["", "a_b", "aB", "user", "id", "2026-01-01", "\0", "\ud800", "x" * 1_100, '"; DROP TABLE tracks; --']
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**70, -(2**63), -0.0, 1e300, 10**400])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=6),
    max_leaves=12,
)
WORDS = (
    "context",
    "properties",
    "traits",
    "userId",
    "anonymousId",
    "event",
    "name",
    "category",
    "groupId",
    "previousId",
    "timestamp",
    "sentAt",
)
CALLS = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "screen", "page", "identify", "group", "alias"]), "messageId": st.sampled_from(["m1", "m2", "m3"])},
    optional=dict.fromkeys(WORDS, JSON),
)
COLUMNS = st.builds(
    Column,
    st.none() | st.sampled_from(Type),
    characters=st.none() | st.integers(1, 5),
    bits=st.sampled_from([8, 32, 64]),
    largest=st.none() | st.just(99.5),
)
CATALOGS = st.dictionaries(
    st.sampled_from(["tracks", "users", "screens", "a_b"]),
    st.dictionaries(st.sampled_from(["id", "received_at", "uuid_ts", "user_id", "a_b", "timestamp"]), COLUMNS),
)
_PYTHON = {Type.STRING: str, Type.INTEGER: int, Type.FLOAT: float, Type.BOOLEAN: bool}


def _lawful(load: Load, catalog: dict[str, dict[str, Column]]) -> None:
    """Check what every dialect relies on."""
    for each in load.tables:
        known = catalog.get(each.table, {})
        assert each.columns[0] == "id"
        assert each.new == (each.table not in catalog)
        assert not set(each.added) & set(known)
        assert set(each.columns) <= set(each.added) | set(known)
        assert len({row[0] for row in each.rows}) == len(each.rows) > 0
        assert not any(row[0] is None for row in each.rows)
        for place, name in enumerate(each.columns):
            column = known.get(name) or Column(each.added[name])
            assert len(name.encode()) <= NAME_BYTES
            assert column.type is not None
            assert any(row[place] is not None for row in each.rows)
            for row in each.rows:
                assert row[place] is None or cast(column, row[place]) == (row[place], "")
                assert row[place] is None or column.type is Type.TIMESTAMP or type(row[place]) is _PYTHON[column.type]
                assert "\0" not in str(row[place])


@given(st.lists(CALLS | JSON, max_size=6), CATALOGS)
@settings(max_examples=60, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
def test_any_json(messages: list[Any], catalog: dict[str, dict[str, Column]]) -> None:
    """Any JSON gives rows that every dialect can load, or remarks."""
    _lawful(planned(*(json.dumps(message).encode() for message in messages), catalog=catalog), catalog)


@given(st.lists(st.binary(max_size=60), max_size=3))
@settings(max_examples=50, deadline=None, print_blob=True)
def test_any_bytes(messages: list[bytes]) -> None:
    """Bytes that are no JSON are remarked, one by one."""
    load = planned(*messages)
    assert (load.tables, sum(remark.times for remark in load.remarks)) == ([], len(messages))


@given(st.dictionaries(TEXTS, JSON, max_size=6))
@settings(max_examples=40, deadline=None, print_blob=True)
def test_contexts_are_read_alike(context: dict[str, Any]) -> None:
    """A context that was seen before, and one that was not, are flattened as any object is."""
    raw = json.dumps(context).encode()
    flattener = Flattener()
    try:
        first = flattener.contexts[raw]
    except (msgspec.MsgspecError, ValueError):
        return
    shape, values = flattener.bodies[b'{"context":%b}' % raw]
    assert first == flattener.contexts[raw] == (shape, values)
    assert list(zip(shape.names, values, strict=True)) == _flat("context", msgspec.json.decode(raw))


def _flat(name: str, value: Any) -> list[tuple[str, Any]]:
    """Flatten as the rule is written."""
    if isinstance(value, dict):
        return [leaf for below, inner in value.items() for leaf in _flat(f"{name}_{below}", inner)]
    return [(name, json_text(value) if isinstance(value, list) else value)]


def _nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("message", "row", "remark"),
    [
        (b'{"a":"x\\u0000y","b\\u0000":1}', {"a": "xy", "b": 1}, MENDED),
        (b'{"a":"x\\ud800y"}', {"a": "xy"}, MENDED),
        (b'{"a":"x\xffy"}', {"a": "x\ufffdy"}, MENDED),
        (b'{"a":1e400,"b":-1e400,"c":NaN,"d":%b}' % (b"9" * 5_000), {}, MENDED),
        (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}, ""),
        (b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}, ""),
        (b'{"a":1180591620717411303424}', {"a": float(2**70)}, ""),
        (b'{"a":-0.0,"b":2.0}', {"a": 0, "b": 2}, ""),
        (b'{"a":"%b"}' % (b"x" * 2**20), {"a": "x" * 2**20}, ""),
        (b'{"x\\"; DROP TABLE tracks; --":1}', {"x_drop_table_tracks": 1}, ""),
        (_nested(200), {"a" + "_a" * 31: 1}, ""),
        (b"[1]", {}, ""),
    ],
)
@pytest.mark.parametrize("place", ["properties", "context"])
def test_hostile_values(message: bytes, row: dict[str, Any], remark: str, place: str) -> None:
    """Values that warehouses or JSON do not know are made harmless, in properties and in contexts."""
    load = planned(b'{"type":"track","event":"e","messageId":"m","%b":%b}' % (place.encode(), message))
    prefix = "context_" if place == "context" else ""
    wanted = {f"{prefix}{name}"[:NAME_BYTES]: cell for name, cell in row.items()}
    (got,) = rows(load, "e")
    assert {name: cell for name, cell in got.items() if name.startswith(prefix) and name[len(prefix) :][:1] in {"a", "b", "x"}} == wanted
    assert {what for *_, what, _ in said(load) if what == MENDED} == ({remark} if remark else set())


@pytest.mark.parametrize(
    ("message", "remark"),
    [
        (b"", UNREADABLE),
        (b"[]", UNREADABLE),
        (b'{"type":"track"', UNREADABLE),
        (b'{"type":"screen","messageId":"m","properties":%b}' % _nested(100_000), TOO_DEEP),
        (b'{"type":"screen","messageId":"m","context":%b}' % _nested(100_000), TOO_DEEP),
        (b'{"type":"screen","messageId":"m","properties":{"a":%b}}' % (b"[" * 50_000 + b"]" * 50_000), TOO_DEEP),
    ],
)
def test_what_cannot_be_read(message: bytes, remark: str) -> None:
    """It is left out with a remark, its neighbours are loaded."""
    load = planned(message, track({"a": 1}))
    assert said(load) == [("", "", remark, 1)]
    assert len(rows(load, "e")) == 1


def test_hostile_events_are_loaded(warehouse: Warehouse) -> None:
    """What is planned of hostile events goes into every warehouse, twice the same."""
    names = ['"; DROP TABLE tracks; --', "a\0b", "user", "ctid", "é", "k" * 10_000, "x'y", "%s", "?", "{}"]
    values = [
        "",
        "\\",
        "a\tb\nc",
        '"',
        "x" * 2**20,
        "😀",
        2**63 - 1,
        2**70,
        1e-300,
        1.7e308,
        True,
        "2026-01-01T00:00:00Z",
        "0001-01-01",
        ["\0"],
        {"a": {}},
    ]
    calls = [
        track(dict.fromkeys(names, value), messageId=f"m{place}'\"\\", event=names[place % len(names)], userId="€" * 700)
        for place, value in enumerate(values)
    ]
    wide = {f"p{number}": "€" * 60 for number in range(10_000)}
    calls += [
        track(wide, messageId="w"),
        identify(wide, userId="u'\0"),
        identify(dict.fromkeys(names, "x"), messageId="n", userId="u'"),
    ]
    messages = [json.dumps(call).encode() for call in calls]
    with warehouse.open("hostile") as dialect:
        for new in (True, False):
            load = planned(*messages, catalog=dialect.catalog("hostile"))
            with dialect.transaction():
                brought = {each.table: dialect.put("hostile", each) for each in load.tables}
            assert brought == {each.table: len(each.rows) if new else 0 for each in load.tables}
        assert dialect.run("SELECT count(*) FROM hostile.tracks") == [(len(values) + 1,)]
        assert dialect.run("SELECT count(*) FROM hostile.users") == [(1,)]


def test_remarks_are_bounded() -> None:
    """However many different things are to be said, a batch says some hundreds, and counts the others."""
    calls = [track({f"p{part}x{number}": "x" for number in range(100)}, messageId=str(part)) for part in range(9)]
    catalog = {
        "e": {"id": Column(Type.STRING), **{f"p{part}x{number}": Column(Type.INTEGER) for part in range(9) for number in range(100)}}
    }
    load = planned(*calls, catalog=catalog)
    assert len(load.remarks) == MOST + 1
    assert load.remarks[-1][:4] == ("", "", MORE, 900 - MOST)
