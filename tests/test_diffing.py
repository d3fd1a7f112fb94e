"""Differences: the values that changed by path, and nothing where nothing did."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candu_source.diffing import Change, difference

names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([0.0, 1.0, "1", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Change("a", 1, 2, "changed")]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, [Change("a.b", 1, None, "removed")]),
        ({"a": {"c": 2}}, {"a": {"c": 2, "d": {"e": 3}}}, [Change("a.d", None, {"e": 3}, "added")]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [Change("a[1]", 2, 3, "changed"), Change("a[2]", None, 4, "added")]),
        ({"a": 1}, {"a": True}, [Change("a", 1, True, "changed")]),
        ({"a": 1}, {"a": 1.0}, [Change("a", 1, 1.0, "changed")]),
        ({"a": None}, {}, [Change("a", None, None, "removed")]),
        ({"a": {"b": 1}}, {"a": [1]}, [Change("a", {"b": 1}, [1], "changed")]),
        (1, 2, [Change("", 1, 2, "changed")]),
    ],
)
def test_differences(old: Any, new: Any, changes: list[Change]) -> None:
    assert difference(old, new) == changes


@given(values, values)
def test_there_is_a_difference_where_the_json_differs_and_it_leads_to_the_other(old: Any, new: Any) -> None:
    changes = difference(old, new)
    assert bool(changes) == (json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True))
    patched = {"": copy.deepcopy(old)}
    for change in reversed(changes):  # what is added last is put last, what is removed last is taken first
        if change.kind != "added":
            _put(patched, change)
    for change in changes:
        if change.kind == "added":
            _put(patched, change)
    assert json.dumps(patched[""], sort_keys=True) == json.dumps(new, sort_keys=True)


def _put(whole: Any, change: Change) -> None:
    """Do a change to a value that stands under the empty name."""
    steps: list[Any] = ["", *(int(number) if number else name for name, number in re.findall(r"([a-z]+)|\[(\d+)\]", change.path))]
    inside = whole
    for step in steps[:-1]:
        inside = inside[step]
    if change.kind == "removed":
        del inside[steps[-1]]
    elif isinstance(inside, list) and steps[-1] == len(inside):
        inside.append(change.new)
    else:
        inside[steps[-1]] = change.new
