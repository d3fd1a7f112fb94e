"""The derived typed decoder takes only what the marshmallow schema takes, with the same values."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from candu_source.doors.amplitude_schemas import AmplitudeItem, amplitude_faults
from candu_source.doors.hear import Contract
from candu_source.doors.items import find_faults
from candu_source.doors.rest_schemas import AnyCall, GroupCall, IdentifyCall, TrackCall, rest_faults
from candu_source.doors.schemas import CanduProperties, CanduWebhook, InteractionCall, call_faults, flatten, typed
from candu_source.model import Reject
from tests.doors.items import candu_properties, seed_properties
from tests.doors.mutations import AMPLITUDE_ITEMS, CALLS, REST_CALLS, WEBHOOK_ITEMS, encoded, good_calls, mutated

often = settings(max_examples=800, deadline=None, print_blob=True)
WEBHOOK, CALL, PROPERTIES = Contract(CanduWebhook), Contract(InteractionCall), Contract(CanduProperties)
AMPLITUDE = Contract(AmplitudeItem, whole=True)
REST = {"identify": IdentifyCall, "track": TrackCall, "group": GroupCall}
REST_CONTRACTS = {kind: Contract(schema) for kind, schema in REST.items()}
PROPERTY_SETS = [candu_properties(), candu_properties(tutorialId=1, portalId=2, eventName="n"), seed_properties()]


def load(schema: type[Schema], value: Any) -> tuple[Any, dict[str, list[str]]]:
    """Load by marshmallow alone."""
    try:
        return schema().load(value), {}
    except ValidationError as error:
        return None, flatten(error.messages)


def exact(value: Any) -> str:
    """Write a value so that 1, 1.0 and True differ."""
    return repr(msgspec.to_builtins(value))


def assert_same(contract: Contract, schema: type[Schema], raw: bytes, fast: Any) -> None:
    """Hold what the fast decoder made to marshmallow, and to what the contract makes of the same bytes."""
    parsed = json.loads(raw)
    slow, errors = load(schema, parsed)
    assert errors == {}
    assert exact(msgspec.convert(slow, contract.type)) == exact(fast)
    read = contract.read(raw, 0)
    if isinstance(read, Reject):
        assert read.errors == find_faults(parsed) != {}
    else:
        assert exact(read) == exact(fast)


@often
@given(mutated(st.sampled_from(WEBHOOK_ITEMS), most=2))
def test_a_webhook_item(item: Any) -> None:
    raw = encoded(item)
    try:
        fast = msgspec.json.decode(raw, type=WEBHOOK.type)
    except msgspec.DecodeError:
        event("refused")
        return
    event("accepted")
    assert_same(WEBHOOK, CanduWebhook, raw, fast)


@often
@given(mutated(st.sampled_from(CALLS) | good_calls, most=1))
def test_a_call(item: Any) -> None:
    raw = encoded(item)
    try:
        fast = msgspec.json.decode(raw, type=CALL.type)
    except msgspec.DecodeError:
        event("refused")
        return
    if faults := call_faults(fast.type, fast.userId, fast.anonymousId, fast.properties.eventName):
        event("refused for what is between its fields")
        assert load(InteractionCall, json.loads(raw))[1] == flatten(faults)
    else:
        event("accepted")
        assert_same(CALL, InteractionCall, raw, fast)


@often
@given(st.sampled_from(sorted(REST)), mutated(st.sampled_from(REST_CALLS), most=2))
def test_a_rest_call(kind: str, item: Any) -> None:
    raw = encoded(item)
    try:
        fast = msgspec.json.decode(raw, type=REST_CONTRACTS[kind].type)
    except msgspec.DecodeError:
        event("refused")
        return
    if faults := rest_faults(fast.type, fast.userId, fast.userID, fast.anonymousId, fast.timestamp):
        event("refused for what is between its fields")
        assert load(REST[kind], json.loads(raw))[1] == faults
    else:
        event("accepted")
        assert_same(REST_CONTRACTS[kind], REST[kind], raw, fast)


@often
@given(mutated(st.sampled_from(AMPLITUDE_ITEMS), most=2))
def test_an_amplitude_item(item: Any) -> None:
    raw = encoded(item)
    try:
        fast = msgspec.json.decode(raw, type=AMPLITUDE.type)
    except msgspec.DecodeError:
        event("refused")
        return
    if faults := amplitude_faults(fast.event_type, fast.user_id, fast.device_id, fast.event_properties, fast.user_properties):
        event("refused for what is between its fields")
        assert load(AmplitudeItem, json.loads(raw))[1] == faults
    else:
        event("accepted")
        assert_same(AMPLITUDE, AmplitudeItem, raw, fast)


@often
@given(mutated(st.sampled_from(PROPERTY_SETS), most=3))
def test_properties_that_are_converted_in_place(properties: Any) -> None:
    """The webhook goes on with the very properties when they convert: marshmallow must have left them alone, too.

    They come from an object that was read already: they are one themselves, and hold nothing hostile.
    """
    assume(isinstance(properties, dict) and not find_faults(properties))
    try:
        msgspec.convert(properties, PROPERTIES.type)
    except msgspec.ValidationError:
        event("refused")
        return
    event("accepted")
    loaded, errors = load(CanduProperties, properties)
    assert errors == {}
    assert {name: repr(value) for name, value in loaded.items()} == {name: repr(value) for name, value in properties.items()}


@pytest.mark.parametrize("schema", [CanduWebhook, InteractionCall, CanduProperties, AnyCall, AmplitudeItem, *REST.values()])
def test_every_optional_field_takes_null_only_where_the_schema_does(schema: type[Schema]) -> None:
    for name, field in schema().fields.items():
        if not field.required:
            [fast] = [each for each in msgspec.structs.fields(typed(schema)) if each.name == name]
            assert (type(None) in getattr(fast.type, "__args__", ())) is field.allow_none, name


def test_what_the_fast_decoder_takes_is_not_next_to_nothing() -> None:
    calls = [item for item in CALLS if item["properties"].get("portalId")]
    for contract, items in ((WEBHOOK, WEBHOOK_ITEMS), (AMPLITUDE, AMPLITUDE_ITEMS), (CALL, calls)):
        for item in items:
            msgspec.json.decode(encoded(item), type=contract.type)
    for item in REST_CALLS:
        msgspec.json.decode(encoded(item), type=REST_CONTRACTS[item["type"]].type)
