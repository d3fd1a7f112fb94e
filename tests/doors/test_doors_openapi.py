"""The OpenAPI document is whole, and says what the doors do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from candu_source import __version__
from candu_source.doors import QUICK
from candu_source.doors.openapi import document
from tests.doors.items import DOORS, call, interaction, payload
from tests.doors.sender import Sender, Web

SAMPLES = Path(__file__).parents[2] / "samples"
PATHS = {
    "webhook": "/v1/webhook/{token}",
    "interactions": "/v1/interactions",
    "browser": "/v1/browser/{token}",
    "rest": "/api/eventWebhook",
    "amplitude": "/v1/amplitude/{token}",
}
STATUSES = {"202", "400", "401", "413", "415", "422", "429", "503"}
REFUSED = ("slack-format.json", "refused.json")
KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "object": dict,
    "array": list,
    "null": type(None),
    "boolean": bool,
}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Walk every object of the document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def resolve(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a $ref; KeyError when it leads nowhere."""
    if "$ref" not in schema:
        return schema
    place: Any = spec
    for step in schema["$ref"].removeprefix("#/").split("/"):
        place = place[step]
    assert isinstance(place, dict)
    return place


def fits(spec: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    """Tell whether a value has the shape of a schema: types, required and unknown fields, as deep as it goes."""
    schema = resolve(spec, schema)
    if alternatives := [*schema.get("oneOf", []), *schema.get("anyOf", [])]:
        return any(fits(spec, each, value) for each in alternatives)
    if not is_of_type(schema.get("type", []), value) or value not in schema.get("enum", [value]):
        return False
    if isinstance(value, list):
        return all(fits(spec, schema.get("items", {}), each) for each in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        strict = schema.get("additionalProperties", True) is False and known
        return (
            set(schema.get("required", [])) <= value.keys()
            and not (strict and value.keys() - known.keys())
            and all(fits(spec, known[name], inner) for name, inner in value.items() if name in known)
        )
    return True


def is_of_type(kinds: str | list[str], value: Any) -> bool:
    """Tell whether a value is of one of the types named, or none is."""
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool):
        return not kinds or "boolean" in kinds
    return not kinds or any(isinstance(value, KINDS[kind]) for kind in kinds)


def body_schema(spec: dict[str, Any], door: str) -> dict[str, Any]:
    schema: dict[str, Any] = spec["paths"][PATHS[door]]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return schema


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """Make the document as a client reads it."""
    made: dict[str, Any] = json.loads(json.dumps(document()))
    return made


def test_it_is_an_openapi_document_of_this_version(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.1.0"
    assert spec["info"] == {"title": "candu-source", "version": __version__}
    assert set(PATHS.values()) < spec["paths"].keys()


def test_every_address_is_described(spec: dict[str, Any], web: Web) -> None:
    served = {re.sub(r"<(\w+)>", r"{\1}", rule.rule) for rule in web.app.url_map.iter_rules()}
    assert spec["paths"].keys() == served


def test_every_door_that_needs_the_log_alone_is_quick(web: Web) -> None:
    posts = {rule.rule for rule in web.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {door for door in posts if not door.startswith(QUICK)} == {"/v1/readback/<token>"}


def test_it_is_served_as_it_is_printed(spec: dict[str, Any], web: Web) -> None:
    assert web.app.test_client().get("/v1/openapi.json").json == spec


def test_every_sample_is_an_example(spec: dict[str, Any]) -> None:
    for path, door in PATHS.items():
        examples = spec["paths"][door]["post"]["requestBody"]["content"]["application/json"]["examples"]
        files = [file for file in SAMPLES.joinpath(path).glob("*.json") if file.name not in REFUSED]
        assert {name: each["value"] for name, each in examples.items()} == {file.stem: json.loads(file.read_bytes()) for file in files}


def test_every_reference_resolves(spec: dict[str, Any]) -> None:
    references = [node for node in nodes(spec) if "$ref" in node]
    assert references
    for node in references:
        assert resolve(spec, node)


def test_it_is_made_anew_each_time() -> None:
    assert document() == document()


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_described_with_every_status_it_gives(spec: dict[str, Any], door: str) -> None:
    operation = spec["paths"][PATHS[door]]["post"]
    assert operation["summary"]
    assert operation["responses"].keys() == STATUSES | ({"403"} if door == "webhook" else set())
    for status, response in operation["responses"].items():
        [media] = response["content"]
        assert media == ("application/json" if status == "202" else "application/problem+json")
        assert response["description"]


def test_security_is_declared(spec: dict[str, Any]) -> None:
    schemes = spec["components"]["securitySchemes"]
    assert {name: (each["type"], each["scheme"]) for name, each in schemes.items()} == {
        "bearer": ("http", "bearer"),
        "basic": ("http", "basic"),
    }
    webhook, interactions = (spec["paths"][PATHS[door]]["post"] for door in DOORS)
    assert (webhook["security"], interactions["security"]) == ([], [{"bearer": []}, {"basic": []}])
    parameters = spec["paths"][PATHS["webhook"]]["parameters"]
    assert [(each["name"], each["in"], each["required"]) for each in parameters] == [("token", "path", True)]


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_sample_fits_its_door(spec: dict[str, Any], sample: Path) -> None:
    assert fits(spec, body_schema(spec, sample.parent.name), json.loads(sample.read_bytes())) is not (sample.name in REFUSED)


@pytest.mark.parametrize(
    ("door", "body", "expected"),
    [
        ("webhook", payload(), True),
        ("webhook", [payload(anonymousId=None, other=1)], True),
        ("webhook", {"batch": [payload()]}, False),
        ("webhook", {"payload": []}, False),
        ("interactions", call(), True),
        ("interactions", interaction(userId=None, anonymousId="a"), True),
        ("interactions", {"batch": [call(), interaction()]}, True),
        ("interactions", call("properties"), False),
        ("interactions", call(unknown=1), False),
        ("interactions", call(properties={}), False),
    ],
)
def test_the_shapes_are_those_the_door_takes(spec: dict[str, Any], sender: Sender, door: str, body: Any, expected: bool) -> None:
    assert fits(spec, body_schema(spec, door), body) is expected
    assert (sender.send(door, body).status_code == 202) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"type": "identify", "userId": "u", "traits": {"a": 1, "b": 1.5, "c": "x", "d": True}}, True),
        ({"type": "identify", "userId": "u"}, False),
        ({"type": "track", "userID": "u", "event": "e"}, True),
        ({"type": "track", "userID": "u", "event": "e", "traits": {}}, False),
        ([{"type": "group", "groupId": "g", "userId": "u", "traits": {}}], True),
        ([{"type": "group", "userId": "u", "traits": {}}], False),
        ({"type": "page", "userId": "u"}, False),
        ({"batch": []}, False),
    ],
)
def test_the_shapes_of_candus_calls_are_those_the_door_takes(spec: dict[str, Any], sender: Sender, body: Any, expected: bool) -> None:
    assert fits(spec, body_schema(spec, "rest"), body) is expected
    assert (sender.send("rest", body).status_code == 200) is expected


