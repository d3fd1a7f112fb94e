"""A connection's syncs: what each sends to where, what became of it, and how it is set up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from candu_source.console.catalog import tile_of
from candu_source.console.choosing import ALL, CHOSEN, NONE, OF, chosen, given, rows
from candu_source.console.delivery import asked_window
from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.console.health import lane_word
from candu_source.console.recent import look
from candu_source.console.trying import blocking, places
from candu_source.errors import UsageError
from candu_source.integrations.checking import check
from candu_source.integrations.choices import Choices, Operator
from candu_source.integrations.fields import TYPES
from candu_source.integrations.tile import Integration
from candu_source.periods import Period, Window
from candu_source.store.counts import AFTER_RETRY, DISCARDED, EXPIRED, FIRST_ATTEMPT, LEFT_OUT
from candu_source.store.stats import LaneHealth, Point, metrics_of
from candu_source.streaming import Streaming
from candu_source.streams import Stream

# What a form learns from, and how many of them can be tried; how many that went aside are named.
_LATEST, _TRIED, _ASIDE = 200, 30, 10


def syncs(desk: Desk) -> dict[str, Any]:
    """List the syncs of a connection, with what became of its events on each."""
    lanes = _lanes(desk)
    integrations = desk.store.integrations
    return {
        "syncs": [
            {**_shown(each), **_lane(lanes[each.name], desk.now), "display_name": integrations.released(each.integration).info.display_name}
            for each in desk.store.streams.all(desk.connection.id)
        ],
        "now": desk.now,
    }


def sync(desk: Desk) -> dict[str, Any]:
    """Show one sync: how it is set up, what blocks it, what became of its events, and its numbers over a period."""
    stream = desk.store.streams.named(desk.connection, desk.part["id"])
    integration = desk.store.integrations.released(stream.integration)
    period, wanted = asked_window(desk)
    points = desk.store.stats.series(desk.connection.id, wanted, stream.name)
    return {
        "sync": _shown(stream),
        "tile": tile_of(stream.integration, integration),
        **_offered(desk, integration),
        **_chosen(stream, integration),
        "blocks": blocking(integration, stream),
        "places": places(integration),
        "usages": [each.data() for each in check(integration).usages],
        "lane": _lane(_lanes(desk)[stream.name], desk.now),
        "parked": [each._asdict() for each in desk.store.groups.parked_on(desk.connection.id, stream.name, _ASIDE)],
        "dead": [each._asdict() for each in desk.store.groups.dead_on(desk.connection.id, stream.name, _ASIDE)],
        "period": period,
        "periods": [each for each in Period if each is not Period.CUSTOM],
        "metrics": metrics_of(points),
        "left_out": sum(point.ended[LEFT_OUT] for point in points),
        "charts": charts(points, wanted),
        "now": desk.now,
    }


def charts(points: Sequence[Point], wanted: Window) -> list[dict[str, Any]]:
    """Return the pictures of a sync's period: {title, unit, times, lines: [{label, points}]}."""
    minutes, times = wanted.width / 60, [point.start for point in points]

    def line(label: str, count: Callable[[Point], float]) -> dict[str, Any]:
        return {"label": label, "points": [count(point) / minutes for point in points]}

    def ended(label: str, how: str) -> dict[str, Any]:
        return line(label, lambda point: point.ended[how])

    late = {"label": "p95", "points": [point.latency(0.95) for point in points]}
    pictures = [
        ("Delivered", "events/min", [line("delivered", lambda each: each.delivered), line("not delivered", lambda each: each.dead)]),
        ("By attempt", "events/min", [ended("first attempt", FIRST_ATTEMPT), ended("after retry", AFTER_RETRY)]),
        ("From accepted to delivered", "s", [late]),
        ("Not delivered", "events/min", [ended("expired", EXPIRED), ended("discarded", DISCARDED)]),
    ]
    return [{"title": title, "unit": unit, "times": times, "lines": lines} for title, unit, lines in pictures]


def add(desk: Desk, form: Form) -> Done:
    """Make a sync of an `integration` under a `name`: turned off, with what the integration offers filled in."""
    name, integration = form.required("name"), form.required("integration")
    made = _streaming(desk).add(desk.connection, name, integration, {}, {}, by=desk.by)
    return Done(f"{made.name} is there, and off: set it up, then turn it on.", f"{_tab(desk)}/{made.name}", {"sync": made.name})


