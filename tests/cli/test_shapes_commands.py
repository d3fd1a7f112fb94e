"""The commands about shapes, as a person types them."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from click.testing import CliRunner, Result

from candu_source.cli import commands
from candu_source.model import Connection
from tests.shapes.watching import Place, sample


@pytest.fixture
def customer(place: Place) -> Connection:
    """Send a view with a new field, the same again, and an event that nobody knows; then watch."""
    made = place.customer()
    view = sample("webhook/view.json")
    for number in ("1", "2"):
        view["payload"] |= {"id": number, "experiment": {"variant": "b"}}
        place.send(made, "webhook", view)
    place.send(made, "webhook", sample("webhook/unknown-event.json"))
    place.look()
    return made


def run(place: Place, *words: str, code: int = 0) -> Result:
    """Run one command on the place's store."""
    done = CliRunner().invoke(commands, words, env={"COLUMNS": "250"}, obj=place.settings)
    assert done.exit_code == code, done.output
    return done


def read(place: Place, *words: str) -> Any:
    """Return what a command prints with --json."""
    return json.loads(run(place, *words, "--json").stdout)


def test_a_notice_is_listed_once_with_its_count_and_its_mapping_line(place: Place, customer: Connection) -> None:
    new, unknown = sorted(read(place, "shapes", "list"), key=lambda row: str(row["change"]))
    assert (new["change"], new["path"], new["type"], new["count"]) == ("new", "payload.experiment", "object", 2)
    assert (new["connection"], new["door"], new["event"]) == (customer.name, "webhook", "candu.sdk.content")
    assert new["touches"] is None
    assert new["next"] == f"shapes show {new['id']}"
    assert (unknown["change"], unknown["event"], unknown["count"]) == ("unknown_event", "candu.sdk.checklist.completed", 1)
    assert "payload.experiment" in run(place, "shapes", "list").stdout


def test_the_command_that_is_shown_extends_the_table(place: Place, customer: Connection) -> None:
    (unknown,) = [row for row in read(place, "shapes", "list") if row["change"] == "unknown_event"]
    run(place, *shlex.split(unknown["next"]))
    assert read(place, "filtered", "replay", "--connection", customer.name) == {"accepted": 1, "still_filtered": 0}


def test_a_notice_is_shown_with_its_sample_and_what_to_do(place: Place, customer: Connection) -> None:
    rows = {row["change"]: row["id"] for row in read(place, "shapes", "list")}
    shown = read(place, "shapes", "show", str(rows["new"]))
    assert shown["sample"]["payload"]["experiment"] == {"variant": "b"}
    assert shown["sample"]["payload"]["id"] == "1"
    assert any(f"shapes ack {rows['new']}" in line for line in shown["what_to_do"])
    advice = " ".join(read(place, "shapes", "show", str(rows["unknown_event"]))["what_to_do"])
    assert f"connections set {customer.name} --classify candu.sdk.checklist.completed=interaction" in advice
    assert f"filtered replay --connection {customer.name} --name candu.sdk.checklist.completed" in advice
    assert '"variant": "b"' in run(place, "shapes", "show", str(rows["new"])).stdout


def test_what_is_acknowledged_is_listed_only_when_asked_for_and_counted_on(place: Place, customer: Connection) -> None:
    (new,) = [row["id"] for row in read(place, "shapes", "list") if row["change"] == "new"]
    assert read(place, "shapes", "ack", str(new)) == {"acknowledged": 1}
    assert read(place, "shapes", "ack", str(new)) == {"acknowledged": 0}
    assert [row["change"] for row in read(place, "shapes", "list")] == ["unknown_event"]
    view = sample("webhook/view.json")
    view["payload"] |= {"id": "3", "experiment": {"variant": "c"}}
    place.send(customer, "webhook", view)
    place.look()
    (counted,) = [row for row in read(place, "shapes", "list", "--all") if row["id"] == new]
    assert counted["count"] == 3
    assert counted["acknowledged_at"]
    assert [row["change"] for row in read(place, "shapes", "list")] == ["unknown_event"]


def test_all_of_one_connection_are_acknowledged_together(place: Place, customer: Connection) -> None:
    other = place.customer()
    place.send(other, "webhook", sample("webhook/unknown-event.json"))
    place.look()
    assert read(place, "shapes", "ack", "--all", "--connection", customer.name) == {"acknowledged": 2}
    assert [row["connection"] for row in read(place, "shapes", "list")] == [other.name]
    assert read(place, "shapes", "list", "--connection", customer.name) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "99"], "there is no notice 99"),
        (["ack", "99"], "there is no notice 99"),
        (["ack"], "name the notices to acknowledge"),
        (["ack", "1", "--all"], "name the notices to acknowledge"),
        (["list", "--connection", "Nobody"], "there is no connection 'Nobody'"),
        (["ack", "--all"], "There is no connection yet"),
        (["show", "x"], "'x' is not a valid integer"),
    ],
)
def test_what_is_off_is_one_clear_line(place: Place, words: list[str], said: str) -> None:
    assert said in run(place, "shapes", *words, code=2).stderr


def test_an_empty_list_says_so(place: Place) -> None:
    assert "Nothing new" in run(place, "shapes", "list").stdout
    assert "Nothing was noticed" in run(place, "shapes", "list", "--all").stdout
    assert read(place, "shapes", "list") == []


def test_a_sample_that_retention_released_is_said_so(place: Place, customer: Connection) -> None:
    (new, *_) = place.notices(customer)
    place.store.database.run("forget_samples", {"cutoff": new.first_at + 1, "most": 10})
    assert "Released by retention." in run(place, "shapes", "show", str(new.id)).stdout
    assert read(place, "shapes", "show", str(new.id))["sample"] is None
