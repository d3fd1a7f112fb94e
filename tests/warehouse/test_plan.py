"""What a batch of events brings to a warehouse: rules that the shared cases do not settle, choices, guards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from candu_source.destinations.warehouse.casting import CUT, NOT
from candu_source.destinations.warehouse.filling import BAD_ID, MANY_COLUMNS, MOST_CELLS
from candu_source.destinations.warehouse.layout import NAMELESS, OWN_NAME, SAME_COLUMN, shortened
from candu_source.destinations.warehouse.plan import MANY_CELLS, MANY_TABLES, NO_ID, NO_KIND
from candu_source.destinations.warehouse.tables import Column, Type
from tests.warehouse.planning import NOW, RECEIVED, SENT, added, identify, planned, rows, said, track

TEXT, WHOLE, TIME = Column(Type.STRING), Column(Type.INTEGER), Column(Type.TIMESTAMP)
KNOWN = {"id": TEXT, "received_at": TIME, "uuid_ts": TIME}


def test_times_by_our_clock() -> None:
    """What we accepted and delivered is of one clock: nothing is corrected, `uuid_ts` is the time of the plan."""
    (row,) = rows(planned(track({}, timestamp="2026-11-01T09:59:00+00:00")), "tracks")
    at = datetime.fromisoformat("2026-11-01T09:59:00Z")
    assert (row["original_timestamp"], row["timestamp"]) == (at, at)
    assert (row["received_at"], row["sent_at"], row["uuid_ts"]) == (RECEIVED, SENT, NOW)


@pytest.mark.parametrize(
    ("words", "timestamp", "sent_at"),
    [
        ({}, "2026-11-01T10:00:01Z", SENT),
        ({"timestamp": "2026-11-01T09:00:00Z", "sentAt": "2026-11-01T09:00:02Z"}, "2026-11-01T09:59:59Z", "2026-11-01T09:00:02Z"),
        ({"timestamp": "2026-11-01T09:00:00Z", "sentAt": "soon"}, "2026-11-01T09:00:00Z", "soon"),
        ({"timestamp": "soon", "sentAt": "2026-11-01T09:00:02Z"}, "2026-11-01T10:00:01Z", "2026-11-01T09:00:02Z"),
        ({"timestamp": "9999-12-31", "sentAt": "0001-01-01"}, "9999-12-31T00:00:00Z", "0001-01-01"),
        ({"timestamp": "2026-11-01T09:30:00Z", "originalTimestamp": "2026-11-01T09:00:00Z"}, "2026-11-01T09:00:00Z", SENT),
        ({"timestamp": 5, "receivedAt": "2026-11-01T08:00:00Z"}, "2026-11-01T08:00:00Z", SENT),
    ],
)
def test_times_of_a_sender(words: dict[str, Any], timestamp: str, sent_at: Any) -> None:
    """A message's own `sentAt` puts its clock right; what is no time leaves `received_at`."""
    (row,) = rows(planned(track({}, **words)), "tracks")
    assert row["timestamp"] == datetime.fromisoformat(timestamp)
    wanted = sent_at
    if isinstance(sent_at, str) and sent_at[0].isdigit():
        wanted = datetime.fromisoformat(sent_at if "T" in sent_at else f"{sent_at}T00:00:00Z")
    assert row["sent_at"] == wanted


def test_candu_types_are_declared() -> None:
    """The five Candu properties have their types from the first row, in their two tables only."""
    properties = {"tutorialId": "12", "portalId": "x", "segmentId": 7, "versionId": "2026-01-01", "eventName": True}
    load = planned(track(properties, event="tutorial.interaction"), track(properties, messageId="m2"))
    declared = added(load, "tutorial_interaction")
    assert declared["tutorial_id"] is Type.INTEGER
    assert {declared[name] for name in ("segment_id", "version_id", "event_name")} == {Type.STRING}
    assert "portal_id" not in declared
    assert rows(load, "tutorial_interaction")[0]["version_id"] == "2026-01-01"
    assert [added(load, "e")[name] for name in ("tutorial_id", "segment_id", "version_id")] == [Type.STRING, Type.INTEGER, Type.TIMESTAMP]
    assert said(load) == [("tutorial_interaction", "portal_id", NOT[Type.INTEGER], 1)]
    view = planned(
        {"type": "screen", "messageId": "m", "name": "tutorial.view", "properties": {"tutorialId": "12", "versionId": "2026-01-01"}}
    )
    assert [added(view, "screens")[name] for name in ("tutorial_id", "version_id")] == [Type.INTEGER, Type.STRING]


