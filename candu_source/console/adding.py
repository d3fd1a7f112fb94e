"""Add a warehouse to a connection: a file beside the store, or a database of one's own."""

from __future__ import annotations

from dataclasses import replace

from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.console.warehouse import FIRST, every, most, tab
from candu_source.destinations.warehouse.dialects.places import shown
from candu_source.destinations.warehouse.founding import insist_free
from candu_source.errors import UsageError, WarehouseError
from candu_source.model import Secret
from candu_source.store.warehouses import insist
from candu_source.warehouses import HOURLY, MOST_PENDING, Warehouse


def keep(desk: Desk, form: Form) -> Done:
    """Keep a DuckDB warehouse in a file beside the store; `name` names both."""
    name = form.text("name") or FIRST
    draft = _draft(desk, form, name)
    return _add(desk, draft, Secret(str(desk.settings.store_path().with_name(f"{name}.duckdb").absolute())), field="name")


def connect(desk: Desk, form: Form) -> Done:
    """Load into a PostgreSQL database, by its address (`url`), which is encrypted and shown to nobody."""
    draft = _draft(desk, form, form.text("name") or FIRST)
    url = form.required("url")
    if not url.startswith(("postgresql://", "postgres://")):
        raise UsageError("url: it begins with postgresql://")
    return _add(desk, draft, Secret(url), field="url")


def _draft(desk: Desk, form: Form, name: str) -> Warehouse:
    draft = Warehouse(desk.connection.id, name, "", desk.connection.slug, every=every(form, HOURLY), max_pending=most(form, MOST_PENDING))
    insist(draft)
    return draft


def _add(desk: Desk, draft: Warehouse, place: Secret, *, field: str) -> Done:
    try:
        insist_free(desk.tools.warehouse(place), draft.connection, draft.schema)
        made = desk.store.warehouses.add(desk.connection, replace(draft, shown=shown(place)), place, by=desk.by)
    except (UsageError, WarehouseError) as error:
        raise UsageError(f"{field}: {error}") from None
    return Done(f"The warehouse {made.name} is there; its first sync begins now.", tab(desk, made), {"warehouse": made.name})


PAGES: tuple[Page, ...] = ()
ACTIONS = (
    Action("connections/{connection}/warehouse/keep", keep),
    Action("connections/{connection}/warehouse/connect", connect),
)
