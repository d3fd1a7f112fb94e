"""A store that does not answer costs a request its deadline, not more, and never an event twice."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from candu_source.twin import Twin
from tests.acceptance.load import interaction
from tests.acceptance.proof import prove
from tests.acceptance.service import Service


def test_a_door_answers_503_while_another_process_holds_the_write_lock(tmp_path: Path) -> None:
    with Twin() as twin, Service(tmp_path, commit_deadline_ms=300) as service:
        service.serve()
        door = service.connect("Candu_Frozen", "write-key", twin.url)
        assert door.post(interaction("warm")).status_code == 202
        with contextlib.closing(sqlite3.connect(service.store, isolation_level=None, timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            # The lock is let go only after the answers: they cannot have waited for it.
            refused = [door.post(interaction("frozen")) for _ in range(3)]
            assert service.readiness()["status"] == "ready"
            other.execute("ROLLBACK")
        for answer in refused:
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["type"] == "urn:candu-source:store_busy"
        receipt = door.post(interaction("frozen")).json()
        assert receipt["accepted"] + receipt["duplicates"] == 1
        prove(service, twin, door, {"warm", "frozen"})
        assert service.stop() == 0