def test_names_of_people_are_text() -> None:
    """Ids and names of calls are text, whatever they look like."""
    load = planned(
        {"type": "screen", "messageId": 5, "userId": 7, "anonymousId": "2026-01-01", "name": "2026-01-01", "category": 1},
        {"type": "group", "messageId": "g", "groupId": 3, "userId": "u", "traits": {"name": 4}},
        {"type": "alias", "messageId": "a", "userId": "u", "previousId": 9},
    )
    assert {name: rows(load, "screens")[0][name] for name in ("id", "user_id", "anonymous_id", "name", "category")} == {
        "id": "5",
        "user_id": "7",
        "anonymous_id": "2026-01-01",
        "name": "2026-01-01",
        "category": "1",
    }
    assert added(load, "accounts")["name"] is Type.INTEGER
    assert [(row["id"], row.get("user_id")) for row in rows(load, "accounts")] == [("3", "u")]
    assert rows(load, "aliases")[0]["previous_id"] == "9"


def test_states_are_folded() -> None:
    """A user is one row: the latest word by `received_at`, what is not said or does not fit stays; an identify without user makes none."""
    late = (RECEIVED + timedelta(hours=1)).isoformat()
    load = planned(
        identify({"plan": "pro", "age": 7, "seen": 1}, messageId="m1", receivedAt=late),
        identify({"plan": "free", "age": 6, "city": "Ulm"}, messageId="m2"),
        identify({"plan": None, "age": "old"}, messageId="m3", receivedAt=late),
        {"type": "identify", "messageId": "m4", "anonymousId": "a", "traits": {"plan": "none"}},
        catalog={"users": KNOWN | {"age": WHOLE}},
    )
    (user,) = rows(load, "users")
    assert {name: user[name] for name in ("id", "plan", "age", "seen", "city")} == {
        "id": "u1",
        "plan": "pro",
        "age": 7,
        "seen": 1,
        "city": "Ulm",
    }
    assert user["received_at"] == datetime.fromisoformat(late)
    assert len(rows(load, "identifies")) == 4
    assert [each.fold for each in load.tables] == [False, True]


def test_columns_in_order() -> None:
    """`id`, `received_at`, `uuid_ts`, then by name; of a table that is there only what it lacks is added."""
    load = planned(track({"b": 1, "a": 2, "c": None}), catalog={"e": KNOWN | {"b": WHOLE}})
    tracks, event = load.tables[1], load.tables[0]
    assert tracks.columns[:3] == event.columns[:3] == ("id", "received_at", "uuid_ts")
    assert list(tracks.columns[3:]) == sorted(tracks.columns[3:])
    assert (tracks.new, event.new) == (True, False)
    assert [name for name in event.added if len(name) == 1] == ["a"]
    assert "b" in event.columns
    assert "c" not in event.columns


def test_ids_count_once_for_each_table() -> None:
    """The first of two calls with one id stays in a table, the second still goes to tables that do not have it."""
    load = planned(track({"n": 1}), track({"n": 2}), track({"n": 3}, event="f"), {"type": "screen", "messageId": "m1"})
    assert [row["n"] for row in rows(load, "e")] == [1]
    assert [row["n"] for row in rows(load, "f")] == [3]
    assert [row["event"] for row in rows(load, "tracks")] == ["e"]
    assert len(rows(load, "screens")) == 1
    load = planned(track({"n": 1}, messageId="other"), track({"n": "first"}), track({"n": 2}))
    assert sorted(str(row["n"]) for row in rows(load, "e")) == ["1", "first"]


@pytest.mark.parametrize("identifier", ["x" * 1_025, "€" * 900])
def test_long_ids_are_left_out(identifier: str) -> None:
    """A row whose id does not fit is left out and remarked, also a user's; ids are never cut."""
    load = planned(identify({}, messageId=identifier), identify({}, userId=identifier), identify({}, messageId="x" * 1_024, userId="u2"))
    assert [row["id"] for row in rows(load, "identifies")] == ["m1", "x" * 1_024]
    assert [row["id"] for row in rows(load, "users")] == ["u1", "u2"]
    assert said(load) == [("identifies", "id", BAD_ID, 1), ("users", "id", BAD_ID, 1)]


def test_a_retyped_id() -> None:
    """Ids that become one in a column of another type stay unique."""
    load = planned(
        track({}, messageId="1"), track({}, messageId="1.0"), track({}, messageId="m"), catalog={"tracks": KNOWN | {"id": WHOLE}}
    )
    assert [row["id"] for row in rows(load, "tracks")] == [1]
    assert planned(track({}), catalog={"tracks": KNOWN | {"id": Column(None)}}, only=["tracks"]).tables == []


