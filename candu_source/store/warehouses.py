"""Keep warehouses: where they are, how they are kept up to date, and what came of their syncs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from candu_source.cadence import next_sync
from candu_source.errors import Conflict, NotFound, UsageError
from candu_source.model import Connection, Secret
from candu_source.naming import insist_on_lane_name
from candu_source.store.audit import MASKED, write_audit
from candu_source.store.sqlite import Database
from candu_source.store.vault import Vault
from candu_source.warehouses import Remark, Sync, Table, Upkeep, Warehouse

# A week of syncs every half hour; older ones stand in the warehouse.
_SYNCS_KEPT = 336
# What a day can be divided by: syncs are counted from midnight.
_EVERY_MOST = 1_440
_CHANGEABLE = ("shown", "every", "max_pending", "selection", "choices")


class SqlWarehouses:
    """Add, find, change and remove warehouses; every call but `due` names its connection. `by` says who: it stands in the audit."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._sql = database.sql
        self._vault = vault

    def add(self, connection: Connection, draft: Warehouse, place: Secret, *, by: str) -> Warehouse:
        """Make a warehouse and its lane, which begins where the log begins; its first sync is due at once.

        Raises UsageError for a name or a cadence that is off, and Conflict for a lane that is there.
        """
        insist(draft)
        with self._database.write() as db:
            if (draft.name,) in db.execute(self._sql["lane_names"], {"connection": connection.id}).fetchall():
                raise Conflict(f"{connection.name} has a lane {draft.name!r}; choose another name")
            db.execute(self._sql["add_warehouse_lane"], _lane(draft))
            db.execute(self._sql["add_warehouse"], {**_row(draft), "place": self._vault.seal(place)})
            changes = {name: (None, value) for name, value in asdict(draft).items() if name in ("name", "schema", *_CHANGEABLE)}
            write_audit(db, self._sql, by, "warehouse.added", connection.name, changes, connection=connection.id)
        return self.named(connection, draft.name)

    def all(self, connection: str | None = None) -> list[Warehouse]:
        """List the warehouses of a connection's id, or all."""
        return [_read(row) for row in self._database.rows("warehouses", {"connection": connection})]

    def named(self, connection: Connection, name: str | None = None) -> Warehouse:
        """Find a warehouse by its name, or the only one there is; raise NotFound, and UsageError where there are several."""
        there = {each.name: each for each in self.all(connection.id)}
        if name in there:
            return there[name]
        if not there:
            raise NotFound(f"{connection.name} has no warehouse; `candu-source warehouse add` makes one")
        if name is None and len(there) == 1:
            return next(iter(there.values()))
        known = ", ".join(there)
        if name is None:
            raise UsageError(f"{connection.name} has several warehouses ({known}); name one with --warehouse")
        raise NotFound(f"{connection.name} has no warehouse {name!r}; it has {known}")

    def place(self, warehouse: Warehouse) -> Secret:
        """Return where it is, for the one place that opens it; raise NotFound or SecretUnreadable."""
        row = self._database.row("warehouse_place", _lane(warehouse))
        if row is None:
            raise NotFound(f"the warehouse {warehouse.name} was removed")
        return self._vault.open(row[0])

    def save(self, connection: Connection, warehouse: Warehouse, *, place: Secret | None = None, by: str) -> Warehouse:
        """Write back what may be changed, and where it is when that is given; raise NotFound and UsageError."""
        insist(warehouse)
        before = self.named(connection, warehouse.name)
        changes: dict[str, tuple[Any, Any]] = {
            name: (getattr(before, name), getattr(warehouse, name))
            for name in _CHANGEABLE
            if getattr(before, name) != getattr(warehouse, name)
        }
        if place:
            changes["place"] = (MASKED, MASKED)
        if changes:
            with self._database.write() as db:
                db.execute(self._sql["save_warehouse"], {**_row(warehouse), "place": self._vault.seal(place) if place else None})
                db.execute(self._sql["due_at_once"], _lane(warehouse))
                write_audit(db, self._sql, by, "warehouse.changed", connection.name, changes, connection=connection.id)
        return self.named(connection, warehouse.name)

    def remove(self, connection: Connection, warehouse: Warehouse, *, by: str) -> None:
        """Forget a warehouse and its lane; what was loaded stays where it is."""
        with self._database.write() as db:
            for name in ("remove_warehouse", "remove_lane", "remove_attempts", "remove_syncs"):
                db.execute(self._sql[name], _lane(warehouse))
            write_audit(db, self._sql, by, "warehouse.removed", connection.name, {"name": (warehouse.name, None)}, connection=connection.id)

    def ask(self, connection: Connection, warehouse: Warehouse, tables: Iterable[str] = (), *, by: str) -> None:
        """Ask for a sync at once, of some tables from the log's beginning (`*`: of all); the worker does it."""
        wanted = sorted({*tables, *(self.upkeep(warehouse).asked or ())})
        with self._database.write() as db:
            db.execute(self._sql["ask_sync"], {**_lane(warehouse), "asked": json.dumps(wanted)})
            db.execute(self._sql["due_at_once"], _lane(warehouse))
            changes = {"name": (None, warehouse.name), "backfill": (None, wanted)}
            write_audit(db, self._sql, by, "warehouse.asked", connection.name, changes, connection=connection.id)

    def upkeep(self, warehouse: Warehouse) -> Upkeep:
        """Tell how a warehouse is; raise NotFound."""
        row = self._database.row("upkeep", _lane(warehouse))
        if row is None:
            raise NotFound(f"the warehouse {warehouse.name} was removed")
        enabled, failures, due_at, since, pending, oldest, asked, tables = row
        return Upkeep(
            enabled=bool(enabled),
            failures=failures,
            due_at=due_at,
            syncing_since=since,
            pending=pending,
            oldest_pending=oldest,
            asked=frozenset(json.loads(asked)) if asked else None,
            tables=[Table(**each) for each in json.loads(tables)],
            last=next(iter(self.syncs(warehouse, 1)), None),
        )

    def syncs(self, warehouse: Warehouse, most: int) -> list[Sync]:
        """List what its syncs did, latest first."""
        rows = self._database.rows("syncs", {**_lane(warehouse), "most": most})
        return [
            Sync(started, seconds, events, new, [Remark(*each) for each in json.loads(remarks)], error, identifier)
            for started, seconds, events, new, remarks, error, identifier in rows
        ]

    def due(self, now: float) -> list[Warehouse]:
        """List the warehouses of all connections that are due, the longest-waiting first.

        One that is due and has nothing to load waits for its next turn: what comes by then is loaded together.
        """
        for connection, name, every in self._database.rows("idle_warehouses"):
            wait = {"connection": connection, "destination": name, "due_at": next_sync(every, 0, now)}
            self._database.run("await_turn", wait)
        due = [tuple(row) for row in self._database.rows("due_warehouses")]
        there = {(each.connection, each.name): each for each in self.all()} if due else {}
        return [there[lane] for lane in due if lane in there]

    def begun(self, warehouse: Warehouse) -> None:
        """Note that a sync of it is under way."""
        self._database.run("begin_sync", _lane(warehouse))

    def noted(self, warehouse: Warehouse, asked: frozenset[str]) -> None:
        """Note that the warehouse keeps by itself from where on it loads again what it was asked for; a sync is still asked for."""
        self._database.run("note_asked", {**_lane(warehouse), "asked": json.dumps(sorted(asked))})

    def ended(
        self, warehouse: Warehouse, sync: Sync, *, now: float, tables: Sequence[Table] | None = None, asked: frozenset[str] | None = None
    ) -> None:
        """Write down what a sync did, and when the next is due; `tables` as it left them, `asked` what it was asked for."""
        failures = self.upkeep(warehouse).failures + 1 if sync.error else 0
        row = {
            **_lane(warehouse),
            **{name: getattr(sync, name) for name in ("started_at", "seconds", "events", "rows", "error")},
            "remarks": json.dumps(sync.remarks),
            "tables": None if tables is None else json.dumps([asdict(table) for table in tables]),
            "asked": "" if asked is None else json.dumps(sorted(asked)),
            "due_at": next_sync(warehouse.every, failures, now),
            "most": _SYNCS_KEPT,
        }
        with self._database.write() as db:
            for name in ("add_sync", "trim_syncs", "end_sync", "put_off_sync"):
                db.execute(self._sql[name], row)

    def abandon(self) -> None:
        """Note that no sync is under way: who looked after them has ended."""
        self._database.run("end_syncs")


def insist(draft: Warehouse) -> None:
    """Raise UsageError for a name or a cadence that is off; of a name that passes a file may be called."""
    insist_on_lane_name("warehouse", draft.name)
    if not 1 <= draft.every <= _EVERY_MOST:
        raise UsageError(f"--every takes 1 to {_EVERY_MOST} minutes")
    if draft.max_pending < 0:
        raise UsageError("--max-pending takes 0 or more events")


def _lane(warehouse: Warehouse) -> dict[str, Any]:
    return {"connection": warehouse.connection, "destination": warehouse.name}


def _row(warehouse: Warehouse) -> Mapping[str, Any]:
    plain = {name: getattr(warehouse, name) for name in ("shown", "schema", "every", "max_pending")}
    return {
        **_lane(warehouse),
        **plain,
        "selection": json.dumps(dict(warehouse.selection)),
        "choices": json.dumps(dict(warehouse.choices)),
    }


def _read(row: Any) -> Warehouse:
    warehouse = Warehouse(*row)
    return replace(warehouse, selection=json.loads(row[6]), choices=json.loads(row[7]))
