"""Work through a replay in the foreground, with its progress shown; it needs no running service."""

from __future__ import annotations

import io
import os
import secrets
import sys
import time

import click

from candu_source import app
from candu_source.cli.bar import bar
from candu_source.cli.show import actor, plain
from candu_source.jobs import Replay, State
from candu_source.model import Connection
from candu_source.observe import Telltale
from candu_source.replaying import Replayer
from candu_source.settings import Settings
from candu_source.store import Store

_LOOK_SECONDS = 0.05
_INTERRUPTED = 130  # what shells say of a command that Ctrl-C ended


def carry_out(settings: Settings, store: Store, connection: Connection, draft: Replay, *, visible: bool) -> Replay:
    """Start a job, work through it here and return it as it ended; Ctrl-C leaves it to the worker."""
    name = _lessee()
    return _follow(settings, store, store.replays.start(connection, draft, by=actor(), worker=name), name, visible=visible)


def go_on(settings: Settings, store: Store, connection: Connection, identifier: int, *, visible: bool) -> Replay:
    """Resume a job and work through the rest of it here; one that runs is followed, and taken over when nobody else holds it."""
    found = store.replays.get(connection.id, identifier)
    if found.state is not State.RUNNING:
        found = store.replays.resume(connection, identifier, by=actor())
    return _follow(settings, store, found, _lessee(), visible=visible)


def _lessee() -> str:
    """Return a name to hold leases by that no other process has."""
    return f"command line {os.getpid()} {secrets.token_hex(4)}"


def _follow(settings: Settings, store: Store, replay: Replay, name: str, *, visible: bool) -> Replay:
    quiet = Telltale(io.StringIO())
    replayer = app.build_replayer(settings, quiet, store, app.build_worker(settings, quiet, store), name=name)
    try:
        return _until_it_ends(store, replayer, replay, visible=visible)
    except KeyboardInterrupt:
        click.echo(f"\nThe worker goes on with replay {replay.id}; `replay cancel {replay.id}` ends it.", err=True)
        sys.exit(_INTERRUPTED)
    finally:
        store.turns.release(name)


def _until_it_ends(store: Store, replayer: Replayer, replay: Replay, *, visible: bool) -> Replay:
    told: str | None = None
    with bar(f"replay {replay.id}", visible=visible) as tell:
        tell(replay.looked_at, replay.total)
        while replay.state is State.RUNNING:
            if not replayer.step(replay.id):
                time.sleep(_LOOK_SECONDS)
            replay = store.replays.get(replay.connection, replay.id)
            waits = store.replays.waits(replay) or replay.detail
            if waits and waits != told:
                click.echo(f"Replay {replay.id} waits: {plain(waits)}.", err=True)
            told = waits
            tell(replay.looked_at, replay.total)
    return replay
