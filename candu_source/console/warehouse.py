"""A connection's warehouses: how each is kept up to date, what is in it, and what came of its syncs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.console.health import Rank, Word
from candu_source.console.layout import layout
from candu_source.console.words import plural
from candu_source.destinations.warehouse.questions import QUESTIONS
from candu_source.destinations.warehouse.selection import ALWAYS, Collection, Selection
from candu_source.errors import NotFound, UsageError
from candu_source.warehouses import EVERYTHING, Remark, Sync, Table, Upkeep, Warehouse

_DAY_MINUTES = 1_440
# What a page tells of: two days of syncs every hour, the latest of them line by line.
_SYNCS, _LATEST = 48, 8
# The name of a connection's first warehouse.
FIRST = "warehouse"


def warehouse(desk: Desk) -> dict[str, Any]:
    """Show one warehouse (`warehouse` names it where there are several): its state, tables, syncs and notices; nothing is counted in it."""
    there = [each.name for each in desk.store.warehouses.all(desk.connection.id)]
    name = desk.query.text("warehouse") or next(iter(there), None)
    chosen = desk.store.warehouses.named(desk.connection, name) if name else None
    return {
        "warehouses": there,
        "warehouse": chosen and _shown(desk, chosen),
        "free_name": FIRST if FIRST not in there else f"{FIRST}-{len(there) + 1}",
        "schema": chosen.schema if chosen else desk.connection.slug,
        "questions": {each.name: {"asks": each.asks, "picture": each.picture} for each in QUESTIONS.values()},
        "now": desk.now,
    }


def table(desk: Desk) -> dict[str, Any]:
    """Show one table with its columns, and which of them are loaded."""
    chosen = chosen_warehouse(desk, desk.query)
    upkeep, name = desk.store.warehouses.upkeep(chosen), desk.part["id"]
    selection = Selection.read(chosen.selection)
    there = {each.name: each for each in upkeep.tables}.get(name)
    if there is None and name not in selection.collections:
        raise NotFound(f"the warehouse {chosen.name} has no table {name!r}; the next sync may make it")
    collection = selection.of(name)
    columns = there.columns if there else {}
    words = {**columns, **{column: "" for column in sorted(collection.excluded) if column not in columns}}
    return {
        "warehouse": chosen.name,
        "schema": chosen.schema,
        "table": name,
        "rows": there.rows if there else 0,
        "loaded": collection.loaded,
        "columns": [
            {"name": column, "type": kind, "loaded": column not in collection.excluded, "always": column in ALWAYS}
            for column, kind in words.items()
        ],
        "now": desk.now,
    }


def state(upkeep: Upkeep) -> Word:
    """Return the word for how a warehouse is: pure."""
    if upkeep.syncing_since is not None:
        return Word("Syncing", Rank.WAIT)
    if upkeep.asked is not None:
        return Word("Sync asked for", Rank.WAIT)
    if upkeep.failures:
        return Word(f"Failed {plural(upkeep.failures, 'time')} in a row", Rank.BAD)
    if not upkeep.enabled:
        return Word("Paused", Rank.WAIT)
    if upkeep.last is None:
        return Word("First sync to come", Rank.CALM)
    return Word(f"{plural(upkeep.pending, 'event')} to come", Rank.CALM) if upkeep.pending else Word("Up to date", Rank.GOOD)


def _shown(desk: Desk, chosen: Warehouse) -> dict[str, Any]:
    upkeep, syncs = desk.store.warehouses.upkeep(chosen), desk.store.warehouses.syncs(chosen, _SYNCS)
    selection, said = Selection.read(chosen.selection), state(upkeep)
    return {
        **{name: getattr(chosen, name) for name in ("name", "shown", "schema", "every", "max_pending", "created_at")},
        "state": said.word,
        "kind": said.kind,
        "on": desk.store.connections.lanes(desk.connection.id)[chosen.name],
        "moving": upkeep.syncing_since is not None or upkeep.asked is not None,
        **{
            name: getattr(upkeep, name) for name in ("enabled", "failures", "due_at", "syncing_since", "pending", "oldest_pending", "asked")
        },
        "rows": sum(each.rows for each in upkeep.tables),
        "tables": [_table(each, selection) for each in upkeep.tables],
        "layout": layout(upkeep.tables),
        "left_out": sorted(name for name, each in selection.collections.items() if not each.loaded),
        "source_on": selection.enabled,
        "last": upkeep.last and _sync(upkeep.last),
        "syncs": [_sync(each) for each in syncs[:_LATEST]],
        "chart": _chart(syncs),
        "remarks": _together(syncs),
    }


def _table(each: Table, selection: Selection) -> dict[str, Any]:
    collection = selection.of(each.name)
    return {**asdict(each), "loaded": collection.loaded, "excluded": sorted(collection.excluded)}


def _sync(each: Sync) -> dict[str, Any]:
    return {
        **{name: getattr(each, name) for name in ("id", "started_at", "seconds", "events", "rows", "error")},
        "remarks": sum(remark.times for remark in each.remarks),
    }


def _chart(syncs: Sequence[Sync]) -> dict[str, Any]:
    """Return the picture of some syncs, which are given latest first; one that failed is a gap."""
    ordered = sorted(syncs, key=lambda each: each.started_at)

    def line(label: str, what: str) -> dict[str, Any]:
        return {"label": label, "points": [None if each.error else getattr(each, what) for each in ordered]}

    return {"times": [each.started_at for each in ordered], "lines": [line("events read", "events"), line("new rows", "rows")]}


def _together(syncs: Iterable[Sync]) -> list[dict[str, Any]]:
    """Return what some syncs remarked, the same thing once, with how often and when it was last."""
    counted: dict[tuple[str, str, str], dict[str, Any]] = {}
    for sync in syncs:
        for remark in map(Remark._make, sync.remarks):
            key = (remark.table, remark.column, remark.what)
            known = counted.setdefault(key, {**remark._asdict(), "times": 0, "last_at": sync.started_at})
            known["times"] += remark.times
    return sorted(counted.values(), key=lambda each: -each["times"])


def sync(desk: Desk, form: Form) -> Done:
    """Ask for a sync at once."""
    chosen = chosen_warehouse(desk, form)
    desk.store.warehouses.ask(desk.connection, chosen, by=desk.by)
    return Done("A sync begins within a second.", tab(desk, chosen))


def backfill(desk: Desk, form: Form) -> Done:
    """Ask for tables (`table`, may be several) or everything (`all`) once more, from where the log begins."""
    chosen, tables = chosen_warehouse(desk, form), [each.strip() for each in form.many("table") if each.strip()]
    if not tables and not form.flag("all"):
        raise UsageError("table: name the table that is to be loaded again, or tick all")
    desk.store.warehouses.ask(desk.connection, chosen, [EVERYTHING] if form.flag("all") else tables, by=desk.by)
    return Done("The next sync, within a second, begins where the log begins. Rows that are there stay as they are.", tab(desk, chosen))


def switch(desk: Desk, form: Form) -> Done:
    """Pause a warehouse or let it go on (`on`)."""
    chosen, on = chosen_warehouse(desk, form), form.flag("on")
    desk.store.connections.set_lane(desk.connection, chosen.name, on, by=desk.by)
    return Done("It is kept up to date again." if on else "Paused. Its events wait in the log.", tab(desk, chosen))


def change(desk: Desk, form: Form) -> Done:
    """Change how often a warehouse is synced (`every`, in minutes), and how many events may wait until then (`max_pending`)."""
    chosen = chosen_warehouse(desk, form)
    drafted = replace(chosen, every=every(form, chosen.every), max_pending=most(form, chosen.max_pending))
    desk.store.warehouses.save(desk.connection, drafted, by=desk.by)
    return Done(f"It is synced every {plural(drafted.every, 'minute')} now.", tab(desk, chosen))


def select(desk: Desk, form: Form) -> Done:
    """Choose whether a table is loaded (`loaded`), and which of some columns (`known`) are (`column`). What is there stays."""
    chosen, name = chosen_warehouse(desk, form), form.required("table")
    selection = Selection.read(chosen.selection)
    excluded = (selection.of(name).excluded - set(form.many("known"))) | (set(form.many("known")) - set(form.many("column")) - ALWAYS)
    drafted = selection.choosing(name, Collection(form.flag("loaded"), frozenset(excluded)))
    written = drafted.write()
    Selection.read(written)
    desk.store.warehouses.save(desk.connection, replace(chosen, selection=written), by=desk.by)
    return Done(f"Chosen for {name}; it holds from the next sync on.", tab(desk, chosen))


def remove(desk: Desk, form: Form) -> Done:
    """Forget a warehouse; what was loaded stays where it is."""
    chosen = chosen_warehouse(desk, form)
    desk.store.warehouses.remove(desk.connection, chosen, by=desk.by)
    return Done(f"The warehouse {chosen.name} is forgotten; what was loaded is still in {chosen.shown}.", tab(desk))


def chosen_warehouse(desk: Desk, form: Form) -> Warehouse:
    """Return the warehouse that a form names, or the only one; raise NotFound and UsageError."""
    return desk.store.warehouses.named(desk.connection, form.text("warehouse") or None)


def every(form: Form, default: int) -> int:
    """Return the minutes between syncs that a form asks for."""
    return form.whole("every", default, least=1, most=_DAY_MINUTES)


def most(form: Form, default: int) -> int:
    """Return how many events a form lets wait until then."""
    return form.whole("max_pending", default)


def tab(desk: Desk, chosen: Warehouse | None = None) -> str:
    """Return the address of the tab, for those who go on to it."""
    return f"connections/{desk.connection.id}/warehouse" + (f"?warehouse={chosen.name}" if chosen else "")


PAGES = (
    Page("connections/{connection}/warehouse", "warehouse.html", warehouse),
    Page("connections/{connection}/warehouse/tables/{id}", "warehouse_table.html", table),
)
ACTIONS = (
    Action("connections/{connection}/warehouse/sync", sync),
    Action("connections/{connection}/warehouse/backfill", backfill),
    Action("connections/{connection}/warehouse/switch", switch),
    Action("connections/{connection}/warehouse/change", change),
    Action("connections/{connection}/warehouse/select", select),
    Action("connections/{connection}/warehouse/remove", remove),
)
