"""Types of values, times, and what columns take: tables of cases."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from candu_source.destinations.warehouse.casting import CUT, FITS, FRACTION_LOST, NOT, UNWRITTEN, cast, cast_all
from candu_source.destinations.warehouse.tables import Column, Type
from candu_source.destinations.warehouse.values import infer, parse_timestamp, shown, text_of

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
TEXT, WHOLE, NUMBER, TRUTH, TIME = (Column(kind) for kind in Type)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", Type.STRING),
        ("12", Type.STRING),
        ("true", Type.STRING),
        ("2026-02-03", Type.TIMESTAMP),
        ("2026-02-03T12:00:00Z", Type.TIMESTAMP),
        (NOON, Type.TIMESTAMP),
        (True, Type.BOOLEAN),
        (0, Type.INTEGER),
        (-0.0, Type.INTEGER),
        (2.0, Type.INTEGER),
        (2.5, Type.FLOAT),
        (2**63 - 1, Type.INTEGER),
        (2**63, Type.FLOAT),
        (-(2**63), Type.INTEGER),
        (2**70, Type.FLOAT),
        (1e300, Type.FLOAT),
    ],
)
def test_infer(value: Any, kind: Type) -> None:
    """Types come from values, never from digits in text."""
    assert infer(value) is kind


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-02-03", "2026-02-03T00:00:00+00:00"),
        ("2026-02-03T12:00", "2026-02-03T12:00:00+00:00"),
        ("2026-02-03 12:00:00", "2026-02-03T12:00:00+00:00"),
        ("2026-02-03T12:00:00.1Z", "2026-02-03T12:00:00.100000+00:00"),
        ("2026-02-03T12:00:00.123456789Z", "2026-02-03T12:00:00.123456+00:00"),
        ("2026-02-03T12:00:00+02:00", "2026-02-03T10:00:00+00:00"),
        ("2026-02-03T12:00:00-0230", "2026-02-03T14:30:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_times(text: str, at: str) -> None:
    """ISO 8601 is read, in UTC where no zone is named."""
    parsed = parse_timestamp(text)
    assert parsed is not None
    assert parsed.isoformat() == at
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "20260203",
        "2026-W05-1",
        "2026-034",
        "2026-02",
        "2026-02-30",
        "2026-2-3",
        "02/03/2026",
        "2026-02-03T",
        "2026-02-03T12",
        "2026-02-03T24:00:00",
        "2026-02-03T12:00:60Z",
        "2026-02-03T12:00:00,5Z",
        "2026-02-03T12:00:00Z ",
        "2026-02-03T12:00:00Z\n",
        "٢٠٢٦-02-03",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "10000-01-01",
        "now",
        "",
    ],
)
def test_no_times(text: str) -> None:
    """Other formats, days that are none, and what is beyond the calendar stay text."""
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ("column", "value", "cell", "what"),
    [
        (TEXT, 42, "42", FITS),
        (TEXT, 2.0, "2", FITS),
        (TEXT, 1.5, "1.5", FITS),
        (TEXT, True, "true", FITS),
        (TEXT, NOON, "2026-02-03T12:00:00.000Z", FITS),
        (TEXT._replace(characters=3), "añbc", "añb", CUT),
        (WHOLE, 2.9, 2, FRACTION_LOST),
        (WHOLE, -2.9, -2, FRACTION_LOST),
        (WHOLE, "12", 12, FITS),
        (WHOLE, "-12.5", -12, FRACTION_LOST),
        (WHOLE, True, 1, FITS),
        (WHOLE, "abc", None, NOT[Type.INTEGER]),
        (WHOLE, "1_000", None, NOT[Type.INTEGER]),
        (WHOLE, "١٢", None, NOT[Type.INTEGER]),
        (WHOLE, " 12", None, NOT[Type.INTEGER]),
        (WHOLE, "9" * 500, None, NOT[Type.INTEGER]),
        (WHOLE, 2**63, None, NOT[Type.INTEGER]),
        (WHOLE, 1e300, None, NOT[Type.INTEGER]),
        (WHOLE._replace(bits=32), 2**31, None, NOT[Type.INTEGER]),
        (WHOLE._replace(bits=32), -(2**31), -(2**31), FITS),
        (WHOLE, NOON, None, NOT[Type.INTEGER]),
        (NUMBER, 3, 3.0, FITS),
        (NUMBER, "1.5e3", 1500.0, FITS),
        (NUMBER, "1e400", None, NOT[Type.FLOAT]),
        (NUMBER, "Infinity", None, NOT[Type.FLOAT]),
        (NUMBER, "nan", None, NOT[Type.FLOAT]),
        (NUMBER, 10**400, None, NOT[Type.FLOAT]),
        (NUMBER, 2**70, float(2**70), FITS),
        (NUMBER, sys.float_info.max, sys.float_info.max, FITS),
        (NUMBER, 2**1024 - 1, None, NOT[Type.FLOAT]),
        (NUMBER._replace(largest=99.5), 99.5, None, NOT[Type.FLOAT]),
        (NUMBER._replace(largest=99.5), -99, -99.0, FITS),
        (TRUTH, "False", False, FITS),
        (TRUTH, "maybe", None, NOT[Type.BOOLEAN]),
        (TRUTH, "1", None, NOT[Type.BOOLEAN]),
        (TRUTH, 1, True, FITS),
        (TRUTH, 2, None, NOT[Type.BOOLEAN]),
        (TRUTH, NOON, None, NOT[Type.BOOLEAN]),
        (TIME, "2026-02-03T12:00:00Z", NOON, FITS),
        (TIME, "yesterday", None, NOT[Type.TIMESTAMP]),
        (TIME, 1770120000, None, NOT[Type.TIMESTAMP]),
        (Column(None, "json"), 1, None, UNWRITTEN),
    ],
)
def test_cast(column: Column, value: Any, cell: Any, what: str) -> None:
    """A column takes what can be cast to it, one by one and all at once; what cannot is said."""
    got, said = cast(column, value)
    assert (got, type(got), said) == (cell, type(cell), what)
    cells, all_said = cast_all(column, type(value), (value, value))
    assert (list(cells), dict(all_said)) == ([cell, cell], {what: (2, value)} if what else {})


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (TEXT, "a"),
        (TEXT._replace(characters=1), "a"),
        (WHOLE, 1),
        (NUMBER, 1.5),
        (NUMBER._replace(largest=2), 1.5),
        (TRUTH, True),
        (TIME, NOON),
    ],
)
def test_what_fits_is_not_touched(column: Column, value: Any) -> None:
    """Values of the column's own type go in as they are, without a way one by one."""
    values = (value,) * 3
    assert cast_all(column, type(value), values)[0] is values


@pytest.mark.parametrize(
    ("value", "text"), [(1e20, "100000000000000000000"), (1e21, "1e+21"), (-0.0, "0"), (0.1, "0.1"), (False, "false"), (2**70, str(2**70))]
)
def test_text_of_numbers(value: Any, text: str) -> None:
    """Numbers are written as JavaScript does, as far as warehouses can tell."""
    assert text_of(value) == text


def test_samples_are_short() -> None:
    """Remarks quote the beginning of a value only."""
    assert shown("x" * 1_000) == "x" * 80 + "…"
