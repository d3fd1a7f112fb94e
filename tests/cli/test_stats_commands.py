"""Finding and counting events, as a person types it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from candu_source.cli import commands
from candu_source.deliveries import Advance
from candu_source.model import Connection
from tests.shapes.watching import Place, sample
from tests.store.shelf import claim, settlement


@pytest.fixture
def customer(place: Place) -> Connection:
    """Send two views and an unknown event, deliver the views and let one come back."""
    made = place.customer()
    view = sample("webhook/view.json")
    for number, user in (("1", "anna"), ("2", "ben\x1b[2J")):
        view["payload"] |= {"id": number, "userId": user}
        place.send(made, "webhook", view)
    place.send(made, "webhook", sample("webhook/unknown-event.json"))
    delivery = claim(place.store)
    place.store.lanes.settle([settlement(delivery, delivery.batches[0], Advance())])
    with place.store.database.write() as db:
        db.execute("INSERT INTO confirmations VALUES (?, 'segment', 1, 1700000000.0)", (made.id,))
    while place.store.index.read_on(100):
        pass
    return made


def run(place: Place, *words: str, code: int = 0) -> Result:
    """Run one command on the place's store."""
    done = CliRunner().invoke(commands, words, env={"COLUMNS": "250"}, obj=place.settings)
    assert done.exit_code == code, done.output
    return done


def read(place: Place, *words: str) -> Any:
    """Return what a command prints with --json."""
    return json.loads(run(place, *words, "--json").stdout)


@pytest.mark.parametrize(
    ("words", "seqs"),
    [
        ([], [2, 1]),
        (["--user", "ANNA"], [1]),
        (["--event", "tutorial.view"], [2, 1]),
        (["--event", "tutorial.interaction"], []),
        (["--property", "documentId=1"], []),
        (["--state", "confirmed"], [1]),
        (["--state", "delivered", "-n", "1"], [2]),
        (["--state", "pending"], []),
        (["--state", "filtered"], [None]),
        (["--since", "1h"], [2, 1]),
        (["--until", "2020-01-01"], []),
    ],
)
def test_events_are_found(place: Place, customer: Connection, words: list[str], seqs: list[int | None]) -> None:
    assert [row["seq"] for row in read(place, "events", "search", *words)] == seqs


def test_a_message_id_is_found_whatever_became_of_it(place: Place, customer: Connection) -> None:
    for state in ([], ["--state", "filtered"]):
        for row in read(place, "events", "search", *state):
            assert read(place, "events", "search", "--message-id", row["message_id"]) == [row]


def test_a_table_commands_no_terminal_and_says_what_is_confirmed(place: Place, customer: Connection) -> None:
    said = run(place, "events", "search").stdout
    assert "\x1b" not in said
    assert "delivered, confirmed" in said
    assert "No such event." in run(place, "events", "search", "--user", "nobody").stdout


def test_a_life_shows_when_it_came_back(place: Place, customer: Connection) -> None:
    (row,) = read(place, "events", "search", "--user", "anna")
    assert read(place, "events", "show", row["message_id"])["state"] == {
        "segment": {"state": "delivered", "reason": None, "confirmed_at": "2023-11-14T22:13:20.000Z"}
    }


def test_what_is_too_new_to_be_found_is_said(place: Place, customer: Connection) -> None:
    place.store.database.run("set_reading", {"name": "index:rules", "read_to": 0})
    place.store.index.read_on(0)
    assert read(place, "events", "search", "--user", "anna"), "so few are looked at one by one"


def test_statistics_have_amplitudes_names(place: Place, customer: Connection) -> None:
    told = read(place, "stats", customer.name, "--period", "ONE_HOUR")
    assert (told["timePeriod"], told["eventsDelivered"], told["deliveryRate"], told["eventsDiscarded"]) == ("ONE_HOUR", 2, 1.0, 0)
    assert len(told["points"]) == 60
    assert sum(point["accepted"] for point in told["points"]) == 2
    assert sum(point["filtered"] for point in told["points"]) == 1
    assert "successOnFirstAttempt" in run(place, "stats", customer.name, "--period", "CUSTOM", "--since", "2h").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stats", "Nobody"], "there is no connection 'Nobody'"),
        (["stats", "NAME", "--period", "CUSTOM"], "needs since"),
        (["stats", "NAME", "--since", "2h"], "CUSTOM only"),
        (["stats", "NAME", "--period", "CUSTOM", "--since", "soon"], "'soon' is no time"),
        (["stats", "NAME", "--period", "YEAR"], "'YEAR' is not one of"),
        (["events", "search", "--since", "x"], "'x' is no time"),
        (["events", "search", "--state", "lost"], "'lost' is not one of"),
    ],
)
def test_what_is_off_is_one_clear_line(place: Place, customer: Connection, words: list[str], said: str) -> None:
    assert said in run(place, *[customer.name if word == "NAME" else word for word in words], code=2).stderr
