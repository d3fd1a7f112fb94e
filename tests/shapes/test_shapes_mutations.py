"""Every single-field mutation of the samples is noticed once; what the samples hold is not."""

from __future__ import annotations

from pathlib import Path

from tests.shapes.mutations import mutations
from tests.shapes.watching import SAMPLES, Place

_NOT_AS_DOCUMENTED = {"refused.json", "unknown-event.json"}  # their names say so


def test_every_mutation_of_a_sample_is_noticed_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    sent = [(mutation, place.customer()) for mutation in mutations()]
    for mutation, connection in sent:
        place.send(connection, mutation.door, mutation.item)
    place.look()
    seen = [(mutation, [(each[0], each[1], each[3]) for each in place.seen(connection)]) for mutation, connection in sent]
    wrong = [(mutation, found) for mutation, found in seen if found != [(mutation.what, mutation.path, 1)]]
    assert wrong == []
    assert len(sent) >= 200
    assert len(place.facts("shape.noticed")) == len(sent)
    assert place.facts("shape.skipped") == []


def test_what_the_samples_hold_is_not_noticed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    connection = place.customer()
    for file in sorted(SAMPLES.glob("*/*.json")):
        if file.name not in _NOT_AS_DOCUMENTED:
            place.send(connection, file.parent.name, file.read_bytes())
    place.look()
    assert place.seen(connection) == []
