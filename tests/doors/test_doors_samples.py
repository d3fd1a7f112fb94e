"""The samples do what samples/README.md says, line by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from candu_source.model import Kind, Rules
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected

SAMPLES = Path(__file__).parents[2] / "samples"
VIEW = ("screen", "tutorial.view")
INTERACTION = ("track", "tutorial.interaction")

# sample -> (accepted, filtered) and the calls it becomes, with the default rules.
BECOMES: dict[str, tuple[tuple[int, int], list[tuple[str, str | None]]]] = {
    "webhook/view.json": ((1, 0), [VIEW]),
    "webhook/interaction.json": ((1, 0), [INTERACTION]),
    "webhook/list.json": ((2, 0), [VIEW, INTERACTION]),
    "webhook/unknown-event.json": ((0, 1), []),
    "webhook/custom-event.json": ((0, 1), []),
    "interactions/view.json": ((1, 0), [VIEW]),
    "interactions/interaction.json": ((1, 0), [INTERACTION]),
    "interactions/batch.json": ((2, 0), [VIEW, INTERACTION]),
    "browser/view.json": ((1, 0), [VIEW]),
    "browser/interaction.json": ((1, 0), [INTERACTION]),
    "rest/identify.json": ((1, 0), [("identify", None)]),
    "rest/track.json": ((1, 0), [("track", "Upgraded plan")]),
    "rest/group.json": ((1, 0), [("group", None)]),
    "rest/list.json": ((2, 0), [("identify", None), ("track", "Invited a colleague")]),
    "amplitude/event.json": ((1, 0), [("track", "Upgraded plan")]),
    "amplitude/user.json": ((1, 0), [("identify", None)]),
    "amplitude/list.json": ((2, 0), [("track", 'Button "Start" clicked'), ("identify", None)]),
}
WITHOUT_ID = {"amplitude/user.json"}  # nothing tells that it was sent before
REFUSED = {"webhook/slack-format.json", "interactions/refused.json"}


def send(sender: Sender, sample: str) -> Any:
    return sender.send(sample.partition("/")[0], (SAMPLES / sample).read_bytes())


def calls(sender: Sender) -> list[tuple[str, str | None]]:
    return [(message["type"], message.get("name") or message.get("event")) for message in sender.messages()]


def assert_answer(answer: Any, sample: str, *expected: int) -> None:
    """Hold an answer to what became of a sample's items: accepted, duplicates, filtered; the REST door says it in Candu's words."""
    if sample.startswith("rest/"):
        assert (answer.status_code, answer.json) == (200, {"success": True})
    else:
        assert (answer.status_code, counts(answer)) == (202, (*expected, 0))


def test_every_sample_is_in_the_table_of_the_readme_and_here() -> None:
    there = {str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*.json")}
    assert set(re.findall(r"^\| `([a-z/-]+\.json)` \|", (SAMPLES / "README.md").read_text(), re.MULTILINE)) == there
    assert BECOMES.keys() | REFUSED == there


@pytest.mark.parametrize("sample", BECOMES)
def test_a_sample_becomes_what_the_readme_says(sender: Sender, sample: str) -> None:
    (accepted, filtered), expected = BECOMES[sample]
    assert_answer(send(sender, sample), sample, accepted, 0, filtered)
    assert calls(sender) == expected
    if sample not in WITHOUT_ID:
        assert_answer(send(sender, sample), sample, 0, accepted + filtered, 0)
        assert calls(sender) == expected


def test_all_samples_are_different_events(sender: Sender) -> None:
    for sample in BECOMES:
        send(sender, sample)
    assert len(sender.messages()) == sum(accepted for (accepted, _), _ in BECOMES.values())


def test_the_first_of_the_list_has_no_user(sender: Sender) -> None:
    send(sender, "webhook/list.json")
    assert [message["userId"] for message in sender.messages()] == [None, "user-1842"]


@pytest.mark.parametrize(
    ("sample", "rules", "reason", "expected"),
    [
        (
            "webhook/unknown-event.json",
            Rules(classification={"candu.sdk.checklist.completed": Kind.INTERACTION}),
            "unknown_event",
            INTERACTION,
        ),
        ("webhook/custom-event.json", Rules(custom_events="send"), "custom_event", ("track", "Onboarding Finished")),
    ],
)
def test_a_filtered_sample_is_sent_when_the_connection_says_so(
    web: Web, sender: Sender, sample: str, rules: Rules, reason: str, expected: tuple[str, str]
) -> None:
    send(sender, sample)
    assert [each for _, each in sender.filtered()] == [reason]
    willing = web.sender(rules)
    send(willing, sample)
    assert calls(willing) == [expected]


def test_the_slack_sample_names_the_setting(sender: Sender) -> None:
    assert "Format setting" in assert_problem(send(sender, "webhook/slack-format.json"), 422, "slack_format")


def test_the_refused_sample_is_off_in_two_fields(sender: Sender) -> None:
    answer = send(sender, "interactions/refused.json")
    assert_problem(answer, 422, "invalid")
    assert rejected(answer)[0].keys() == {"properties.tutorialId", "properties.portalId"}


def test_the_seed_sample_is_the_documented_message(sender: Sender) -> None:
    send(sender, "webhook/interaction.json")
    [message] = sender.messages()
    assert message["messageId"] == f"candu:{sender.connection.id}:1d7c9e42-8f3a-4f0c-b1d5-7a9e3c5b2f02"
    assert message["integrations"] == {"Candu": False}
    assert message["context"]["integration"] == {"name": "candu", "version": "1.0.0"}
    assert message["context"]["candu"] == {
        "sdk": {"name": "candu-web", "version": "2.9.0"},
        "library": {"name": "candu", "version": "2.9.0"},
    }
    assert message["properties"] == {
        "tutorialId": 48213,
        "segmentId": "Everyone",
        "versionId": "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "eventName": "Import your data",
        "contentId": "4a1f9c52-0d3e-4f0b-8a7e-5f2d9c1b7e60",
        "placementId": "b6b1c1de-91a5-4c0f-9a6e-0f8f4c6f2d33",
        "nodeId": "n-17",
        "nodeType": "Button",
        "trigger": "OnClick",
        "category": "cta",
    }
