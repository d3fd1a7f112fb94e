"""A store that does not answer costs a request its deadline, not more, holds up no other, and never makes an event two."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sqlite3
from pathlib import Path

from candu_source.twin import Twin
from tests.acceptance.load import interaction
from tests.acceptance.proof import prove
from tests.acceptance.service import Door, Service


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


def test_posts_that_wait_and_senders_that_are_slow_hold_up_nobody(tmp_path: Path) -> None:
    with Twin() as twin, Service(tmp_path, commit_deadline_ms=60_000, web_processes=1, web_threads=1) as service:
        service.serve()
        door = service.connect("Candu_Crowd", "write-key", twin.url)
        names = {f"waits-{number}" for number in range(40)}
        with contextlib.ExitStack() as stack:
            waiting = [stack.enter_context(_sent(service.port, door, name)) for name in names]
            slow = [stack.enter_context(_sent(service.port, door, f"slow-{number}", keep_back=1)) for number in range(40)]
            with contextlib.closing(sqlite3.connect(service.store, isolation_level=None, timeout=60)) as other:
                other.execute("BEGIN IMMEDIATE")
                held = [stack.enter_context(_sent(service.port, door, f"held-{number}")) for number in range(40)]
                assert service.readiness()["status"] == "ready"  # by the one thread there is
                assert not select.select([*held, *slow], [], [], 0)[0]
                other.execute("ROLLBACK")
            for connection in (*waiting, *held):
                assert connection.recv(65_536).startswith(b"HTTP/1.1 202 ")
        prove(service, twin, door, names | {f"held-{number}" for number in range(40)})
        assert service.stop() == 0


def _sent(port: int, door: Door, name: str, *, keep_back: int = 0) -> socket.socket:
    """Return a connection on which an interaction was sent, save its last bytes."""
    body = json.dumps(interaction(name)).encode()
    head = f"POST /v1/interactions HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer {door.token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall((head.encode() + body)[: -keep_back or None])
    return connection
