"""Commands that send events again from the log: replay --connection NAME …, replay list, show, cancel, resume."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from candu_source.cli.foreground import carry_out, go_on
from candu_source.cli.show import actor, choose, clock, connection_option, emit, emit_one, json_option, opened, plain
from candu_source.doors import DOORS
from candu_source.dry_run import Difference, DryRun
from candu_source.errors import UsageError
from candu_source.jobs import Replay, ReplayKind, State, Wanted
from candu_source.model import Connection
from candu_source.moments import moment
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE, Store

_VALUE_CHARACTERS = 60


class _StartFirst(click.Group):
    """Take `replay --connection NAME` for `replay start --connection NAME`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if known else ["start", *args])


@click.group(cls=_StartFirst)
def replay() -> None:
    """Send events again from the log, through today's mapping. Without a verb: start."""


@replay.command()
@connection_option
@click.option("--lane", default=SEGMENT_LANE, show_default=True, help="Destination to send to.")
@click.option("--since", metavar="TIME", help="Only events accepted since then: ISO 8601, or 2h, 3d for so long ago.")
@click.option("--until", metavar="TIME", help="Only events accepted before then.")
@click.option("--event", metavar="NAME", help="Only events of this name, Candu's or Segment's.")
@click.option("--user", metavar="ID", help="Only events of this user id or anonymous id.")
@click.option("--dry-run", is_flag=True, help="Send nothing: print what would come of it, field by field.")
@click.option(
    "--calls", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="With --dry-run: write the calls, one a line."
)
@click.option("--as-new", is_flag=True, help="Under new message ids, so that Segment counts them again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def start(
    settings: Settings,
    /,
    name: str | None,
    lane: str,
    since: str | None,
    until: str | None,
    event: str | None,
    user: str | None,
    dry_run: bool,
    calls: Path | None,
    as_new: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Send delivered events again, at most CANDU_SOURCE_REPLAY_EVENTS_PER_SECOND, live events first.

    If it is interrupted the worker goes on with it.
    """
    if calls and not dry_run:
        raise UsageError("--calls goes with --dry-run")
    now = time.time()
    wanted = Wanted(since=moment(since, now) if since else None, until=moment(until, now) if until else None, event=event, user=user)
    with opened(settings) as store:
        connection = choose(store, name)
        draft = store.replays.draft(connection, ReplayKind.EVENTS, wanted, destination=lane, as_new=as_new)
        if dry_run:
            _show_dry_run(_foretell(store, connection, draft, calls, visible=not as_json), as_json=as_json)
            return
        if not yes and draft.total:
            click.confirm(_question(connection, draft), abort=True, err=True)
        ended = carry_out(settings, store, connection, draft, visible=not as_json)
    _finish(ended, as_json=as_json)


@replay.command("list")
@connection_option
@json_option
@click.pass_obj
def list_replays(settings: Settings, name: str | None, as_json: bool) -> None:
    """List replays, latest first: of events, rejects, filtered events and dead letters."""
    with opened(settings) as store:
        rows = [_row(each) for each in store.replays.all(choose(store, name).id)]
    emit(rows, as_json=as_json, empty="No replay yet.", hidden=("detail", "namespace", "wanted", "changed_at"))


@replay.command()
@click.argument("identifier", type=int, metavar="ID")
@connection_option
@json_option
@click.pass_obj
def show(settings: Settings, identifier: int, name: str | None, as_json: bool) -> None:
    """Show one replay, and what it waits for."""
    with opened(settings) as store:
        found = store.replays.get(choose(store, name).id, identifier)
        waits = store.replays.waits(found) if found.state is State.RUNNING else None
    emit_one({**_row(found), "waits": waits}, as_json=as_json)


@replay.command()
@click.argument("identifier", type=int, metavar="ID")
@connection_option
@click.pass_obj
def cancel(settings: Settings, identifier: int, name: str | None) -> None:
    """Stop a replay where it is."""
    with opened(settings) as store:
        ended = store.replays.cancel(choose(store, name), identifier, by=actor())
    click.echo(f"Replay {ended.id} is cancelled after {ended.looked_at} of {ended.total}; `replay resume {ended.id}` goes on.")


@replay.command()
@click.argument("identifier", type=int, metavar="ID")
@connection_option
@json_option
@click.pass_obj
def resume(settings: Settings, identifier: int, name: str | None, as_json: bool) -> None:
    """Go on in the foreground with a replay that is held or cancelled, or that nobody works on."""
    with opened(settings) as store:
        ended = go_on(settings, store, choose(store, name), identifier, visible=not as_json)
    _finish(ended, as_json=as_json)


def _question(connection: Connection, draft: Replay) -> str:
    narrowed = draft.wanted.event is not None or draft.wanted.user is not None
    what = f"Look through {draft.total} events of {connection.name} and send those that match" if narrowed else ""
    what = what or f"Send {draft.total} events of {connection.name}"
    ids = "new message ids: Segment counts them again" if draft.namespace else "the same message ids: Segment drops what it still remembers"
    return f"{what} to {draft.destination} again, through today's mapping, under {ids}?"


def _finish(ended: Replay, *, as_json: bool) -> None:
    emit_one(_row(ended), as_json=as_json)
    if ended.state is State.HELD:
        click.echo(f"Replay {ended.id} is held ({plain(ended.detail)}); mend that, then `replay resume {ended.id}`.", err=True)
    sys.exit(0 if ended.state is State.DONE else 1)


def _row(found: Replay) -> dict[str, Any]:
    wanted = {name: value for name, value in asdict(found.wanted).items() if value is not None}
    return {
        "id": found.id,
        "kind": found.kind,
        "lane": found.destination,
        "state": found.state,
        "detail": found.detail,
        "looked_at": found.looked_at,
        "total": found.total,
        "counts": dict(found.counts),
        "namespace": found.namespace,
        "wanted": {**wanted, **{name: clock(wanted[name]) for name in ("since", "until") if name in wanted}},
        "who": found.who,
        "created_at": clock(found.created_at),
        "changed_at": clock(found.changed_at),
    }


def _foretell(store: Store, connection: Connection, draft: Replay, calls: Path | None, *, visible: bool) -> DryRun:
    with _lines(calls) as call, Progress(console=Console(stderr=True), disable=not visible) as progress:
        run = DryRun(draft, connection, DOORS, store.replayable, call)
        task = progress.add_task("dry run", total=draft.total)
        while run.step():
            progress.update(task, completed=run.replay.looked_at)
    return run


@contextlib.contextmanager
def _lines(path: Path | None) -> Iterator[Callable[[bytes], object] | None]:
    """Give what writes a call as a line, where a file is named."""
    if path is None:
        yield None
        return
    try:
        with path.open("wb") as file:
            yield lambda call: file.write(call + b"\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _show_dry_run(run: DryRun, *, as_json: bool) -> None:
    found = sorted(run.differences.values(), key=lambda each: -each.events)
    if as_json:
        emit_one(
            {"calls": run.calls, "counts": run.counts, "fields": [_field(each) for each in found], "samples": run.samples}, as_json=True
        )
        return
    rows = [
        {"what": what, "events": events, "for_example": next(iter(run.samples.get(what, [])), None)} for what, events in run.counts.items()
    ]
    emit(rows, as_json=False, empty="No delivered event in that time.")
    if found:
        click.echo("\nWhat differs from what was sent:")
        emit(
            [{"field": each.path, "change": each.kind, "events": each.events, "sample": _shown(each)} for each in found],
            as_json=False,
            empty="",
        )
    click.echo(f"\n{run.calls} calls would be sent.")


def _field(found: Difference) -> dict[str, Any]:
    return {**asdict(found), "samples": [sample._asdict() for sample in found.samples]}


def _shown(found: Difference) -> str:
    old, new = (json.dumps(value, ensure_ascii=False)[:_VALUE_CHARACTERS] for value in (found.samples[0].old, found.samples[0].new))
    return f"{old} → {new}"


COMMANDS = (replay,)