def test_answers_in_candus_words_have_the_shapes_described(spec: dict[str, Any], sender: Sender) -> None:
    good = {"type": "track", "userId": "u", "event": "e"}
    responses = spec["paths"][PATHS["rest"]]["post"]["responses"]
    for body, status in ((good, 200), ([good, 5], 202), (5, 422), (b"{", 400)):
        answer = sender.send("rest", body)
        assert answer.status_code == status
        [described] = responses[str(status)]["content"].values()
        assert fits(spec, described["schema"], answer.json)
    assert responses.keys() == STATUSES | {"200"}


@pytest.mark.parametrize("door", DOORS)
def test_answers_have_the_shapes_described(spec: dict[str, Any], web: Web, sender: Sender, door: str) -> None:
    good = payload() if door == "webhook" else call()
    answers = [
        sender.send(door, body, **headers)
        for body, headers in (([good, 5], {}), (5, {}), (b"{", {}), (good, {"Content-Type": "text/xml"}), (b" " * 300_000, {}))
    ]
    answers.append(web.app.test_client().post(PATHS[door].format(token="x"), json=good))
    assert [answer.status_code for answer in answers] == [202, 422, 400, 415, 413, 401]
    responses = spec["paths"][PATHS[door]]["post"]["responses"]
    for answer in answers:
        [described] = responses[str(answer.status_code)]["content"].values()
        assert fits(spec, described["schema"], answer.json)
