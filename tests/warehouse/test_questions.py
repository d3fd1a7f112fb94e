"""The first questions have the same right answers on every dialect, as they stand in the samples."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from candu_source.app import sync_warehouse
from candu_source.destinations.warehouse.dialects import Reader
from candu_source.destinations.warehouse.dialects.places import shown, warehouse_at
from candu_source.destinations.warehouse.questions import QUESTIONS, Inquiry, answer
from candu_source.errors import WarehouseBusy, WarehouseError
from candu_source.model import Admission, Event, Secret
from candu_source.observe import Telltale
from candu_source.settings import Settings
from candu_source.store import open_store
from candu_source.warehouses import Warehouse
from tests.store.shelf import add_connection

_SAMPLES = Path(__file__).parents[2] / "samples" / "sql"
_SCHEMA = "candu_prod"
# user, tutorial, segment, version, what (a view, or a kind of interaction), day of May 2026, minute after noon.
_HISTORY: tuple[tuple[str | None, int, str, str, str, int, int], ...] = (
    ("ann", 1, "Everyone", "aaaaaaaaaa", "view", 1, 0),
    ("ann", 1, "Everyone", "aaaaaaaaaa", "Start", 1, 4),
    ("ann", 1, "Everyone", "aaaaaaaaaa", "Start", 2, 0),
    ("ben", 1, "Everyone", "aaaaaaaaaa", "view", 1, 0),
    ("ben", 1, "Everyone", "aaaaaaaaaa", "Dismiss", 1, 10),
    ("cem", 1, "Everyone", "bbbbbbbbbb", "view", 2, 0),
    ("cem", 1, "Everyone", "bbbbbbbbbb", "view", 3, 0),
    ("ann", 2, "Trial", "cccccccccc", "view", 3, 0),
    ("dee", 2, "Trial", "cccccccccc", "Start", 3, 0),
    (None, 1, "Everyone", "aaaaaaaaaa", "view", 3, 0),
)
_ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "views_per_tutorial": [(1, 5, 3), (2, 1, 1)],
    "daily_users": [("2026-05-01", 2, 2), ("2026-05-02", 1, 1), ("2026-05-03", 2, 3)],
    "view_to_interaction": [("saw a tutorial", 3), ("interacted with it", 2), ("did so on two days or more", 1)],
    "interaction_rate": [(1, "Everyone", 3, 2, 66.7), (2, "Trial", 1, 0, 0)],
    "kinds_of_interaction": [("Start", 3, 2), ("Dismiss", 1, 1)],
    "versions_compared": [(1, "aaaaaaa", 2, 2, 100), (1, "bbbbbbb", 1, 0, 0), (2, "ccccccc", 1, 0, 0)],
    "minutes_to_interaction": [(1, 7, 2)],
}


def _messages() -> Iterator[Event]:
    for number, (user, tutorial, segment, version, what, day, minute) in enumerate(_HISTORY):
        properties: dict[str, Any] = {"tutorialId": tutorial, "segmentId": segment, "versionId": version}
        call = (
            {"type": "screen", "name": "tutorial.view", "properties": properties}
            if what == "view"
            else {"type": "track", "event": "tutorial.interaction", "properties": {**properties, "eventName": what}}
        )
        who = {"userId": user} if user else {"anonymousId": "somebody"}
        message = {**call, **who, "messageId": f"m{number}", "timestamp": f"2026-05-{day:02}T12:{minute:02}:00.000Z"}
        yield Event(f"m{number}", json.dumps(message).encode(), b"{}")


@pytest.fixture
def reader(place: Secret, tmp_path: Path) -> Iterator[Reader]:
    """Open a warehouse into which a small history was loaded, of each dialect in turn."""
    settings = Settings(store_url=f"sqlite:///{tmp_path / 'store.db'}", min_free_mb=0, allow_private_addresses=True)
    store = open_store(settings)
    connection = add_connection(store)
    store.log.append(Admission(connection.id, "webhook", tuple(_messages())))
    warehouse = store.warehouses.add(connection, Warehouse(connection.id, "warehouse", shown(place), _SCHEMA), place, by="test")
    assert sync_warehouse(settings, store, warehouse, Telltale(io.StringIO())).rows == 14
    with warehouse_at(place, allow_private=True).look() as opened:
        yield opened
    store.close()


def test_every_question_is_answered_right_in_the_console_and_as_it_stands_in_the_samples(reader: Reader) -> None:
    for name, question in QUESTIONS.items():
        answered = answer(reader, question, _SCHEMA, seconds=10, most=100)
        assert (name, answered.rows) == (name, _ANSWERS[name])
        assert set(question.x + question.y) <= set(answered.columns)
        assert not answered.more
        rows = list(reader.ask((_SAMPLES / f"{name}.sql").read_text("utf-8")).rows)
        assert len(rows) == len(_ANSWERS[name])


def test_rows_beyond_the_most_are_left_and_told(reader: Reader) -> None:
    answered = answer(reader, QUESTIONS["daily_users"], _SCHEMA, seconds=10, most=2)
    assert ([row[0] for row in answered.rows], answered.more) == (["2026-05-01", "2026-05-02"], True)


def test_the_samples_are_the_questions() -> None:
    assert {file.stem for file in _SAMPLES.glob("*")} == set(QUESTIONS) == set(_ANSWERS)
    for name, question in QUESTIONS.items():
        assert question.text == (_SAMPLES / f"{name}.sql").read_text("utf-8")
        tables = re.findall(r"(?:from|join) (candu_prod\.\w+|\w+)", question.text)
        assert {table for table in tables if "." in table} <= {"candu_prod.screens", "candu_prod.tutorial_interaction"}
        assert question.text.count("candu_prod") == sum("." in table for table in tables)  # the schema stands nowhere else


@pytest.mark.parametrize(
    ("schema", "written"),
    [("candu_staging", "candu_staging."), ("all", '"all".'), ('a"; drop table x; --', '"a""; drop table x; --".'), ("Ünï", '"Ünï".')],
)
def test_a_schema_is_quoted_where_it_must_be(schema: str, written: str) -> None:
    for question in QUESTIONS.values():
        sql = question.sql(schema)
        assert written in sql
        assert "candu_prod" not in sql


def test_more_questions_than_may_be_asked_at_once_wait_and_are_told_so(tmp_path: Path) -> None:
    place = Secret(str(tmp_path / "warehouse.duckdb"))
    inquiry = Inquiry(lambda secret: warehouse_at(secret, allow_private=True))
    ask = {"schema": _SCHEMA, "seconds": 0.01, "most": 1}
    question = QUESTIONS["daily_users"]
    for _ in range(3):  # a question that fails gives its turn back
        with pytest.raises(WarehouseError, match="first sync makes it"):
            inquiry.answer(place, question, **ask)  # type: ignore[arg-type]
    for _ in range(2):
        inquiry._turns.acquire()
    with pytest.raises(WarehouseBusy, match="other questions"):
        inquiry.answer(place, question, **ask)  # type: ignore[arg-type]
