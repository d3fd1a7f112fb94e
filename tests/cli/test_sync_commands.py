"""The commands on syncs, as a person types them, against a far end on loopback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from candu_source.cli.summary import chart
from candu_source.errors import Reason
from candu_source.store.stats import Point
from candu_source.streams import CANDU_API
from tests.cli.streaming import CANARY, SAMPLES, Got, Scene
from tests.integrations.drafts import file

_EVENT, _USER = "event.json", "user.json"


def test_a_sync_is_made_off_and_says_what_is_in_the_way(scene: Scene) -> None:
    made = scene.run("syncs", "add", "mine", "-i", CANDU_API)
    assert "parameters.apiKey: API key" in made.stdout
    assert "events: Neither users nor events are sent" in made.stdout
    refused = scene.run("syncs", "enable", "mine", code=2)
    assert refused.stderr.startswith("candu-source: mine cannot be on. parameters.apiKey: ")
    assert "Neither users nor events are sent" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not scene.lane().enabled
    scene.run("syncs", "set", "mine", "-p", "apiKey=-", "--users", stdin=f"{CANARY}\n")
    scene.run("syncs", "enable", "mine")
    assert scene.lane().enabled
    assert [each["state"] for each in scene.read("syncs", "list")] == ["delivering"]
    scene.run("syncs", "disable", "mine")
    assert scene.read("syncs", "show", "mine")["state"] == "off"


def test_a_sync_that_is_on_stays_fit_to_be(scene: Scene) -> None:
    scene.add("mine", CANDU_API, "--users")
    scene.run("syncs", "enable", "mine")
    for words, said in (
        (("--no-users",), "Neither users nor events are sent"),
        (("-p", "dialect=smoke"), "parameters.dialect: It is one of bearer, basic-colon, basic."),
        (("-p", "endpoint="), "parameters.endpoint: Candu's address is empty"),
    ):
        assert said in scene.run("syncs", "set", "mine", *words, code=2).stderr
    assert scene.read("syncs", "show", "mine")["users"] is True
    scene.run("syncs", "disable", "mine")
    scene.run("syncs", "set", "mine", "--no-users")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to change"),
        (("-p", "nix=1"), "parameters.nix: the integration asks for no such; it has apiKey, endpoint"),
        (("-p", "apiKey="), "parameters.apiKey: a secret is replaced"),
        (("-p", "apiKey"), "'apiKey' has no value"),
        (("-f", "nix=user_id"), "fields: the integration maps no 'nix'"),
        (("--where", "event.plan wobbles"), "is no condition"),
        (("--property", "plan"), "'plan' is no property"),
        (("--event-type", "_all"), "Amplitude keeps the name '_all'"),
        (("--event-type", "a", "--all-event-types"), "--all-event-types goes without naming some"),
    ],
)
def test_what_is_off_is_said_in_one_line(scene: Scene, words: tuple[str, ...], said: str) -> None:
    scene.add()
    refused = scene.run("syncs", "set", "mine", *words, code=2)
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_choices_are_changed_one_by_one_and_lists_as_a_whole(scene: Scene) -> None:
    scene.add("mine", "candu", "--events", "--event-type", "a", "--event-type", "b", "--where", 'event.plan is "pro"')
    scene.run("syncs", "set", "mine", "--event-type", "c", "--property", "event.plan", "--property", "user.plan", "-f", "userId=email")
    shown = scene.read("syncs", "show", "mine")
    assert (shown["events"], shown["event_types"], shown["fields"]) == (True, ["c"], {"userId": "email"})
    assert (shown["conditions"], shown["properties"]) == (['event.plan is "pro"'], ["event.plan", "user.plan"])
    scene.run("syncs", "set", "mine", "--all-event-types", "--all-properties", "--where", "", "-f", "userId=")
    shown = scene.read("syncs", "show", "mine")
    assert (shown["event_types"], shown["conditions"], shown["properties"], shown["fields"]) == ("all", [], "all", {})
    scene.run("syncs", "set", "mine", "--property", "")
    assert scene.read("syncs", "show", "mine")["fields"] == {}  # empty on purpose: the integration's offer does not come back
    assert "userId is required" in scene.run("syncs", "enable", "mine", code=2).stderr


def test_a_test_really_sends_one_and_counts_nowhere(scene: Scene) -> None:
    scene.add("mine", "candu", "--users", "--events")
    done = scene.run("syncs", "test", "mine", "--event", str(SAMPLES / _EVENT), "--reveal", "--json")
    story = json.loads(done.stdout)
    (got,) = scene.far.got
    assert got == Got("POST", "/api/eventWebhook", f"Bearer {CANARY}", story["request"]["body"].encode())
    assert (story["answer"]["status"], story["answer"]["outcome"]) == (200, Reason.ACCEPTED)
    subprocess.run(["bash", "-c", story["curl"]], check=True, capture_output=True)
    assert scene.far.got[1] == got
    assert (scene.lane().delivered, scene.lane().logged) == (0, 0)
    scene.far.status = 500
    assert "500 (server_error, " in scene.run("syncs", "test", "mine", "--event", str(SAMPLES / _USER), code=1).stdout
    assert len(scene.far.got) == 3  # no second try
    assert [row.action for row in scene.store.audit.rows(scene.connection.id, 2)] == ["sync.tested"] * 2


def test_a_test_takes_the_latest_event_that_the_sync_sends(scene: Scene) -> None:
    scene.add("mine", "candu", "--events")
    assert "none of the latest events" in scene.run("syncs", "test", "mine", code=2).stderr
    event, _ = scene.send(_EVENT, _USER)
    assert json.loads(scene.run("syncs", "test", "mine", "--json").stdout)["request"]["body"].count("Upgraded plan") == 1
    scene.run("syncs", "test", "mine", "--message-id", event)
    nothing = scene.run("syncs", "test", "mine", "--event", str(SAMPLES / _USER), code=1)
    assert nothing.stdout == "Nothing was sent: not_selected, by what the sync chooses.\n"
    both = ("--message-id", event, "--event", str(SAMPLES / _EVENT))
    assert "name two events" in scene.run("syncs", "test", "mine", *both, code=2).stderr


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('{"type": "track", "userId": "ann", "event": "Signed up", "properties": {"plan": "pro"}}', 0, '"event":"Signed up"'),
        ('{"type": "identify", "userId": "ann", "traits": {}}', 0, '"type":"identify"'),
        ('{"type": "track", "userId": "ann"}', 2, "event: event: "),
        ("{", 2, "event: "),
        ("[]", 2, "one event or user at a time"),
        ('[{"event_type": "a", "user_id": "ann"}, {"event_type": "b", "user_id": "ann"}]', 2, "one event or user at a time"),
        ('{"event_type": "_all", "user_id": "ann"}', 2, "event_type"),
    ],
)
def test_an_event_is_pasted_in_either_form(scene: Scene, tmp_path: Path, text: str, code: int, said: str) -> None:
    scene.add("mine", CANDU_API, "--users", "--events")
    place = tmp_path / "pasted.json"
    place.write_text(text)
    done = scene.run("syncs", "test", "mine", "--event", str(place), code=code)
    assert said in done.output


def test_it_shows_where_events_stand_and_what_went_wrong(scene: Scene) -> None:
    scene.add("mine", "candu", "--users", "--events")
    scene.add("api", CANDU_API, "--users")
    for name in ("mine", "api"):
        scene.run("syncs", "enable", name)
    scene.far.status = 400
    scene.send(_EVENT)
    scene.deliver()
    scene.far.status = 200
    scene.send(_USER)
    scene.deliver()
    shown = scene.read("syncs", "show", "mine")
    assert " content_refused: answered: you are Bearer [secret]" in shown["last_error"]
    scene.send(b'{"event_type": "nobody did it", "device_id": "d1"}')
    scene.deliver()
    shown = scene.read("syncs", "show", "mine")
    assert (shown["delivered"], shown["parked"], shown["waiting"], shown["dead"]) == (1, 1, 0, {"discarded": 1})
    assert shown["next_try"] > shown["created_at"]
    assert " discarded: userId is required" in shown["last_error"]
    assert [each["used"] for each in shown["parameters"]] == [
        ["events.headers.Authorization", "users.headers.Authorization"],
        ["events.url", "users.url"],
    ]
    assert scene.read("syncs", "show", "api")["filtered"] == 2
    assert scene.read("connections", "show", "Acme")["syncs"] == {"api": "on", "mine": "on"}
    assert [(each["destination"], each["reason"]) for each in scene.read("dead", "list")] == [("mine", "discarded")]
    assert all(row["holds"] for row in scene.read("ledger", "--check"))
    assert "0 dead letters" in scene.run("dead", "replay", "--yes").stdout
    assert "1 dead letters" in scene.run("dead", "replay", "--lane", "mine", "--yes").stdout
    assert scene.read("syncs", "show", "mine")["waiting"] + scene.read("syncs", "show", "mine")["parked"] > 0
    scene.deliver()
    table = scene.run("syncs", "show", "mine").stdout
    assert "parameter  declared  used" in table
    asked = scene.run("syncs", "remove", "mine", stdin="n\n", code=1)
    assert "Forget Acme › mine, 1 events that wait and 1 dead letters?" in asked.stdout
    scene.run("syncs", "remove", "mine", "--yes")
    assert [each["sync"] for each in scene.read("syncs", "list")] == ["api"]


def test_one_that_an_integrations_next_release_leaves_incomplete_is_held(scene: Scene) -> None:
    for more in ([], [{"name": "region", "display_name": "Region"}]):
        key = {"name": "key", "display_name": "Key", "secret": True}
        events = {"url": f"{scene.far.url}/e", "headers": {"A": "${parameters.key}" + "".join("${parameters.region}" for _ in more)}}
        raw = file(parameters=[key, *more], mappings=[], events={**events, "body": '{"a": 1}'})
        scene.store.integrations.save("acme", raw, by="test")
        scene.run("integrations", "submit", "acme")
        scene.run("integrations", "release", "acme")
        if not more:
            scene.run("syncs", "add", "mine", "-i", "acme", "-p", "key=k", "--events")
            scene.run("syncs", "enable", "mine")
    scene.send(_EVENT)
    scene.deliver()
    shown = scene.read("syncs", "show", "mine")
    assert (shown["state"], shown["waiting"]) == ("held: sync_incomplete", 1)
    assert shown["in_the_way"] == ["parameters.region: Region is empty; fill it in."]
    assert "`candu-source syncs show mine --connection Acme`" in shown["advice"]
    scene.run("syncs", "set", "mine", "-p", "region=eu")
    scene.deliver()
    assert scene.lane().delivered == 1
    assert len(scene.far.got) == 1


def test_metrics_are_those_of_one_sync_under_amplitudes_names(scene: Scene) -> None:
    for name in ("mine", "other"):
        scene.add(name, "candu", "--users", "--events")
    scene.run("syncs", "enable", "mine")
    scene.send(_EVENT, _USER)
    scene.deliver()
    told = scene.read("syncs", "metrics", "mine", "--period", "TEN_MINUTES")
    assert list(told) == [
        "timePeriod", "eventsDelivered", "eventsNotDelivered", "deliveryRate", "latencyInSeconds", "successOnFirstAttempt",
        "successAfterRetry", "eventsExpired", "eventsDiscarded", "timePeriodStart", "timePeriodEnd",
    ]  # fmt: skip
    assert (told["eventsDelivered"], told["deliveryRate"], told["successOnFirstAttempt"]) == (2, 1.0, 2)
    assert told["timePeriodStart"].endswith(":00.000000")
    assert scene.read("syncs", "metrics", "other")["eventsDelivered"] == 0
    assert "#" * 40 + "  2 delivered, 0 not" in scene.run("syncs", "metrics", "mine").stdout
    assert "Nothing was delivered or given up" in scene.run("syncs", "metrics", "other").stdout
    asked = ("--period", "CUSTOM", "--start", "3h", "--end", "1h")
    assert scene.read("syncs", "metrics", "mine", *asked)["eventsDelivered"] == 0
    assert "since" in scene.run("syncs", "metrics", "mine", "--start", "3h", code=2).stderr


def test_a_chart_shows_what_was_lost_however_little() -> None:
    points = [Point(0), Point(60), Point(120)]
    points[1].ended.update(first_attempt=999, discarded=1)
    points[2].ended.update(after_retry=1)
    first, second = chart(points).splitlines()
    assert "#" * 39 + "x  999 delivered, 1 not" in first
    assert second.split()[1] == "#"


def test_no_output_file_log_or_audit_shows_a_secret_parameter(scene: Scene, tmp_path: Path) -> None:
    outputs = [scene.add("mine", "candu", "--users", "--events"), scene.add("api", CANDU_API, "--users", "--events")]
    outputs += [scene.run("syncs", "enable", name) for name in ("mine", "api")]
    scene.far.status = 400
    event, *_ = scene.send(_EVENT, _USER)
    scene.deliver()
    for name in ("mine", "api"):
        outputs.append(scene.run("syncs", "set", name, "-p", "apiKey=-", stdin=f"{CANARY}-2\n"))
        outputs.append(scene.run("syncs", "test", name, code=1))
        outputs.append(scene.run("syncs", "test", name, "--json", code=1))
        outputs += [scene.run("syncs", word, name, *more) for word in ("show", "metrics") for more in ((), ("--json",))]
    for line in (f"events show {event}", "dead list", "audit", "connections export", "syncs list", "events tail", "ledger", "notices list"):
        outputs.append(scene.run(*line.split()))
    export = tmp_path / "export.ndjson"
    outputs.append(scene.run("connections", "delete", "Acme", "--confirm", "Acme", "--export", str(export)))
    assert [each for each in outputs if CANARY in each.output] == []
    assert [str(each) for each in tmp_path.rglob("*") if each.is_file() and CANARY.encode() in each.read_bytes()] == []
    assert CANARY not in scene.log.getvalue()
    assert any(CANARY in got.authorization for got in scene.far.got)