def test_columns_of_a_user() -> None:
    """Bounds and types that a user gave a column are kept; what it cannot take is dropped with a remark."""
    catalog = {"e": KNOWN | {"a": TEXT._replace(characters=2), "b": WHOLE._replace(bits=32), "c": Column(None, "json")}}
    load = planned(track({"a": "abc", "b": 2**31, "c": {}, "d": 1}), track({"a": "ab", "c": 1}, messageId="m2"), catalog=catalog)
    assert [row.get("a") for row in rows(load, "e")] == ["ab", "ab"]
    assert not {"b", "c"} & set(load.tables[0].columns)
    assert [(column, times) for _, column, _, times in said(load)] == [("a", 1), ("b", 1), ("c", 1)]


def test_names_that_meet() -> None:
    """What loses its column is remarked: names of Segment's own, two names with one column, names without letters, names that are cut."""
    load = planned(
        {
            "type": "screen",
            "messageId": "m",
            "name": "n",
            "context": {"a": 1},
            "properties": {"name": "x", "userId": "y", "context_a": 2, "aB": 1, "a_b": 2, "é": 3, "k" * 80: 4, "uuid": 5, "category": "c"},
        }
    )
    (row,) = rows(load, "screens")
    assert {name: row[name] for name in ("name", "context_a", "a_b", "_uuid", "k" * 63, "category")} == {
        "name": "n",
        "context_a": 1,
        "a_b": 2,
        "_uuid": 5,
        "k" * 63: 4,
        "category": "c",
    }
    assert "user_id" not in row
    assert sorted(said(load)) == [
        ("screens", "", NAMELESS, 1),
        ("screens", "a_b", SAME_COLUMN, 1),
        ("screens", "context_a", OWN_NAME, 1),
        ("screens", "k" * 63, shortened(63), 1),
        ("screens", "name", OWN_NAME, 1),
        ("screens", "user_id", OWN_NAME, 1),
    ]


def test_long_names_share_a_table_with_a_remark() -> None:
    """Events whose names begin alike may share a table, which is said; a digit's `_` counts as well."""
    load = planned(track({"1" * 63: 1}, event="x" * 70), track({"1" * 62: 1}, event="x" * 71, messageId="m2"))
    assert len(rows(load, "x" * 63)) == 2
    assert [row["event_text"] for row in rows(load, "tracks")] == ["x" * 70, "x" * 71]
    assert said(load) == [("x" * 63, "", shortened(63), 2), ("x" * 63, "_" + "1" * 62, shortened(63), 1)]


def test_a_null_does_not_take_a_column() -> None:
    """Of two names with one column the one that says something counts."""
    (row,) = rows(planned(track({"a_b": 1, "aB": None, "a": {"b": None}})), "e")
    assert row["a_b"] == 1


@pytest.mark.parametrize(
    ("choice", "messages", "table", "plain", "chosen"),
    [
        ({"reserved_words": ["plan"]}, [track({"plan": 1})], "e", {"plan": 1}, {"_plan": 1}),
        ({"truncate_text": 3}, [track({"a": "abcd"}, messageId="m123")], "e", {"a": "abcd", "id": "m123"}, {"a": "abc", "id": "m123"}),
        ({"collision": "prefix"}, [track({"event": "x"})], "e", {"event": "e"}, {"event": "e", "_event": "x"}),
        ({"same_column": "earlier"}, [track({"aB": 1, "a_b": 2})], "e", {"a_b": 2}, {"a_b": 1}),
        ({"event_value": "table"}, [track({}, event="2FA")], "_2fa", {"event": "2fa"}, {"event": "_2fa"}),
        ({"new_column": "oldest"}, [track({"a": 1}), track({"a": "2"}, messageId="m2")], "e", {"a": "1"}, {"a": 1}),
        (
            {"sent_at": "corrected"},
            [track({}, sentAt="2026-11-01T09:00:00Z")],
            "e",
            {"sent_at": datetime.fromisoformat("2026-11-01T09:00:00Z")},
            {"sent_at": RECEIVED},
        ),
    ],
)
def test_choices(choice: dict[str, Any], messages: list[Any], table: str, plain: dict[str, Any], chosen: dict[str, Any]) -> None:
    """Each choice makes its difference, and none without it."""
    for row, wanted, other in (
        (rows(planned(*messages), table)[0], plain, chosen),
        (rows(planned(*messages, **choice), table)[0], chosen, plain),
    ):
        assert {name: row.get(name) for name in wanted} == wanted
        assert not (other.keys() - wanted.keys()) & row.keys()


