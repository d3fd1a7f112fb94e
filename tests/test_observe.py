"""Observability: one line a fact, and no metric that is not declared."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from candu_source.errors import Reason
from candu_source.observe import METRICS, PREFIX, Telltale


def test_a_fact_is_one_json_line() -> None:
    stream = io.StringIO()
    Telltale(stream).tell("event.accepted", door="webhook", text="a\nb é")
    (line,) = stream.getvalue().splitlines()
    assert {**json.loads(line), "at": 0} == {"at": 0, "fact": "event.accepted", "door": "webhook", "text": "a\nb é"}


def test_an_undeclared_metric_fails() -> None:
    telltale = Telltale(io.StringIO())
    with pytest.raises(KeyError):
        telltale.count("invented")
    with pytest.raises(ValueError, match="label"):
        telltale.count("requests", door="webhook")


def test_counters_and_gauges_are_exposed_together() -> None:
    telltale = Telltale(io.StringIO())
    telltale.count("requests", door="webhook", status="202")
    text = telltale.exposition([("lane_held", {"connection": "a", "destination": "segment"}, 1.0)]).decode()
    assert 'candu_source_requests_total{door="webhook",status="202"} 1.0' in text
    assert 'candu_source_lane_held{connection="a",destination="segment"} 1.0' in text


def test_every_metric_and_reason_is_documented() -> None:
    docs = Path(__file__).parents[1].joinpath("docs")
    operations, doors = docs.joinpath("operations.md").read_text(), docs.joinpath("doors.md").read_text()
    assert [name for name in METRICS if f"`{PREFIX}{name}`" not in operations] == []
    assert [reason for reason in Reason if f"`{reason}`" not in operations + doors] == []
