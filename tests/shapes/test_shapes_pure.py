"""Shapes and how they differ: values in, values out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from candu_source.documented import DOCUMENTED, touches
from candu_source.findings import Change, Known, Shape
from candu_source.mapping import CLASSIFICATION, EXTRA_PROPERTIES
from candu_source.shapes import DEPTH, MOST_NAMES, MOST_PATHS, above, compare, event_name, nearest, shape
from tests.doors.mutations import fuzz, json_values


def known(value: Any, *optional: str) -> dict[str, Known]:
    """Take a value for what is known; some paths of it may be left out."""
    return {path: Known(types, path not in optional) for path, types in shape(value).items()}


def types(value: Any) -> dict[str, str]:
    """Return a shape with its types as text."""
    return {path: "|".join(sorted(kinds)) for path, kinds in shape(value).items()}


def test_a_shape_names_each_path_with_its_json_type() -> None:
    value = {"a": {"b": "x", "c": [1, 2.5, None]}, "d": True, "e": 12.0, "f": [{"g": 1}, {"h": 2}], "i": []}
    assert types(value) == {
        "": "object",
        "a": "object",
        "a.b": "text",
        "a.c": "list",
        "a.c[]": "integer|null|number",
        "d": "boolean",
        "e": "integer",
        "f": "list",
        "f[]": "object",
        "f[].g": "integer",
        "f[].h": "integer",
        "i": "list",
    }
    assert types("x") == {"": "text"}


def test_names_that_look_like_paths_do_not_pass_for_them() -> None:
    assert list(types({"a.b": 1, "c[]": 1, "*": 1, "": 1, "\0": 1, "\ud800": 1})) == ["", "a%2Eb", "c%5B]", "%2A", '""', "%00", "?"]


@pytest.mark.parametrize(
    ("given_value", "changes"),
    [
        ({"a": {"b": 1, "c": "x"}, "n": 1.5}, []),
        ({"a": {"b": 1, "c": "x"}, "n": 2}, []),
        ({"a": {"b": 1.0, "c": "x"}, "n": 1.5}, []),
        ({"a": {"b": 1.5, "c": "x"}, "n": 1.5}, [Change("retyped", "a.b", "number")]),
        ({"a": {"b": None, "c": "x"}, "n": 1.5}, [Change("retyped", "a.b", "null")]),
        ({"a": {"c": "x"}, "n": 1.5}, [Change("missing", "a.b", "")]),
        ({"n": 1.5}, [Change("missing", "a", "")]),
        ({"a": "x", "n": 1.5}, [Change("retyped", "a", "text")]),
        ({"a": [1], "n": 1.5}, [Change("retyped", "a", "list")]),
        ({"a": {"b": {"d": {"e": 1}}, "c": "x"}, "n": 1.5}, [Change("retyped", "a.b", "object")]),
        ({"a": {"b": 1, "c": "x"}, "n": 1.5, "d": {"e": {"f": 1}}}, [Change("new", "d", "object")]),
        ({"a": {"b": 1, "c": "x"}, "n": 1.5, "d": [1, "x"]}, [Change("new", "d", "list")]),
        ({"a": {"b": "x"}, "n": True}, [Change("retyped", "a.b", "text"), Change("retyped", "n", "boolean"), Change("missing", "a.c", "")]),
        ([], [Change("retyped", "", "list")]),
    ],
)
def test_one_change_is_one_change_and_not_one_for_each_child(given_value: Any, changes: list[Change]) -> None:
    assert compare(known({"a": {"b": 1, "c": "x"}, "n": 1.5}), shape(given_value)) == changes


def test_what_may_be_left_out_is_not_missing_and_takes_its_children_along() -> None:
    expected = known({"a": {"b": 1}, "l": [{"x": 1}]}, "a")
    assert compare(expected, shape({"l": [{"x": 1}]})) == []
    assert compare(expected, shape({"l": []})) == []
    assert compare(expected, shape({"a": {}, "l": [{}]})) == [Change("missing", "a.b", ""), Change("missing", "l[].x", "")]


def test_anything_may_stand_where_names_are_free() -> None:
    track = DOCUMENTED["rest", "track"]
    call: dict[str, Any] = {"type": "track", "userId": "u", "event": "e"}
    assert compare(track, shape(call)) == []
    assert compare(track, shape({**call, "properties": {"a": 1, "b": {"c": [1]}}})) == []
    assert compare(track, shape({**call, "properties": {str(n): n for n in range(MOST_NAMES + 1)}})) == []
    assert compare(track, shape({**call, "properties": "x", "y": 1})) == [
        Change("retyped", "properties", "text"),
        Change("new", "y", "integer"),
    ]


def test_an_object_with_very_many_names_is_one_path() -> None:
    huge = {f"n{number}": number for number in range(MOST_NAMES + 1)}
    assert types({"a": huge}) == {"": "object", "a": "object", "a.*": "any"}
    assert compare(known({"a": {"b": 1}}), shape({"a": huge})) == [Change("new", "a.*", "any")]


def test_a_shape_stays_small_whatever_comes() -> None:
    wide = {str(a): {str(b): {str(c): 1 for c in range(90)} for b in range(90)} for a in range(90)}
    assert len(shape(wide)) <= MOST_PATHS + 2 * DEPTH * MOST_NAMES
    deep: Any = 1
    for _ in range(5_000):
        deep = {"d": deep}
    assert len(shape(deep)) == DEPTH + 1
    assert max(map(len, shape({"x" * 10_000: {"y" * 10_000: 1}}))) < 200


@fuzz(300)
@given(json_values)
def test_nothing_differs_from_itself(value: Any) -> None:
    given_shape: Shape = shape(value)
    assert compare(known(value), given_shape) == []
    for path in given_shape:
        path.encode()
        assert above(path) is None or above(path) in given_shape
    json.dumps(sorted(given_shape))


@pytest.mark.parametrize(
    ("door", "value", "name"),
    [
        ("webhook", {"payload": {"eventName": "a", "screenName": "b"}}, "a"),
        ("webhook", {"payload": {"eventName": "", "screenName": "b"}}, "b"),
        ("webhook", {"payload": {"eventName": 5}}, ""),
        ("webhook", {"payload": []}, ""),
        ("webhook", [], ""),
        ("interactions", {"type": "tutorial.view"}, "tutorial.view"),
        ("browser", {"type": "candu.sdk.screen", "detail": {"screenName": "a"}}, "a"),
        ("browser", {"type": "candu.sdk.track", "detail": {"eventName": "b"}}, "b"),
        ("rest", {"type": "identify"}, "identify"),
        ("amplitude", {"event_type": "Upgraded plan"}, ""),
        ("another", {"type": "identify"}, ""),
        ("interactions", {"type": "x" * 1_000}, "x" * 200),
        ("interactions", {"type": "\ud800"}, "?"),
    ],
)
def test_an_event_is_named_where_its_door_names_it(door: str, value: Any, name: str) -> None:
    assert event_name(door, value) == name


def test_an_input_without_a_name_is_held_against_the_nearest() -> None:
    candidates = {event: paths for (door, event), paths in DOCUMENTED.items() if door == "interactions"}
    properties = {"tutorialId": 1, "segmentId": "x", "portalId": 1, "versionId": "x"}
    assert nearest(candidates, shape({"userId": "u", "properties": properties})) == "tutorial.view"
    assert nearest(candidates, shape({"userId": "u", "properties": {**properties, "eventName": "x"}})) == "tutorial.interaction"
    assert nearest({}, shape({})) == ""
    candidates = {event: paths for (door, event), paths in DOCUMENTED.items() if door == "amplitude"}
    assert nearest(candidates, shape({"user_id": "u", "user_properties": {"event_type": 1}})) == "user"
    assert nearest(candidates, shape({"user_id": "u", "event_type": "a"})) == "event"


@pytest.mark.parametrize(
    ("door", "path", "line"),
    [
        ("webhook", "payload.properties.documentId", "tutorialId (screen and track)"),
        ("interactions", "properties.tutorialId", "tutorialId (screen and track)"),
        ("browser", "detail.properties.documentId", "tutorialId (screen and track)"),
        ("webhook", "payload.context.page.url", "context.page"),
        ("webhook", "payload.context.added", ""),
        ("webhook", "payload.properties.handler.url", ""),
        ("webhook", "payload.properties", "every property of the message"),
        ("webhook", "payload", "the whole message"),
        ("webhook", "", "the whole message"),
        ("interactions", "added", ""),
        ("rest", "traits.plan", "traits (identify and group)"),
        ("amplitude", "user_properties.$set.plan", "traits (identify)"),
        ("amplitude", "city", ""),
        ("another", "x", ""),
    ],
)
def test_a_path_tells_which_line_of_the_mapping_it_feeds(door: str, path: str, line: str) -> None:
    assert touches(door, "candu.sdk.content", path) == line


def test_properties_of_a_custom_event_go_through_as_they_are() -> None:
    for path in ("payload.properties.plan", "payload.properties.documentId", "payload.properties"):
        assert touches("webhook", "Onboarding Finished", path) == "every property of the message"
    assert touches("webhook", "Onboarding Finished", "payload.userId") == "userId"


def test_the_tables_agree_with_the_mapping() -> None:
    for name in EXTRA_PROPERTIES:
        assert touches("webhook", "candu.sdk.content", f"payload.properties.{name}").startswith(name)
        assert touches("browser", "candu.sdk.content", f"detail.properties.{name}").startswith(name)
        assert touches("interactions", "tutorial.view", f"properties.{name}").startswith(name)
        assert f"properties.{name}" in DOCUMENTED["interactions", "tutorial.view"]
    for door, event in DOCUMENTED:
        assert event in CLASSIFICATION or door in ("rest", "amplitude") or event == "batch"
