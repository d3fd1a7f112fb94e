"""The first questions that people ask of a warehouse: asked, drawn, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from candu_source.console.desk import Desk
from candu_source.console.frame import Action, File, Page
from candu_source.console.sheets import sheet
from candu_source.console.warehouse import chosen_warehouse
from candu_source.destinations.warehouse.questions import QUESTIONS, Answered, Picture, Question
from candu_source.errors import NotFound, SecretUnreadable, UsageError, WarehouseError
from candu_source.warehouses import Warehouse

_PER_CENT = "per_cent"
_SECONDS, _A_PAGE, _A_FILE = 10.0, 200, 10_000


def question(desk: Desk) -> dict[str, Any]:
    """Ask a warehouse one question; `drawn` is its picture, `error` what the warehouse said in place of an answer."""
    chosen, asked = chosen_warehouse(desk, desk.query), _question(desk.part["id"])
    began, error, answered = perf_counter(), "", Answered((), [], more=False)
    try:
        answered = _answer(desk, chosen, asked, _A_PAGE)
    except (WarehouseError, SecretUnreadable) as said:
        error = str(said)
    return {
        "warehouse": chosen.name,
        "question": asked.name,
        "asks": asked.asks,
        "sql": asked.sql(chosen.schema),
        "picture": asked.picture,
        "drawn": _line(asked, answered) if asked.picture is Picture.LINE else _bars(asked, answered),
        **answered._asdict(),
        "seconds": perf_counter() - began,
        "error": error,
        "now": desk.now,
    }


def as_csv(desk: Desk) -> str:
    """Return the answer to a question (`question`, the first where none is named), up to 10 000 rows."""
    asked = _question(desk.query.text("question") or next(iter(QUESTIONS)))
    try:
        answered = _answer(desk, chosen_warehouse(desk, desk.query), asked, _A_FILE)
    except (WarehouseError, SecretUnreadable) as error:
        raise UsageError(f"question: {error}") from None
    return sheet(answered.columns, answered.rows)


def _question(name: str) -> Question:
    if name not in QUESTIONS:
        raise NotFound(f"there is no question {name!r}; these are: {', '.join(QUESTIONS)}")
    return QUESTIONS[name]


def _answer(desk: Desk, chosen: Warehouse, asked: Question, most: int) -> Answered:
    place = desk.store.warehouses.place(chosen)
    return desk.tools.inquiry.answer(place, asked, chosen.schema, seconds=_SECONDS, most=most)


def _line(asked: Question, answered: Answered) -> dict[str, Any]:
    """Return an answer by day as lines over time; a day stands at its noon, which is the same day nearly everywhere."""
    rows = [row for row in _named(answered) if row[asked.x[0]] is not None]
    times = [datetime.fromisoformat(row[asked.x[0]]).replace(hour=12, tzinfo=UTC).timestamp() for row in rows]
    return {
        "title": _title(asked, len(asked.y)),
        "times": times,
        "lines": [{"label": _words(name), "points": [row[name] for row in rows]} for name in asked.y],
    }


def _bars(asked: Question, answered: Answered) -> dict[str, Any]:
    """Return an answer as bars: what each stands for, its length, and the other numbers beside it."""
    length, *others = asked.y
    bars = [
        {
            "label": " · ".join("–" if row[name] is None else str(row[name]) for name in asked.x),
            "value": row[length],
            "beside": {_words(name): row[name] for name in others},
        }
        for row in _named(answered)
    ]
    most = 100 if length == _PER_CENT else max((bar["value"] or 0 for bar in bars), default=0) or 1
    return {"title": _title(asked, 1), "most": most, "bars": bars}


def _title(asked: Question, lengths: int) -> str:
    return f"{' and '.join(map(_words, asked.y[:lengths])).capitalize()}, by {' and '.join(map(_words, asked.x))}"


def _named(answered: Answered) -> Sequence[Mapping[str, Any]]:
    return [dict(zip(answered.columns, row, strict=True)) for row in answered.rows]


def _words(column: str) -> str:
    return column.replace("_", " ")


PAGES = (Page("connections/{connection}/warehouse/questions/{id}", "warehouse_question.html", question),)
FILES = (File("connections/{connection}/warehouse/answer.csv", "answer.csv", as_csv),)
ACTIONS: tuple[Action, ...] = ()
