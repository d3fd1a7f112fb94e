"""How events become Segment calls: the table of names, portals, and what today's choices make of the latest events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, File, Page
from candu_source.console.preview import preview
from candu_source.console.sheets import sheet
from candu_source.doors.content_files import COLUMNS, read_contents
from candu_source.draft import changed
from candu_source.errors import UsageError
from candu_source.mapping import CLASSIFICATION
from candu_source.model import Connection, Kind

_MOST_CONTENTS = 500
_PREVIEWED = 20


def mapping(desk: Desk) -> dict[str, Any]:
    """Show the table of names, the portals and the choices."""
    connection = desk.connection
    kept = desk.store.groups.filtered(connection.id)
    contents = desk.store.contents.all(connection.id)
    return {
        "names": [_name(connection, name) for name in sorted({*CLASSIFICATION, *connection.rules.classification})],
        "unknown": [each._asdict() for each in kept if each.reason == "unknown_event"],
        "kinds": list(Kind),
        "rules": _rules(connection),
        "contents": [content._asdict() for content in contents[:_MOST_CONTENTS]],
        "more_contents": max(0, len(contents) - _MOST_CONTENTS),
        "asked": desk.query.text("name"),
    }


def _name(connection: Connection, name: str) -> dict[str, Any]:
    own, built_in = connection.rules.classification.get(name), CLASSIFICATION.get(name)
    return {"name": name, "becomes": own or built_in, "own": own is not None, "built_in": built_in}


def _rules(connection: Connection) -> dict[str, Any]:
    rules = connection.rules
    return {
        "custom_events": rules.custom_events,
        "anonymous": rules.anonymous,
        "bots": rules.bots,
        "extra_properties": rules.extra_properties,
        "integrations": dict(rules.integrations),
        "portal": rules.portal.mode,
        "portal_constant": rules.portal.constant,
    }


def previewed(desk: Desk) -> dict[str, Any]:
    """Show what the choices in the query would make of the latest events, beside what today's make of them."""
    draft = changed(desk.connection, _choices(desk.query, desk.connection))
    return {"rows": preview(desk.store, desk.connection, draft, _PREVIEWED)}


def save(desk: Desk, form: Form) -> Done:
    """Put the choices in force."""
    desk.store.connections.save(changed(desk.connection, _choices(form, desk.connection)), by=desk.by)
    return Done("Saved; doors follow within a second.", _place(desk))


def classify(desk: Desk, form: Form) -> Done:
    """Say what one name becomes; an empty choice goes back to what is built in."""
    name, becomes = form.required("name"), form.one_of("becomes", Kind) if form.text("becomes") else None
    table = {known: kind for known, kind in desk.connection.rules.classification.items() if known != name}
    if becomes:
        table[name] = becomes
    desk.store.connections.save(changed(desk.connection, {"classification": table}), by=desk.by)
    return Done(f"{name} becomes {becomes or 'what is built in'}; what was kept can be sent from Filtered.", _place(desk))


def set_portal(desk: Desk, form: Form) -> Done:
    """Say which portal a content belongs to; an empty number takes it away."""
    content, number = form.required("content_id"), form.text("portal_id")
    portal = form.whole("portal_id", 0, most=2**53) if number else None
    desk.store.contents.set_portal(desk.connection, content, portal, by=desk.by)
    return Done(f"{content}: {'no portal' if portal is None else f'portal {portal}'}.", _place(desk))


def import_contents(desk: Desk, form: Form) -> Done:
    """Tell of contents by a CSV or JSON file, or by its text."""
    file = request.files.get("file")
    name, data = (file.filename or "file", file.read()) if file else ("text", form.text("text").encode())
    if not data:
        raise UsageError("file: choose a CSV or JSON file with contentId, slug, name, portalId")
    told = read_contents(name, data)
    desk.store.contents.tell(desk.connection, told, by=desk.by)
    return Done(f"{len(told)} contents are told.", _place(desk), {"imported": len(told)})


def _choices(form: Form, connection: Connection) -> Mapping[str, Any]:
    """Return the rules that a form speaks of; a box that is not ticked is not sent, so `complete` says that all were there."""
    chosen: dict[str, Any] = {name: form.text(name) for name in ("custom_events", "anonymous", "bots") if form.given(name)}
    if form.flag("complete") or form.given("extra_properties"):
        chosen["extra_properties"] = form.flag("extra_properties")
    if form.given("portal"):
        chosen["portal"] = form.text("portal_constant") if form.text("portal") == "constant" else form.text("portal")
    if form.text("classify"):
        chosen["classification"] = {**connection.rules.classification, form.text("classify"): form.one_of("becomes", Kind)}
    return chosen


def as_csv(desk: Desk) -> str:
    """Return the connection's contents, as `import_contents` takes them."""
    return sheet(COLUMNS, desk.store.contents.all(desk.connection.id))


def _place(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/mapping"


PAGES = (
    Page("connections/{connection}/mapping", "mapping.html", mapping),
    Page("connections/{connection}/mapping/preview", "preview.html", previewed),
)
FILES = (File("connections/{connection}/mapping/contents.csv", "contents.csv", as_csv),)
ACTIONS = (
    Action("connections/{connection}/mapping/save", save),
    Action("connections/{connection}/mapping/classify", classify),
    Action("connections/{connection}/mapping/portal", set_portal),
    Action("connections/{connection}/mapping/contents", import_contents),
)
