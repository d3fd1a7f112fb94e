"""Bring historical events in: import FILE.jsonl, through the same doors and rules."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from candu_source import intake
from candu_source.cli.show import choose, connection_option, emit_one, json_option, opened
from candu_source.doors import DOORS, amplitude, interactions, rest, webhook
from candu_source.doors.rest_schemas import GROUP, IDENTIFY, TRACK
from candu_source.model import Connection, Input, Receipt, Reject
from candu_source.settings import Settings
from candu_source.store import Store

_LINES = 1_000
_LOOK_BACK_BYTES = 65_536


class _Quiet:
    """Take the facts of an import without telling each: its own summary does."""

    def tell(self, fact: str, **fields: object) -> None:
        """Take a fact."""

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Take a count."""

    def time(self, metric: str, seconds: float, **labels: str) -> None:
        """Take a time."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@connection_option
@click.option("--door", type=click.Choice(["auto", *DOORS]), default="auto", show_default=True, help="Whose format the lines have.")
@json_option
@click.pass_obj
def import_(settings: Settings, file: Path, name: str | None, door: str, as_json: bool) -> None:
    """Import historical events, one JSON item a line; run it again to go on where it stopped.

    A line without an id of its own gets one from its content, so that importing it twice counts once.
    """
    with opened(settings) as store:
        connection = choose(store, name)
        totals = _import(store, connection, file, door, visible=not as_json)
    emit_one(totals, as_json=as_json)


def _import(store: Store, connection: Connection, file: Path, door: str, *, visible: bool) -> dict[str, int]:
    totals = {"lines": 0, "accepted": 0, "duplicates": 0, "filtered": 0, "rejected": 0}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with file.open("rb") as lines, Progress(*columns, console=Console(stderr=True), disable=not visible) as progress:
        place = hashlib.sha256(str(file.resolve()).encode()).digest()
        lines.seek(_resume_at(store, connection, place, lines))
        task = progress.add_task(file.name, total=file.stat().st_size, completed=lines.tell())
        while chunk := list(itertools.islice(lines, _LINES)):
            for receipt in _accept(store, connection, door, chunk):
                totals["accepted"] += receipt.accepted
                totals["duplicates"] += receipt.duplicates
                totals["filtered"] += receipt.filtered
                totals["rejected"] += len(receipt.rejected)
            totals["lines"] += len(chunk)
            store.shelves.move_import(connection.id, place, lines.tell(), _before(lines, lines.tell()))
            progress.update(task, completed=lines.tell())
    return totals


def _accept(store: Store, connection: Connection, door: str, chunk: Sequence[bytes]) -> Iterator[Receipt]:
    """Accept runs of lines of the same door together."""
    lines = [line.strip() for line in chunk if line.strip()]
    for spoken, run in itertools.groupby(lines, key=lambda line: _door_of(line) if door == "auto" else door):
        heard = [item for line in run for item in _hear(spoken, line, connection)]
        yield intake.accept(connection, spoken, heard, store.log, _Quiet())


def _hear(door: str, line: bytes, connection: Connection) -> Iterator[Input]:
    for item in DOORS[door](line, connection):
        if not isinstance(item, Reject) and item.id is None:
            yield msgspec.structs.replace(item, id=f"import:{hashlib.sha256(item.raw).hexdigest()[:40]}")
        else:
            yield item


def _door_of(line: bytes) -> str:
    """Tell whose format a line has: Candu's envelope names itself, Amplitude's exports have words of their own, REST calls types."""
    try:
        value = json.loads(line)
    except ValueError:
        return interactions.DOOR
    if not isinstance(value, dict):
        return interactions.DOOR
    if "payload" in value:
        return webhook.DOOR
    if not value.keys().isdisjoint(("event_type", "user_properties")):
        return amplitude.DOOR
    return rest.DOOR if value.get("type") in (IDENTIFY, TRACK, GROUP) else interactions.DOOR


def _resume_at(store: Store, connection: Connection, place: bytes, lines: BinaryIO) -> int:
    """Return where an earlier run stopped, 0 unless the file still reads the same just before that."""
    offset, before = store.shelves.import_state(connection.id, place)
    return offset if _before(lines, offset) == before else 0


def _before(lines: BinaryIO, offset: int) -> bytes:
    """Return a digest of what stands just before an offset, and stay at the offset."""
    lines.seek(max(0, offset - _LOOK_BACK_BYTES))
    seen = lines.read(offset - lines.tell())
    return hashlib.sha256(offset.to_bytes(8) + seen).digest()


COMMANDS = (import_,)
