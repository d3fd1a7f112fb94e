"""Connect a Segment workspace: by a write key, by a Public API token, or a twin for a trial. Then try it out."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from candu_source.addresses import for_server, readback_url, script
from candu_source.confirming import ADVICE
from candu_source.connecting import connect as connect_workspace
from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.draft import changed, write_key
from candu_source.errors import UsageError
from candu_source.model import Connection, Region, Secret, TokenUse
from candu_source.store import SEGMENT_LANE
from candu_source.tryout import EVENT, heard, send_test

_KEY_BYTES = 16


def connect(desk: Desk) -> dict[str, Any]:
    """Show the ways to connect."""
    return {"regions": list(Region), "twin": desk.settings.twin_url if desk.tools.trial else None}


def by_key(desk: Desk, form: Form) -> Done:
    """Connect with a write key that was copied from Segment."""
    key = write_key(form.text("write_key"))
    connection, token = desk.store.connections.add(_draft(form), key, by=desk.by)
    return _connected(desk, connection, token)


def by_token(desk: Desk, form: Form) -> Done:
    """Make the source in the workspace by its Public API and read its write key back; the token is used here and not kept."""
    draft = _draft(form)
    workspace = desk.tools.workspace(draft.region, Secret(form.required("token")))
    connected = connect_workspace(workspace, desk.store.connections, draft, use_existing=form.flag("use_existing"), by=desk.by)
    return _connected(desk, connected.connection, connected.token, segment_source=connected.source.id)


def trial(desk: Desk, form: Form) -> Done:
    """Connect to a twin of Segment, with readback, so that everything can be seen without a workspace."""
    if desk.tools.trial is None:
        raise UsageError("twin: there is none here; `candu-source serve --twin` runs one")
    draft = changed(_draft(form), {"segment_host": desk.settings.twin_url})
    key = Secret(secrets.token_urlsafe(_KEY_BYTES))
    connection, token = desk.store.connections.add(draft, key, by=desk.by)
    readback = desk.store.tokens.add(connection, TokenUse.READBACK, by=desk.by, label="twin")
    desk.tools.trial(connection, key, readback_url(desk.settings, readback))
    return _connected(desk, connection, token)


def try_out(desk: Desk) -> dict[str, Any]:
    """Show what a test event is."""
    return {"event": EVENT, "sent": None, "now": desk.now}


def send(desk: Desk, _: Form) -> Done:
    """Send one test event down the river."""
    sent = send_test(desk.store.log, desk.store.audit, desk.tools.observer, desk.connection, by=desk.by, now=datetime.now(UTC))
    return Done("A test event is on its way.", f"connections/{desk.connection.id}/test/{sent}", {"message_id": sent})


def arrived(desk: Desk) -> dict[str, Any]:
    """Tell how far a test event has come."""
    store, sent = desk.store, desk.part["id"]
    arrival = heard(store.trace, store.confirmations, store.ledger, desk.connection, SEGMENT_LANE, sent, desk.now)
    return {
        "event": EVENT,
        "sent": sent,
        "state": arrival.state,
        "text": arrival.text,
        "final": arrival.is_final,
        "good": arrival.is_heard_of,
        "readback": arrival.readback,
        "causes": [{"cause": cause, "advice": ADVICE[cause]} for cause in arrival.causes],
        "now": desk.now,
    }


def _draft(form: Form) -> Connection:
    named = {name: form.text(name) for name in ("name", "environment", "region", "segment_host") if form.given(name)}
    return changed(Connection("", ""), {"name": form.text("name"), **named})


def _connected(desk: Desk, connection: Connection, token: Secret, **more: Any) -> Done:
    data = {**for_server(desk.settings, connection, token), "script": script(desk.settings, connection), **more}
    return Done(f"{connection.name} is connected.", f"connections/{connection.id}/test", data)


PAGES = (
    Page("connect", "connect.html", connect, whole=True),
    Page("connections/{connection}/test", "test.html", try_out),
    Page("connections/{connection}/test/{path:id}", "test.html", arrived),
)
ACTIONS = (
    Action("connect/key", by_key, whole=True, shows="connected.html"),
    Action("connect/token", by_token, whole=True, shows="connected.html"),
    Action("connect/twin", trial, whole=True, shows="connected.html"),
    Action("connections/{connection}/test/send", send),
)
