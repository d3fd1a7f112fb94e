"""The catalog: what events and users can be streamed to, a tile each, and where a sync begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from candu_source.console.desk import Desk
from candu_source.console.frame import Action, File, Page
from candu_source.errors import NotFound
from candu_source.integrations.catalog import SHIPPED, shipped
from candu_source.integrations.tile import Integration
from candu_source.model import Role


def catalog(desk: Desk) -> dict[str, Any]:
    """Show the tiles, those of one `category` if it is named; owners of everything see those that are not released, too."""
    uses = desk.store.integrations.uses() if desk.person.sees_everything else None
    tiles = [{**tile_of(name, found), "syncs": uses[name] if uses else None} for name, found in _tiles(desk)]
    category = desk.query.text("category")
    return {
        "categories": sorted({each["category"] for each in tiles}),
        "category": category or None,
        "connection": _connection(desk),
        "tiles": [each for each in tiles if not category or each["category"] == category],
        "beginnings": [(name, shipped(name).info.display_name) for name in SHIPPED if not shipped(name).by_code],
    }


def tile(desk: Desk) -> dict[str, Any]:
    """Show one tile with its full description, and let a sync of it be made (`connection` says on which)."""
    name = desk.part["id"]
    found = _found(desk, name)
    return {
        "tile": tile_of(name, found),
        "description": found.info.description,
        "parameters": [each._asdict() for each in found.parameters],
        "mappings": [each._asdict() for each in found.mappings],
        "connection": _connection(desk),
        "connections": [{"id": each.id, "name": each.name} for each in desk.visible()],
    }


def tile_of(name: str, found: Integration) -> dict[str, Any]:
    """Return what a tile shows of an integration."""
    info = found.info
    return {
        "name": name,
        "display_name": info.display_name,
        "category": info.category,
        "summary": info.summary,
        "state": found.state,
        "shipped": name in SHIPPED,
        "logo": info.logo is not None,
        "takes": sorted(found.takes),
    }


def logo(desk: Desk) -> Iterator[bytes]:
    """Return the logo of a tile; raise NotFound where there is none."""
    drawn = _found(desk, desk.part["id"]).info.logo
    if drawn is None:
        raise NotFound("this integration has no logo")
    return iter((drawn,))


def _tiles(desk: Desk) -> Iterator[tuple[str, Integration]]:
    yield from ((name, shipped(name)) for name in SHIPPED)
    for kept in desk.store.integrations.all():
        if kept.released_at is not None:
            yield kept.name, desk.store.integrations.released(kept.name)
        elif _writes(desk):
            yield kept.name, kept.integration


def _found(desk: Desk, name: str) -> Integration:
    """Return what a tile is of; what is not released is there only for those who may write it."""
    for known, integration in _tiles(desk):
        if known == name:
            return integration
    raise NotFound(f"there is no integration {name[:80]!r} in the catalog")


def _writes(desk: Desk) -> bool:
    return desk.person.sees_everything and desk.person.role is Role.OWNER


def _connection(desk: Desk) -> str | None:
    """Return the id of the connection that a sync is looked for: the one that is named, or the only one there is."""
    visible = {each.id for each in desk.visible()}
    named = desk.query.text("connection")
    if named in visible:
        return named
    return next(iter(visible)) if len(visible) == 1 else None


PAGES = (
    Page("catalog", "catalog.html", catalog),
    Page("catalog/{id}", "tile.html", tile),
)
FILES = (File("catalog/{id}/logo.png", "logo.png", logo),)
ACTIONS: tuple[Action, ...] = ()
