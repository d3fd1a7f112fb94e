"""Cells of two warehouses: what is the same, what is tolerated and under which name, and what differs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from candu_source.destinations.warehouse.parity import DELAY, Tolerated, differs
from candu_source.destinations.warehouse.tables import Cell

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(milliseconds=80)
CUT = "x" * 512


@pytest.mark.parametrize(
    ("column", "here", "there", "found"),
    [
        ("tutorial_id", 417, 417, False),
        ("tutorial_id", 417, 418, True),
        ("tutorial_id", None, None, False),
        ("tutorial_id", 417, None, True),
        ("tutorial_id", None, 417, True),
        ("tutorial_id", 1, 1.0, False),
        ("tutorial_id", 1, True, True),
        ("price", 0.1, Decimal("0.1"), Tolerated.NUMBER),
        ("price", 0.1, Decimal("0.2"), True),
        ("price", 2**53 + 1, Decimal(2**53 + 1), False),
        ("received_at", NOON, LATER, Tolerated.CLOCK),
        ("received_at", NOON, NOON + DELAY, Tolerated.CLOCK),
        ("received_at", NOON, NOON + DELAY + timedelta(seconds=1), True),
        ("sent_at", LATER, NOON, Tolerated.CLOCK),
        ("sent_at", None, NOON, Tolerated.UNSENT),
        ("sent_at", NOON, None, True),
        ("timestamp", NOON, LATER, Tolerated.CLOCK),
        ("original_timestamp", NOON, LATER, True),
        ("original_timestamp", NOON, NOON + timedelta(microseconds=999), Tolerated.PRECISION),
        ("renewed_on", NOON, NOON.replace(tzinfo=None), False),
        ("renewed_on", NOON.replace(hour=0), date(2026, 11, 1), False),
        ("renewed_on", NOON, "2026-11-01T12:00:00.000Z", Tolerated.TYPE),
        ("renewed_on", NOON, "2026-11-01T12:00:01.000Z", True),
        ("plan", 7, "7", Tolerated.TYPE),
        ("plan", True, "true", Tolerated.TYPE),
        ("plan", Decimal("1.50"), "1.5", Tolerated.TYPE),
        ("plan", Decimal("NaN"), "NaN", True),
        ("plan", "7", "7.5", True),
        ("roles", '["a","b"]', '["a", "b"]', Tolerated.JSON),
        ("roles", '["a","b"]', '["b","a"]', True),
        ("roles", "[a]", "[ a ]", True),
        ("roles", "[" * 100_000 + "]" * 100_000, "[" * 100_000 + " " + "]" * 100_000, True),
        ("context_ip", None, "192.0.2.1", Tolerated.ADDED),
        ("context_ip", "192.0.2.1", None, True),
        ("context_locale", None, "en", True),
    ],
)
def test_cells_of_two_warehouses(column: str, here: Cell, there: Cell, found: Tolerated | bool) -> None:
    assert differs(column, here, there) is found


@pytest.mark.parametrize(
    ("here", "there", "characters", "found"),
    [
        (CUT + "y", CUT, 512, Tolerated.CUT),
        (CUT, CUT + "y", 512, Tolerated.CUT),
        (CUT + "y", CUT, None, True),
        (CUT + "y", CUT[:-1], 511, Tolerated.CUT),
        (CUT + "y", CUT[:-1], 512, True),
        ("z" + CUT, CUT, 512, True),
    ],
)
def test_text_may_be_cut_where_a_column_is_bounded(here: str, there: str, characters: int | None, found: Tolerated | bool) -> None:
    assert differs("path", here, there, characters) is found
