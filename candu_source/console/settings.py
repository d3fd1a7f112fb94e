"""A connection's settings, its keys, its lanes, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from candu_source import draft
from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, File, Page
from candu_source.errors import UsageError

# Settings of this page; those of the mapping have a page of their own.
_HERE = (
    "name",
    "environment",
    "region",
    "segment_host",
    "requests_per_minute",
    "pending_most",
    "allowed_origins",
    "allowed_addresses",
    "identity",
    "integrations",
)


def settings(desk: Desk) -> dict[str, Any]:
    """Show the settings; of secrets only whether there is one."""
    said = draft.said(desk.connection)
    return {
        "settings": {name: said[name] for name in _HERE},
        "schema": desk.connection.slug,
        "identity_secret": desk.connection.identity_secret is not None,
        "segment_source": desk.connection.segment_source,
        "lanes": desk.store.connections.lanes(desk.connection.id),
        "paused": desk.connection.paused,
        "waiting": desk.store.connections.waiting(desk.connection.id),
        "created_at": desk.connection.created_at,
        "now": desk.now,
    }


def save(desk: Desk, form: Form) -> Done:
    """Put the settings in force that the form names."""
    given = {name: form.text(name) for name in _HERE if form.given(name)}
    saved = desk.store.connections.save(draft.changed(desk.connection, given), by=desk.by)
    return Done("Saved; doors and workers follow within a second.", _place(desk), {"schema": saved.slug})


def change_key(desk: Desk, form: Form) -> Done:
    """Put another write key in place; held lanes go on."""
    desk.store.connections.set_write_key(desk.connection, draft.write_key(form.text("write_key")), by=desk.by)
    return Done("The write key is changed; held lanes try again now.", _place(desk))


def change_identity_secret(desk: Desk, form: Form) -> Done:
    """Put another identity secret in place, or take it away."""
    secret = draft.identity_secret(form.text("identity_secret"))
    desk.store.connections.set_identity_secret(desk.connection, secret, by=desk.by)
    return Done("The identity secret is changed." if secret else "The identity secret is taken away.", _place(desk))


def switch_lane(desk: Desk, form: Form) -> Done:
    """Turn a lane on or off."""
    destination, on = form.required("destination"), form.flag("on")
    desk.store.connections.set_lane(desk.connection, destination, on, by=desk.by)
    return Done(f"{destination} is {'on' if on else 'off; its events wait'}.", _place(desk))


def delete(desk: Desk, form: Form) -> Done:
    """Delete the connection when its nickname is typed."""
    name = desk.connection.name
    if form.text("confirm") != name:
        raise UsageError(f"confirm: type {name} to delete it")
    desk.store.connections.delete(desk.connection, by=desk.by)
    return Done(f"{name} is deleted.", "")


def export(desk: Desk) -> Iterator[bytes]:
    """Write out everything that the connection has, secrets aside."""
    return desk.store.export.lines(desk.connection)


def _place(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/settings"


PAGES = (Page("connections/{connection}/settings", "settings.html", settings),)
FILES = (File("connections/{connection}/export.ndjson", "export.ndjson", export),)
ACTIONS = (
    Action("connections/{connection}/settings/save", save),
    Action("connections/{connection}/settings/write-key", change_key),
    Action("connections/{connection}/settings/identity-secret", change_identity_secret),
    Action("connections/{connection}/settings/lane", switch_lane),
    Action("connections/{connection}/delete", delete),
)
