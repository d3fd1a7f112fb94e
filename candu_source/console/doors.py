"""Where a connection's events come in: addresses, tokens, the script tag, lines to try, and when each door was last used."""

from __future__ import annotations

from typing import Any

from candu_source.addresses import amplitude_url, interactions_url, readback_url, rest_url, script, webhook_url
from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.model import Secret, TokenUse
from candu_source.settings import Settings
from candu_source.store import SEGMENT_LANE

_HOUR = 3600.0
_TOKEN = Secret("TOKEN")  # stands in lines to copy for the token, which nobody but its holder has
_SAMPLE = '{"type":"screen","name":"tutorial.view","userId":"user-1","properties":{"tutorialId":7,"segmentId":"Everyone","versionId":"1"}}'


def doors(desk: Desk) -> dict[str, Any]:
    """Show every way in."""
    connection, settings = desk.connection, desk.settings
    tokens = [token._asdict() for token in desk.store.tokens.all(connection.id)]
    last_seen = desk.store.stats.health(connection.id).last_seen
    evidence = desk.store.confirmations.evidence(connection.id, SEGMENT_LANE, desk.now)
    return {
        "tokens": tokens,
        "script": script(settings, connection),
        "webhook_url": webhook_url(settings, _TOKEN),
        "interactions_url": interactions_url(settings),
        "rest_url": rest_url(settings),
        "amplitude_url": amplitude_url(settings, _TOKEN),
        "readback_url": readback_url(settings, _TOKEN),
        "curl": _curl(settings),
        "origins": list(connection.rules.allowed_origins),
        "last_seen": {**last_seen, "readback": evidence.last_confirmed_at},
        "now": desk.now,
    }


def _curl(settings: Settings) -> str:
    bearer = f"-H 'Authorization: Bearer {_TOKEN.reveal()}'"
    return f"curl {interactions_url(settings)} {bearer} -H 'Content-Type: application/json' -d '{_SAMPLE}'"


def add_token(desk: Desk, form: Form) -> Done:
    """Make one more token; those in force stay so."""
    use = form.one_of("use", TokenUse, TokenUse.SERVER)
    token = desk.store.tokens.add(desk.connection, use, by=desk.by, label=form.text("label")[:100])
    return Done(f"A token for {_WORDS[use]} is made.", _place(desk), _shown(desk, use, token))


def rotate_token(desk: Desk, form: Form) -> Done:
    """Make a new token; those in force run out after some hours."""
    use, hours = form.one_of("use", TokenUse, TokenUse.SERVER), form.whole("grace_hours", 24, most=24 * 365)
    token = desk.store.tokens.rotate(desk.connection, use, grace_seconds=hours * _HOUR, by=desk.by)
    return Done(f"A new token for {_WORDS[use]} is made; the old ones end in {hours} h.", _place(desk), _shown(desk, use, token))


def expire_token(desk: Desk, form: Form) -> Done:
    """Let one token run out."""
    hours = form.whole("grace_hours", 0, most=24 * 365)
    desk.store.tokens.expire(desk.connection, form.required("id"), grace_seconds=hours * _HOUR, by=desk.by)
    return Done("The token ends now." if not hours else f"The token ends in {hours} h.", _place(desk))


_WORDS = {TokenUse.SERVER: "servers", TokenUse.BROWSER: "web pages", TokenUse.READBACK: "readback"}


def _shown(desk: Desk, use: TokenUse, token: Secret) -> dict[str, Any]:
    """Return the token, with the address that it makes."""
    address = {
        TokenUse.SERVER: {"webhook_url": webhook_url(desk.settings, token), "amplitude_url": amplitude_url(desk.settings, token)},
        TokenUse.READBACK: {"readback_url": readback_url(desk.settings, token)},
    }
    return {"use": use, "token": token.reveal(), **address.get(use, {})}


def _place(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/doors"


PAGES = (Page("connections/{connection}/doors", "doors.html", doors),)
ACTIONS = (
    Action("connections/{connection}/tokens/add", add_token, shows="shown_once.html"),
    Action("connections/{connection}/tokens/rotate", rotate_token, shows="shown_once.html"),
    Action("connections/{connection}/tokens/expire", expire_token),
)
