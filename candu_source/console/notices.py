"""What needs a person, and the channels that tell them."""

from __future__ import annotations

from typing import Any

from candu_source.announcer import test_letter
from candu_source.channels import ChannelKind
from candu_source.console.desk import Desk, Form, identifier
from candu_source.console.frame import Action, Done, Page
from candu_source.errors import UsageError
from candu_source.store.notices import KeptNotice

_RECENT = 100
_CHANNELS = "channels"


def notices(desk: Desk) -> dict[str, Any]:
    """List what is open, most urgent first, and what was closed lately."""
    seen = [each for each in desk.store.notices.recent(None, _RECENT) if is_in_sight(desk, each)]
    return {"open": open_notices(desk), "closed": [each._asdict() for each in seen if each.closed_at], "now": desk.now}


def open_notices(desk: Desk) -> list[dict[str, Any]]:
    """Return the open notices in the person's sight, most urgent first."""
    return [each._asdict() for each in desk.store.notices.open() if is_in_sight(desk, each)]


def is_in_sight(desk: Desk, notice: KeptNotice) -> bool:
    """Tell whether a notice is about what the person sees; those of the service are for who sees everything."""
    return desk.person.sees(notice.connection) if notice.connection else desk.person.sees_everything


def channels(desk: Desk) -> dict[str, Any]:
    """List the channels; of an address what may be shown."""
    return {
        "channels": [each._asdict() for each in desk.store.channels.all()],
        "kinds": list(ChannelKind),
        "connections": {each.id: each.name for each in desk.store.connections.all()},
        "now": desk.now,
    }


def add_channel(desk: Desk, form: Form) -> Done:
    """Send notices to an address from now on."""
    chosen = form.text("connection")
    whose = desk.store.connections.named(chosen) if chosen else None
    made = desk.store.channels.add(form.one_of("kind", ChannelKind), form.required("address"), whose, by=desk.by)
    return Done(f"Notices go to {made.shown}; try it.", _CHANNELS, {"id": made.id})


def test_channel(desk: Desk, form: Form) -> Done:
    """Send a test notice now and tell what came back."""
    channel = desk.store.channels.get(identifier(form.required("id")))
    answer = desk.tools.courier.send(ChannelKind(channel.kind), desk.store.channels.address(channel), test_letter(desk.now))
    if not answer.ok:
        raise UsageError(f"{channel.shown} did not take it: {answer.detail}")
    return Done(f"{channel.shown} took it.", _CHANNELS)


def remove_channel(desk: Desk, form: Form) -> Done:
    """Send nothing there any more."""
    gone = desk.store.channels.remove(identifier(form.required("id")), by=desk.by)
    return Done(f"No more notices go to {gone.shown}.", _CHANNELS)


PAGES = (Page("notices", "notices.html", notices), Page(_CHANNELS, "channels.html", channels, whole=True))
ACTIONS = (
    Action("channels/add", add_channel, whole=True),
    Action("channels/test", test_channel, whole=True),
    Action("channels/remove", remove_channel, whole=True),
)