def save(desk: Desk, form: Form) -> Done:
    """Save all that a form has of a sync, and turn it on or off (`enabled`); a toggle that is not given is off."""
    store, connection = desk.store.streams, desk.connection
    stream = store.named(connection, desk.part["id"])
    integration = desk.store.integrations.released(stream.integration)
    choices, values = chosen(form, integration).data(), given(form, integration)
    if not form.flag("enabled"):
        stream = store.disable(connection, stream, by=desk.by)
    said = _every_field(integration) | choices["fields"]
    saved = _streaming(desk).change(connection, stream, {**choices, "fields": said}, values, by=desk.by)
    if not form.flag("enabled"):
        return Done("Saved. It is off: what comes meanwhile is not sent.", f"{_tab(desk)}/{saved.name}")
    try:
        _streaming(desk).enable(connection, saved, by=desk.by)
    except UsageError as error:
        raise UsageError(f"saved, and still off: {error}") from None
    return Done("Saved. It is on: what comes from now on is sent.", f"{_tab(desk)}/{saved.name}")


def remove(desk: Desk, form: Form) -> Done:
    """Forget a sync, its dead letters and what it set aside; `confirm` repeats its name."""
    stream = desk.store.streams.named(desk.connection, desk.part["id"])
    if form.text("confirm") != stream.name:
        raise UsageError(f"confirm: type {stream.name}")
    desk.store.streams.remove(desk.connection, stream, by=desk.by)
    return Done(f"{stream.name} is removed.", _tab(desk))


def _shown(stream: Stream) -> dict[str, Any]:
    return {
        "name": stream.name,
        "integration": stream.integration,
        "enabled": stream.enabled,
        "created_at": stream.created_at,
        "users": bool(stream.choices.get("users")),
        "events": bool(stream.choices.get("events")),
    }


def _offered(desk: Desk, integration: Integration) -> dict[str, Any]:
    """Return what there is to choose from."""
    seen = look(reversed(desk.store.trace.tail(desk.connection.id, most=_LATEST)), _TRIED)
    return {
        "property_selection": integration.property_selection,
        "operators": list(Operator),
        "of": OF,
        "seen": {"event_types": seen.event_types, "properties": seen.properties, "names": seen.names},
        "sources": [*sorted(name for name, kind in TYPES.items() if kind != "object"), *seen.user_properties],
        "recent": [each._asdict() for each in seen.events],
    }


def _chosen(stream: Stream, integration: Integration) -> dict[str, Any]:
    """Return what is chosen, as its form shows it; of secrets only whether they are filled in."""
    choices = Choices.read(stream.choices)
    return {
        "parameters": [
            {**each._asdict(), "value": stream.parameters.get(each.name, ""), "filled": each.name in stream.secrets}
            for each in integration.parameters
        ],
        "mappings": [{**each._asdict(), "source": choices.fields.get(each.name, "")} for each in integration.mappings],
        "all_events": choices.event_types is None,
        "event_types": list(choices.event_types or ()),
        "conditions": [row._asdict() for row in rows(choices)],
        "which_properties": ALL if choices.properties is None else CHOSEN if choices.properties else NONE,
        "properties": [str(each) for each in choices.properties or ()],
    }


def _lanes(desk: Desk) -> dict[str, LaneHealth]:
    return {lane.destination: lane for lane in desk.store.stats.health(desk.connection.id).lanes}


def _lane(lane: LaneHealth, now: float) -> dict[str, Any]:
    said = lane_word(lane, now)
    return {
        "state": said.word,
        "kind": said.kind,
        "held": lane.held,
        "held_detail": lane.held_detail,
        "failures": lane.failures,
        "due_at": lane.due_at,
        "delivered": lane.delivered,
        "filtered": lane.filtered,
        "waiting": lane.waiting,
        "set_aside": lane.replaying,
        "given_up": lane.dead,
    }


def _streaming(desk: Desk) -> Streaming:
    return Streaming(desk.store.streams, desk.store.integrations)


def _every_field(integration: Integration) -> dict[str, str]:
    """Return all mappings, empty: what a form leaves out is taken away."""
    return {each.name: "" for each in integration.mappings}


def _tab(desk: Desk) -> str:
    return f"connections/{desk.connection.id}/syncs"


PAGES = (
    Page("connections/{connection}/syncs", "syncs.html", syncs),
    Page("connections/{connection}/syncs/{id}", "sync.html", sync),
)
ACTIONS = (
    Action("connections/{connection}/syncs/add", add),
    Action("connections/{connection}/syncs/{id}/save", save),
    Action("connections/{connection}/syncs/{id}/remove", remove),
)
