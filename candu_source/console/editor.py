"""The integration editor: on the left what an integration is, on the right what it would send; then submit, and release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import request

from candu_source.console.catalog import tile_of
from candu_source.console.desk import Desk, Form
from candu_source.console.drafting import caught, drafted, event_of, proofs, shown
from candu_source.console.editing import laid_out, rewritten, tried_values, written
from candu_source.console.frame import Action, Done, File, Page
from candu_source.console.recent import look
from candu_source.errors import UsageError
from candu_source.integrations.catalog import shipped
from candu_source.integrations.reading import read
from candu_source.integrations.tile import Info, Integration, Payload

# Events that can be tried: the latest of each of so many connections.
_CONNECTIONS, _LATEST, _TRIED = 20, 20, 5
_BODY = '{\n  "user_id": "${(input.user_id!"")?json_string}",\n  "event": "${input.event_type?json_string}"\n}\n'
_NOTHING = Payload("POST", "https://api.example.com/events", {"Content-Type": "application/json"}, _BODY)


def editor(desk: Desk) -> dict[str, Any]:
    """Show what is being written of an integration, how far it has come, and what keeps it from working."""
    kept = desk.store.integrations.named(desk.part["id"])
    found = kept.integration
    return {
        "name": kept.name,
        "state": kept.state,
        "released_at": kept.released_at,
        "changed_at": kept.changed_at,
        "syncs": desk.store.integrations.uses()[kept.name],
        "tile": {**tile_of(kept.name, found), "description": found.info.description},
        "parameters": [each._asdict() for each in found.parameters],
        "mappings": [each._asdict() for each in found.mappings],
        "payloads": {kind: laid_out(payload) for kind, payload in found.payloads.items()},
        "property_selection": found.property_selection,
        "requests_per_minute": found.requests_per_minute,
        "body_bytes": found.body_bytes,
        "events": list(_events(desk)),
        **shown(found, {}, None, desk.now),
        "now": desk.now,
    }


def begin(desk: Desk, form: Form) -> Done:
    """Begin an integration under a `name`: of nothing, `from` a shipped one, or from a `file` in TOML or JSON."""
    name = form.required("name")
    file = request.files.get("file")
    if file is None and name in {each.name for each in desk.store.integrations.all()}:
        raise UsageError(f"name: there is an integration {name} already; choose another name")
    kept = desk.store.integrations.save(name, _first(name, file.read() if file else b"", form.text("from")), by=desk.by)
    return Done(f"{kept.name} is a draft.", _place(kept.name), {"integration": kept.name})


def save(desk: Desk, form: Form) -> Done:
    """Keep the form as a draft, with a `logo` if one is sent; syncs go on using what was released. Says what is wrong with it."""
    name, logo = desk.part["id"], request.files.get("logo")
    kept = desk.store.integrations.save(name, written(form), (logo.read() or None) if logo else None, by=desk.by)
    fault = caught(kept.integration, desk.now)
    return Done(f"Saved. It cannot be submitted yet: {fault}." if fault else "Saved.", _place(name), {"fault": fault or None})


def preview(desk: Desk, form: Form) -> Done:
    """Show the requests that the form describes, and what is wrong with it; nothing is kept or sent."""
    kept = desk.store.integrations.named(desk.part["id"])
    found = drafted(form, kept.name, kept.logo)
    return Done("Nothing is sent.", _place(kept.name), _previewed(kept.name, found, form, desk))


def prove(desk: Desk, form: Form) -> Done:
    """Try the templates in the form on all that they may be given, and show the smallest example that fails."""
    name = desk.part["id"]
    found = [
        {"kind": kind, "holds": proof.holds, "tried": proof.tried, "said": str(proof)} for kind, proof in proofs(drafted(form, name, None))
    ]
    return Done("Proven." if all(each["holds"] for each in found) else "Not proven.", _place(name), {"proofs": found})


def submit(desk: Desk, _: Form) -> Done:
    """Submit what is saved, unless something keeps it from working."""
    kept = desk.store.integrations.submit(desk.part["id"], by=desk.by)
    return Done("Submitted: look at it once more, then release it.", _place(kept.name))


def release(desk: Desk, _: Form) -> Done:
    """Release what was submitted: it stands in the catalog, and syncs use it from now on."""
    kept = desk.store.integrations.release(desk.part["id"], by=desk.by)
    return Done("Released: it stands in the catalog.", _place(kept.name))


def remove(desk: Desk, form: Form) -> Done:
    """Forget an integration that no sync uses; `confirm` repeats its name."""
    name = desk.part["id"]
    if form.text("confirm") != name:
        raise UsageError(f"confirm: type {name}")
    desk.store.integrations.remove(name, by=desk.by)
    return Done(f"{name} is removed.", "catalog")


def file(desk: Desk) -> Iterator[bytes]:
    """Return what is being written of an integration, as its file."""
    return iter((desk.store.integrations.named(desk.part["id"]).file,))


def _first(name: str, raw: bytes, beginning: str) -> bytes:
    """Return the file that an integration begins with: the one that is given, as TOML, or that of a shipped one, or nearly nothing."""
    if raw:
        return rewritten(read(raw, name)) if raw.lstrip().startswith(b"{") else raw
    if beginning:
        return rewritten(shipped(beginning))
    info = Info(name, "other", f"Send events to {name}.", f"Send events to {name}, as they come.")
    return rewritten(Integration(info, events=_NOTHING))


def _previewed(name: str, found: Integration, form: Form, desk: Desk) -> dict[str, Any]:
    tile = {**tile_of(name, found), "description": found.info.description}
    return {"tile": tile, **shown(found, tried_values(form), event_of(desk, form), desk.now)}


def _events(desk: Desk) -> Iterator[dict[str, Any]]:
    """Yield the latest events of connections, that templates can be tried on."""
    for connection in desk.visible()[:_CONNECTIONS]:
        latest = reversed(desk.store.trace.tail(connection.id, most=_LATEST))
        for each in look(latest, _TRIED).events:
            yield {
                "value": f"{connection.id}:{each.message_id}",
                "name": each.name,
                "connection": connection.name,
                "accepted_at": each.accepted_at,
            }


def _place(name: str) -> str:
    return f"integrations/{name}"


PAGES = (Page("integrations/{id}", "editor.html", editor, whole=True),)
FILES = (File("integrations/{id}/integration.toml", "integration.toml", file, whole=True),)
ACTIONS = (
    Action("integrations", begin, whole=True),
    Action("integrations/{id}/save", save, whole=True),
    Action("integrations/{id}/preview", preview, whole=True, shows="editor_preview.html"),
    Action("integrations/{id}/prove", prove, whole=True, shows="editor_proofs.html"),
    Action("integrations/{id}/submit", submit, whole=True),
    Action("integrations/{id}/release", release, whole=True),
    Action("integrations/{id}/remove", remove, whole=True),
)
