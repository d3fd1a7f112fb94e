"""Names of tables and columns, and the settings that are written down: tables of cases."""

from __future__ import annotations

from typing import Any

import pytest

from candu_source.destinations.warehouse.choices import Choices
from candu_source.destinations.warehouse.naming import identifier, snakecase
from candu_source.destinations.warehouse.selection import Collection, Selection
from candu_source.errors import UsageError


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("", ""),
        ("tutorial_id", "tutorial_id"),
        ("2fa_enabled", "_2fa_enabled"),
        ("user", "_user"),
        ("order", "_order"),
        ("tag", "_tag"),
        ("left", "_left"),
        ("ctid", "_ctid"),
        ("language", "language"),
        ("type", "type"),
        ("x" * 63, "x" * 63),
        ("x" * 64, "x" * 63),
        ("1" * 63, "_" + "1" * 62),
    ],
)
def test_identifier(name: str, called: str) -> None:
    """Digits and reserved words get `_`, long names are cut."""
    assert identifier(name, 63) == called


@pytest.mark.parametrize(
    ("name", "snake"),
    [("aB" * 100, "_".join(["a", *["ba"] * 99, "b"])), ("x" * 200, "x" * 200), ("é" * 200, ""), ('a"; DROP TABLE b; --', "a_drop_table_b")],
)
def test_long_and_hostile_names(name: str, snake: str) -> None:
    """Names that are not kept, and names that are SQL, come out by the same rules."""
    assert snakecase(name) == snake


def test_selection() -> None:
    """Tables are named as the warehouse does or as the event is called, and `*` speaks for the others."""
    selection = Selection.read(
        {
            "enabled": False,
            "collections": {
                "screens": False,
                "tutorial.interaction": {"exclude": ["version_id"]},
                "Order": True,
                "_users": True,
                "2fa_enabled": True,
                "*": {"exclude": ["context_ip"]},
            },
        }
    )
    assert not selection.enabled
    assert selection.collections == {
        "screens": Collection(loaded=False),
        "tutorial_interaction": Collection(excluded=frozenset({"version_id"})),
        "_order": Collection(),
        "_users": Collection(),
        "_2fa_enabled": Collection(),
    }
    assert selection.of("users") == Collection(excluded=frozenset({"context_ip"}))
    assert Selection.read({}) == Selection() == Selection.read({"enabled": True})


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"on": True}, "'on' is not known"),
        ({"enabled": 1}, "selection.enabled"),
        ({"collections": ["screens"]}, "selection.collections"),
        ({"collections": {"screens": None}}, "selection.collections.screens"),
        ({"collections": {"screens": {"only": []}}}, "'only' is not known"),
        ({"collections": {"screens": {"exclude": "a"}}}, "selection.collections.screens.exclude"),
        ({"collections": {"screens": {"exclude": [1]}}}, "selection.collections.screens.exclude"),
        ({"collections": {"screens": {"exclude": ["received_at"]}}}, "received_at is always loaded"),
        ({"collections": {"*": {"exclude": ["id"]}}}, "id is always loaded"),
        ({"collections": {"Просмотр": True}}, "names no table"),
    ],
)
def test_selection_refuses(said: dict[str, Any], word: str) -> None:
    """What is not understood is named."""
    with pytest.raises(UsageError, match=word.replace(".", r"\.").replace("*", r"\*")):
        Selection.read(said)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"sort": 1}, "'sort' is not known"),
        ({"collision": "merge"}, "collision"),
        ({"truncate_text": "512"}, "truncate_text"),
        ({"truncate_text": -1}, "truncate_text is at least 0"),
        ({"most_columns": 1}, "most_columns is at least 50"),
        ({"most_tables": 0}, "most_tables is at least 10"),
        ({"reserved_words": "tag"}, "reserved_words"),
    ],
)
def test_choices_refuse(said: dict[str, Any], word: str) -> None:
    """What is not understood is named."""
    with pytest.raises(UsageError, match=word):
        Choices.read(said)


def test_choices_have_defaults() -> None:
    """Nothing said is every default."""
    assert Choices.read({}) == Choices()
    assert Choices.read({"reserved_words": ["plan"], "truncate_text": 512}) == Choices(
        reserved_words=frozenset({"plan"}), truncate_text=512
    )