def test_events_like_tables() -> None:
    """An event named like a table of Segment's own has its own table with `_`, or none by choice."""
    assert {each.table for each in planned(track({}, event="Users")).tables} == {"_users", "tracks"}
    assert {each.table for each in planned(track({}, event="Users"), built_in="tracks").tables} == {"tracks"}
    assert [row["event"] for row in rows(planned(track({}, event="Order")), "_order")] == ["order"]


def test_text_that_is_cut_is_remarked() -> None:
    """Cutting by choice is no secret."""
    assert ("e", "a", CUT, 1) in said(planned(track({"a": "abcd"}), truncate_text=3))


def test_guard_on_columns() -> None:
    """Beyond the columns of a table, and the cells of a row, properties are dropped, never the envelope."""
    load = planned(track({f"p{number}": number for number in range(10_000)}), most_columns=60)
    assert len(added(load, "e")) == 60
    assert {"id", "received_at", "uuid_ts", "user_id", "event_text"} <= set(added(load, "e"))
    assert {(what, times) for _, _, what, times in said(load)} == {(MANY_CELLS, 10_000 + 8 - MOST_CELLS), (MANY_COLUMNS, MOST_CELLS - 60)}
    wide = [identify({f"p{number + 200 * part}": 1 for number in range(200)}, messageId=str(part)) for part in range(4)]
    load = planned(*wide)
    assert (len(added(load, "identifies")), len(added(load, "users"))) == (806, MOST_CELLS)


def test_guard_on_tables() -> None:
    """Beyond the tables of a source events stand in `tracks` alone; tables that are there go on."""
    calls = [track({}, event=f"e{number}", messageId=str(number)) for number in range(30)]
    load = planned(*calls, catalog={"e29": KNOWN}, most_tables=15)
    assert len(load.tables) == 1 + 1 + 15 - 9
    assert {"e29", "tracks"} <= {each.table for each in load.tables}
    assert len(rows(load, "tracks")) == 30
    assert {what for _, _, what, _ in said(load)} == {MANY_TABLES}


def test_only_and_selection() -> None:
    """Tables that are not asked for or turned off get nothing, columns that are turned off neither; the others are as always."""
    calls = (track({"a": 1, "b": 2}), identify({}))
    assert [each.table for each in planned(*calls, only=["e", "users"]).tables] == ["e", "users"]
    load = planned(*calls, select={"e": {"exclude": ["a", "uuid_ts", "event_text"]}, "identifies": False})
    assert [each.table for each in load.tables] == ["e", "tracks", "users"]
    assert not {"a", "uuid_ts", "event_text"} & rows(load, "e")[0].keys()
    assert rows(load, "tracks")[0]["event_text"] == "e"
    assert [each.table for each in planned(*calls, select={"e": True, "*": False}).tables] == ["e"]


@pytest.mark.parametrize(
    ("integrations", "loaded"),
    [
        (None, True),
        ({"Candu": False}, True),
        ({"All": False}, False),
        ({"All": False, "Warehouses": True}, True),
        ({"Warehouses": False}, False),
        ({"Warehouses": {"all": False}}, False),
        ({"All": False, "Warehouses": {"warehouseIds": ["w"]}}, False),
        ({"Warehouses": {"warehouseIds": ["w"]}}, True),
        ([1], True),
    ],
)
def test_integrations(integrations: Any, loaded: bool) -> None:
    """An event that asks to be kept out of warehouses is counted, and not remarked."""
    load = planned(track({}, integrations=integrations))
    assert (bool(load.tables), load.left_out, load.remarks) == (loaded, 0 if loaded else 1, [])


def test_what_cannot_be_a_row() -> None:
    """Calls of no known kind, or without an id, are remarked."""
    assert said(planned({"type": "x", "messageId": "m"}, {"messageId": "m"}, {"type": [], "messageId": "m"})) == [("", "", NO_KIND, 3)]
    assert said(planned({"type": "screen"}, {"type": "screen", "messageId": ""}, {"type": "screen", "messageId": None})) == [
        ("", "", NO_ID, 3)
    ]


def test_a_track_without_event() -> None:
    """Its row stands in `tracks`, without a name."""
    load = planned({"type": "track", "messageId": "m", "properties": {"a": 1}})
    assert [each.table for each in load.tables] == ["tracks"]
    assert "event" not in load.tables[0].columns
