"""Events sent again by today's mapping: what it would change, the jobs, and how far they are."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from candu_source.console.delivery import read_time
from candu_source.console.desk import Desk, Form, identifier
from candu_source.console.frame import Action, Done, Page
from candu_source.doors import DOORS
from candu_source.dry_run import DryRun
from candu_source.jobs import Replay, ReplayKind, State, Wanted
from candu_source.store import SEGMENT_LANE

# A dry run on a page looks at so many events, the latest; the command line looks at all.
_LOOKED_AT = 1_000


def replays(desk: Desk) -> dict[str, Any]:
    """List the connection's jobs, latest first."""
    jobs = desk.store.replays.all(desk.connection.id)
    warehouses = {each.name for each in desk.store.warehouses.all(desk.connection.id)}  # those have backfills
    return {
        "replays": [_shown(job) for job in jobs],
        "lanes": [(lane, lane.capitalize()) for lane in desk.store.connections.lanes(desk.connection.id) if lane not in warehouses],
        "running": any(job.state is State.RUNNING for job in jobs),
        "asked": {name: desk.query.text(name) for name in ("since", "until", "event", "user")},
        "now": desk.now,
    }


def replay(desk: Desk) -> dict[str, Any]:
    """Show one job with what came of its inputs."""
    job = desk.store.replays.get(desk.connection.id, identifier(desk.part["id"]))
    return {"replay": _shown(job), "waits": desk.store.replays.waits(job), "now": desk.now}


def dry_run(desk: Desk) -> dict[str, Any]:
    """Foretell what a replay would send; nothing is sent. On a page the latest events stand for all."""
    job = _draft(desk, desk.query)
    latest = replace(job, place=max(job.place, job.until - _LOOKED_AT), total=min(job.total, _LOOKED_AT))
    run = DryRun(latest, desk.connection, DOORS, desk.store.replayable)
    while latest.total and run.step():
        continue
    return {
        "total": job.total,
        "looked_at": latest.total,
        "counts": dict(run.counts),
        "calls": run.calls,
        "differences": [
            {
                "path": each.path,
                "kind": each.kind,
                "events": each.events,
                "samples": [sample._asdict() for sample in each.samples],
            }
            for each in run.differences.values()
        ],
        "asked": {name: desk.query.text(name) for name in ("since", "until", "event", "user", "destination", "as_new")},
    }


def start(desk: Desk, form: Form) -> Done:
    """Start a replay of events from the log."""
    started = desk.store.replays.start(desk.connection, _draft(desk, form), by=desk.by)
    return Done(f"Replay {started.id} has begun: {started.total} events.", f"{_place(desk)}/{started.id}", {"replay": started.id})


def cancel(desk: Desk, form: Form) -> Done:
    """Stop a job where it is."""
    job = desk.store.replays.cancel(desk.connection, identifier(form.required("id")), by=desk.by)
    return Done(f"Replay {job.id} is cancelled.", f"{_place(desk)}/{job.id}")


def resume(desk: Desk, form: Form) -> Done:
    """Let a job go on where it stopped."""
    job = desk.store.replays.resume(desk.connection, identifier(form.required("id")), by=desk.by)
    return Done(f"Replay {job.id} goes on.", f"{_place(desk)}/{job.id}")


def _draft(desk: Desk, form: Form) -> Replay:
    wanted = Wanted(
        since=read_time(desk, form, "since"),
        until=read_time(desk, form, "until"),
        event=form.text("event") or None,
        user=form.text("user") or None,
    )
    lane = form.text("destination") or SEGMENT_LANE
    return desk.store.replays.draft(desk.connection, ReplayKind.EVENTS, wanted, destination=lane, as_new=form.flag("as_new"))


def _shown(job: Replay) -> dict[str, Any]:
    wanted = {name: value for name, value in asdict(job.wanted).items() if value is not None}
    return {
        "id": job.id,
        "kind": job.kind,
        "destination": job.destination,
        "wanted": wanted,
        "as_new": job.namespace is not None,
        "state": job.state,
        "detail": job.detail,
        "total": job.total,
        "looked_at": job.looked_at,
        "counts": dict(job.counts),
        "who": job.who,
        "created_at": job.created_at,
        "changed_at": job.changed_at,
        "due_at": job.due_at,
    }


def _place(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/replays"


PAGES = (
    Page("connections/{connection}/replays", "replays.html", replays),
    Page("connections/{connection}/replays/dry-run", "dry_run.html", dry_run),
    Page("connections/{connection}/replays/{id}", "replay.html", replay),
)
ACTIONS = (
    Action("connections/{connection}/replays/start", start),
    Action("connections/{connection}/replays/cancel", cancel),
    Action("connections/{connection}/replays/resume", resume),
)
