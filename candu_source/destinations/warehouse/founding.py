"""Look at a place before a source is loaded into it for the first time."""

from __future__ import annotations

from candu_source.destinations.warehouse import state
from candu_source.destinations.warehouse.dialects import Warehouse
from candu_source.errors import Conflict


def insist_free(place: Warehouse, source: str, schema: str, *, adopt: bool = False) -> None:
    """Open a place as a sync does, and see that a schema of it has no tables that others made, unless they are to be adopted.

    Raises Conflict for such tables, WarehouseBusy and WarehouseError for what the place says.
    """
    with place.open(source) as dialect:
        state.prepare(dialect)
        tables = sorted(dialect.catalog(schema))
        if tables and not adopt and state.bookmark(dialect, source) is None:
            some = ", ".join(tables[:3]) + (" and more" if len(tables) > 3 else "")  # noqa: PLR2004 - enough to know them by
            raise Conflict(f"the schema {schema} is not empty, and this connection did not load it: it has {some}; empty or adopt it")
