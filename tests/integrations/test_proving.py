"""A payload is proven over all that it may be given; what fails is shown with as little as it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from candu_source.integrations.proving import MOST_SECONDS, prove
from candu_source.integrations.reading import read_file
from tests.integrations.drafts import draft, events


@pytest.mark.parametrize(
    "file",
    ["candu_source/integrations/candu.toml", "samples/amplitude/partner.toml", "samples/amplitude/chat.toml"],
    ids=lambda file: Path(file).stem,
)
def test_what_is_shipped_always_renders_json(file: str) -> None:
    integration = read_file(Path(file))
    for kind in integration.payloads:
        proof = prove(integration, kind)
        assert (proof.holds, proof.because) == (True, ())
        assert proof.tried > 2


@pytest.mark.parametrize(
    ("body", "because", "fault"),
    [
        ('{"a": {},}', (), "take away the one at the end of line 1"),
        ('{"a": "${input.city}"}', (), "input.city is missing"),
        ('{"a": "${input.city!}"}', ("input.city",), "no JSON"),
        ('{"a": "${input.event_type}"}', ("input.event_type",), "no JSON"),
        ('{"a": ${input.app!0}}', ("input.app = 1234567",), "no JSON"),
        ('{"a": ${(input.location_lat!0)?c}}', (), ""),
        ('{"a": ${input.paying!false}}', (), "boolean"),
        ('{"a": "${input.user_properties.email!}"}', (), "input.user_properties"),
        ('{"a": "${(input.user_properties.email)!}"}', (), ""),
        ('{<#list mappedProperties?keys as k>"${k}": 1<#sep>,</#list>}', ("mappedProperties.",), "no JSON"),
        ('{"a": "<#if input.city?? && input.country??>"</#if>"}', ("input.",), "no JSON"),
        ('{"a": "${mappedFields.other!""}"}', ("mappedFields.other",), "no JSON"),
    ],
)
def test_the_smallest_example_that_fails_is_shown(body: str, because: tuple[str, ...], fault: str) -> None:
    more: dict[str, Any] = {"mappings": [{"name": "id", "required": True}, {"name": "other"}]}
    proof = prove(draft(events=events(body=body), **more), "events")
    assert fault in proof.fault
    assert proof.holds == (not fault)
    assert len(proof.because) >= len(because)
    assert all(each.startswith(expected) for each, expected in zip(proof.because, because, strict=False)), proof.because


def test_a_user_has_no_event_type() -> None:
    body = '{"a": "${input.event_type?json_string}"}'
    assert prove(draft(events=events(body=body)), "events").holds
    assert "input.event_type is missing" in prove(draft(users=events(body=body)), "users").fault


def test_a_body_that_is_no_json_on_purpose_need_not_be() -> None:
    text = events(body="${input.event_type}") | {"headers": {"Content-Type": "text/plain"}}
    assert prove(draft(events=text), "events").holds


def test_a_parameter_in_the_body_may_be_any_text() -> None:
    proof = prove(
        draft(
            events=events(body='{"k": "${parameters.secret}"}'),
            parameters=[{"name": name, "display_name": name} for name in ("key", "secret")],
        ),
        "events",
    )
    assert proof.because[0].startswith("parameters.secret")


def test_a_proof_ends_when_its_time_is_up() -> None:
    ticks = iter([0.0, 1.0, MOST_SECONDS, MOST_SECONDS + 1])
    assert prove(draft(events=events(body='"${input.city!}${input.country!}"')), "events", lambda: next(ticks)).tried == 3
