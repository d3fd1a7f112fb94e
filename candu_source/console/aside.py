"""What went aside, by reason: rejects, dead letters, filtered events. Each can be looked at, mended and sent again."""

from __future__ import annotations

from typing import Any

from candu_source.console.desk import Desk, Form, identifier
from candu_source.console.frame import Action, Done, Page
from candu_source.doors import DOORS
from candu_source.errors import UsageError
from candu_source.jobs import ReplayKind, Wanted
from candu_source.mending import mend
from candu_source.store import SEGMENT_LANE
from candu_source.store.groups import DeadGroup, FilteredGroup
from candu_source.store.shelves import KeptReject, errors_of

_SAMPLES, _A_PAGE = 3, 50


def rejects(desk: Desk) -> dict[str, Any]:
    """Show refused inputs by reason with a few of each; `reason` shows all of one."""
    reason = desk.query.text("reason")
    groups = desk.store.groups.rejects(desk.connection.id)
    chosen = [group for group in groups if not reason or group.code == reason]
    most = _A_PAGE if reason else _SAMPLES
    return {
        "groups": [
            {**group._asdict(), "samples": [_reject(each) for each in desk.store.groups.rejects_of(desk.connection.id, group.code, most)]}
            for group in chosen
        ],
        "reason": reason or None,
        "now": desk.now,
    }


def _reject(kept: KeptReject) -> dict[str, Any]:
    return {
        "id": kept.id,
        "door": kept.door,
        "reason": kept.code,
        "errors": errors_of(kept),
        "times": kept.times,
        "first_at": kept.first_at,
        "last_at": kept.last_at,
        "raw": kept.raw.decode("utf-8", "replace"),
    }


def reject(desk: Desk) -> dict[str, Any]:
    """Show one refused input with its bytes, to be mended."""
    return {"reject": _reject(desk.store.shelves.reject(desk.connection.id, identifier(desk.part["id"]))), "now": desk.now}


def dead(desk: Desk) -> dict[str, Any]:
    """Show dead letters by reason with a few of each; `reason` shows all of one. What is only parked is none."""
    reason = desk.query.text("reason")
    chosen = [group for group in desk.store.groups.dead(desk.connection.id) if not reason or group.reason == reason]
    groups = [{**group._asdict(), "samples": _dead_samples(desk, group, _A_PAGE if reason else _SAMPLES)} for group in chosen]
    return {"groups": [group for group in groups if group["samples"]], "reason": reason or None, "now": desk.now}


def _dead_samples(desk: Desk, group: DeadGroup, most: int) -> list[dict[str, Any]]:
    return [
        {"message_id": each.message_id, "detail": each.detail, "died_at": each.died_at, "replaying": each.replay_at is not None}
        for each in desk.store.groups.dead_of(desk.connection.id, group.destination, group.reason, most)
    ]


def filtered(desk: Desk) -> dict[str, Any]:
    """Show filtered events by reason and name with a few of each."""
    groups = desk.store.groups.filtered(desk.connection.id)
    return {"groups": [{**group._asdict(), "samples": _filtered_samples(desk, group)} for group in groups], "now": desk.now}


def _filtered_samples(desk: Desk, group: FilteredGroup) -> list[dict[str, Any]]:
    kept = desk.store.groups.filtered_of(desk.connection.id, group.reason, group.name, _SAMPLES)
    return [{**each._asdict(), "raw": each.raw.decode("utf-8", "replace")} for each in kept]


def replay(desk: Desk, form: Form) -> Done:
    """Send again what matches: a job that the worker does, one for the kind `rejects`, `filtered` or `dead`."""
    kind = form.one_of("kind", ReplayKind)
    if kind is ReplayKind.EVENTS:
        raise UsageError("kind: events of the log are replayed from Replays, where a dry run shows what would change")
    ids = tuple(identifier(each) for each in form.many("id")) or None
    wanted = Wanted(reason=form.text("reason") or None, event=form.text("event") or None, message=form.text("message") or None, ids=ids)
    job = desk.store.replays.draft(desk.connection, kind, wanted, destination=form.text("destination") or SEGMENT_LANE)
    started = desk.store.replays.start(desk.connection, job, by=desk.by)
    return Done(f"{started.total} will be sent again.", f"connections/{desk.connection.id}/replays/{started.id}", {"replay": started.id})


def mend_reject(desk: Desk, form: Form) -> Done:
    """Send one reject through its door again, with bytes that were edited."""
    store, number = desk.store, identifier(desk.part["id"])
    receipt = mend(
        desk.connection,
        number,
        form.text("raw").encode("utf-8", "replace"),
        rejects=store.replayable,
        doors=DOORS,
        log=store.log,
        by=desk.by,
    )
    if receipt.rejected:
        field, messages = next(iter(receipt.rejected[0].errors.items()))
        raise UsageError(f"{field}: {messages[0]}")
    became = "accepted" if receipt.accepted else "there already" if receipt.duplicates else "filtered"
    return Done(f"Reject {number} is {became}.", f"connections/{desk.connection.id}/rejects", {"became": became})


PAGES = (
    Page("connections/{connection}/rejects", "rejects.html", rejects),
    Page("connections/{connection}/rejects/{id}", "reject.html", reject),
    Page("connections/{connection}/dead", "dead.html", dead),
    Page("connections/{connection}/filtered", "filtered.html", filtered),
)
ACTIONS = (
    Action("connections/{connection}/rejects/{id}/mend", mend_reject),
    Action("connections/{connection}/replays/aside", replay),
)
