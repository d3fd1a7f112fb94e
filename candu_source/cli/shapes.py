"""Commands about the shape of what comes in: what was not as known, and what to do about it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import click

from candu_source.cli.show import choose, clock, connection_option, emit, emit_one, json_option, opened, plain, readable
from candu_source.documented import touches
from candu_source.errors import UsageError
from candu_source.findings import said
from candu_source.settings import Settings
from candu_source.shapes import REST
from candu_source.store.shapes import KeptNotice


@click.group()
def shapes() -> None:
    """New, missing and retyped fields, and names of Candu's that are not known: each noticed once and counted."""


@shapes.command("list")
@connection_option
@click.option("--all", "everything", is_flag=True, help="Those acknowledged, too.")
@json_option
@click.pass_obj
def list_(settings: Settings, name: str | None, everything: bool, as_json: bool) -> None:
    """List what was noticed and is not acknowledged, with the mapping line that it touches."""
    with opened(settings) as store:
        connection = store.connections.named(name).id if name else None
        notices = store.shapes.notices(connection, acked=everything)
    rows = [_row(notice) for notice in notices]
    empty = "Nothing was noticed: every input has the shape that is known."
    if not everything:
        empty = "Nothing new: every shape is as known, or acknowledged (`shapes list --all` shows those)."
    if as_json or not rows:
        emit(rows, as_json=as_json, empty=empty)
        return
    click.echo("\n\n".join(map(_said, rows)))


@shapes.command()
@click.argument("identifier", type=int, metavar="ID")
@connection_option
@json_option
@click.pass_obj
def show(settings: Settings, identifier: int, name: str | None, as_json: bool) -> None:
    """Show one notice: the first input that had it, the mapping line it touches, and what to do."""
    with opened(settings) as store:
        notice = store.shapes.notice(store.connections.named(name).id if name else None, identifier)
        sample = store.shapes.sample(notice)
    row, advice = _row(notice), _advice(notice)
    if as_json:
        emit_one({**row, "what_to_do": advice, "sample": readable(sample) if sample else None}, as_json=True)
        return
    emit_one(row, as_json=False)
    click.echo("\n".join(["\nwhat to do", *advice, "\nsample", _pretty(sample)]))


@shapes.command()
@click.argument("identifiers", type=int, metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every notice of the connection.")
@connection_option
@json_option
@click.pass_obj
def ack(settings: Settings, identifiers: tuple[int, ...], everything: bool, name: str | None, as_json: bool) -> None:
    """Acknowledge notices: they are counted on and listed no more."""
    if bool(identifiers) == everything:
        raise UsageError(
            "name the notices to acknowledge (`shapes ack 1 2`), or all of a connection's (`shapes ack --all --connection NAME`)"
        )
    with opened(settings) as store:
        if everything:
            done = store.shapes.ack(choose(store, name).id)
        else:
            connection = store.connections.named(name).id if name else None
            found = [store.shapes.notice(connection, each) for each in identifiers]
            done = sum(store.shapes.ack(notice.connection, notice.id) for notice in found)
    emit_one({"acknowledged": done}, as_json=as_json)


def _said(row: Mapping[str, Any]) -> str:
    """Say one notice in lines that fit any terminal: paths and names are long."""
    times = "once" if row["count"] == 1 else f"{row['count']:,} times"
    acknowledged = ", acknowledged" if row["acknowledged_at"] else ""
    lines = [
        f"{row['id']:>4}  {row['connection']} › {row['door']} › {row['event'] or '(no name)'}  {times}{acknowledged}",
        said(row["change"], row["path"], row["type"]),
        *([f"touches {row['touches']}"] if row["touches"] else []),
        f"candu-source {row['next']}",
    ]
    return "\n      ".join(map(plain, lines))


def _row(notice: KeptNotice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "connection": notice.connection_name,
        "door": notice.door,
        "event": notice.event,
        "change": notice.change,
        "path": notice.path,
        "type": notice.type or None,
        "count": notice.times,
        "touches": _touched(notice),
        "first_at": clock(notice.first_at),
        "last_at": clock(notice.last_at),
        "acknowledged_at": clock(notice.acked_at),
        "next": _next(notice),
    }


def _touched(notice: KeptNotice) -> str | None:
    if notice.change == "unknown_event":
        return "the table of names"
    return touches(notice.door, notice.event, notice.path) or None


def _next(notice: KeptNotice) -> str:
    """Return the command to type after `candu-source`."""
    if notice.change == "unknown_event" and notice.event != REST:
        return f"connections set {shlex.quote(notice.connection_name)} --classify {shlex.quote(notice.event + '=interaction')}"
    return f"shapes show {notice.id}"


def _advice(notice: KeptNotice) -> list[str]:
    whose = f"--connection {shlex.quote(notice.connection_name)}"
    done = f"`shapes ack {notice.id}` takes it off the list; it is counted on."
    if notice.change == "unknown_event" and notice.event == REST:
        return [f"Too many names to keep apart: `filtered list {whose}` shows each.", done]
    if notice.change == "unknown_event":
        return [
            f"Say what the event becomes, with =interaction, =view or =filter: `{_next(notice)}`.",
            f"Then send what was kept: `filtered replay {whose} --name {shlex.quote(notice.event)}`.",
            done,
        ]
    if notice.change == "new":
        used = (
            "The mapping passes it on." if _touched(notice) else "No line of the mapping uses it: it stays in the raw input of each event."
        )
        return [f"Nothing is lost. {used}", f"A door that knows no such field refuses it: `rejects list {whose}` shows what it kept.", done]
    return [f"See whether inputs were refused for it: `rejects list {whose}`; once that is mended, `rejects replay {whose}`.", done]


def _pretty(sample: bytes) -> str:
    if not sample:
        return "Released by retention."
    value = readable(sample)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


COMMANDS = (shapes,)
