"""Turn what a door heard into a Segment message: pure, `now` an argument."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from segment.analytics.version import VERSION

from candu_source.errors import Reason
from candu_source.model import Call, Heard, Kind, PortalRule, Rules

CANDU_PREFIX = "candu.sdk."
VIEW = "tutorial.view"  # Segment's Candu source page, "Events"
INTERACTION = "tutorial.interaction"

# Candu's published names and what they become; a connection's own table goes first, unknown names are kept as filtered.
CLASSIFICATION: Mapping[str, Kind] = MappingProxyType(
    {
        VIEW: Kind.VIEW,
        INTERACTION: Kind.INTERACTION,
        "candu.sdk.content": Kind.VIEW,
        "candu.sdk.content.interaction": Kind.INTERACTION,
        "candu.sdk.flow_step": Kind.FILTER,
        "candu.sdk.impression": Kind.FILTER,
        "candu.sdk.conditional_view_option": Kind.FILTER,
        "candu.sdk.hotspot_beacon": Kind.FILTER,
        "candu.sdk.hotspot_tooltip": Kind.FILTER,
        "candu.sdk.tour_step_tooltip": Kind.FILTER,
    }
)
# Candu's properties that the seed does not name; kept unless the connection turns them off.
EXTRA_PROPERTIES = ("contentId", "placementId", "nodeId", "nodeType", "slug", "trigger", "category")
# Candu's context words that Segment knows under the same name.
CONTEXT_PROPERTIES = ("page", "screen", "userAgent", "locale", "timezone")
_CANDUS_OWN = ("sdk", "library")  # stand under `candu`: Segment has a library of its own there
INTEGRATION = MappingProxyType({"name": "candu", "version": "1.0.0"})  # Segment, "Build a source"
LIBRARY = MappingProxyType({"name": "analytics-python", "version": VERSION})  # the official library overwrites it so
MESSAGE_ID_CHARACTERS = 99  # Segment: fewer than 100
EVENT_ID_CHARACTERS = 64  # "candu:" + connection + ":" + 64 stays within that
# What a message id of any connection begins with; a connection's id is ten hex digits.
_NAMESPACE = re.compile(r"candu:[0-9a-f]{10}:", re.ASCII)
# Connections of ours that an event may have come through; beyond that it goes in a circle that ids cannot show.
_MOST_PASSED = 2
# A clock that is off: before Candu existed, or more than a day ahead of our receipt.
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)


def to_message(heard: Heard | Call, rules: Rules, connection_id: str, now: datetime) -> dict[str, Any] | Reason:
    """Return the Segment call for one item, keyed as the official library keys it, or the reason it is filtered.

    `now` is our receipt, aware.
    """
    if isinstance(heard, Call):
        return _call_message(heard, rules, connection_id, now)
    kind = classify(heard.name, rules)
    if isinstance(kind, Reason):
        return kind
    if _is_ours(heard.context.get("integration")):
        return Reason.ECHO
    if heard.bot and rules.bots == "filter":
        return Reason.BOT
    if heard.user_id is None and rules.anonymous == "filter":
        return Reason.ANONYMOUS
    timestamp, replaced = _timestamp(heard.occurred_at, now)
    screen = kind is Kind.VIEW
    name = VIEW if screen else INTERACTION if kind is Kind.INTERACTION else heard.name
    named = {"category": None} if screen else {}
    return {
        "integrations": dict(rules.integrations),
        "anonymousId": heard.anonymous_id,
        "properties": heard.properties if kind is None else tutorial_properties(heard, rules, interaction=not screen),
        "timestamp": timestamp,
        **named,
        "context": _context(heard.context, replaced, unproven=heard.unproven),
        "userId": heard.user_id,
        "type": "screen" if screen else "track",
        "name" if screen else "event": name,
        "messageId": message_id(connection_id, heard.id),
    }


def _call_message(call: Call, rules: Rules, connection_id: str, now: datetime) -> dict[str, Any] | Reason:
    """Return an identify, track or group call; the caller named it, so no table of names has a say."""
    if _is_ours(call.context.get("integration")) or (call.id and _came_round(call.id, connection_id)):
        return Reason.ECHO
    if call.user_id is None and rules.anonymous == "filter":
        return Reason.ANONYMOUS
    timestamp, replaced = _timestamp(call.occurred_at, now)
    return {
        "integrations": dict(rules.integrations),
        "anonymousId": call.anonymous_id,
        **call.body,
        "timestamp": timestamp,
        "context": _context(call.context, replaced),
        "userId": call.user_id,
        "type": call.type,
        "messageId": message_id(connection_id, call.id),
    }


def classify(name: str, rules: Rules) -> Kind | Reason | None:
    """Return what a named event becomes: view, interaction, None for a custom event sent under its name, or why it is filtered."""
    kind = rules.classification.get(name) or CLASSIFICATION.get(name)
    if kind is Kind.FILTER:
        return Reason.EXCLUDED_EVENT
    if kind is not None:
        return kind
    if name.startswith(CANDU_PREFIX):
        return Reason.UNKNOWN_EVENT
    return None if rules.custom_events == "send" else Reason.CUSTOM_EVENT


def message_id(connection_id: str, sender_id: str | None) -> str:
    """Return the deterministic, namespaced message id; a new one when the sender gave none."""
    return f"candu:{connection_id}:{sender_id or uuid.uuid4()}"


def own_id(connection_id: str, identifier: str) -> str:
    """Return the part of a message id that its sender gave, or that was made in its place."""
    return identifier.removeprefix(message_id(connection_id, " ")[:-1])


def bounded_id(identifier: str) -> str:
    """Return a sender's id as it stands, or what stands for a longer one: the namespaces of ours that it came through, and its hash."""
    if len(identifier) <= EVENT_ID_CHARACTERS:
        return identifier
    passed = "".join(_NAMESPACE.findall(identifier)[: _MOST_PASSED + 1])
    return passed + hashlib.blake2b(identifier.encode(), digest_size=15).hexdigest()[: EVENT_ID_CHARACTERS - len(passed)]


def again_id(connection_id: str, own: str, namespace: str) -> str:
    """Return the own id of an event's copy in a namespace, always the same; hashed where its message id would become too long."""
    copy = f"{namespace}:{own}"
    if len(message_id(connection_id, copy)) <= MESSAGE_ID_CHARACTERS:
        return copy
    return f"{namespace}:{hashlib.blake2b(own.encode(), digest_size=16).hexdigest()}"


def tutorial_properties(heard: Heard, rules: Rules, *, interaction: bool) -> dict[str, Any]:
    """Return the seed's properties, in its words, and Candu's own beside them unless they are turned off."""
    given = heard.properties
    properties: dict[str, Any] = {"tutorialId": given["tutorialId"] if "tutorialId" in given else given["documentId"]}
    if (segment := given.get("segmentId")) is not None:
        properties["segmentId"] = segment
    portal = given["portalId"] if "portalId" in given else portal_id(given.get("contentId"), rules.portal)
    if portal is not None:
        properties["portalId"] = portal
    if (version := given.get("versionId")) is not None:
        properties["versionId"] = version
    if interaction:
        properties["eventName"] = given.get("eventName") or heard.name.removeprefix(CANDU_PREFIX)
    if rules.extra_properties:
        properties.update(_present(given, EXTRA_PROPERTIES))
    return properties


def portal_id(content_id: Any, rule: PortalRule) -> int | None:
    """Return the portal by the connection's rule; never a cast, never a guess."""
    if rule.mode == "constant":
        return rule.constant
    return rule.table.get(content_id) if rule.mode == "lookup" and isinstance(content_id, str) else None


def occurred(text: str | None, now: datetime) -> tuple[datetime, str | None]:
    """Return when it happened, and the sender's text where that had to be replaced by our receipt."""
    if text is None:
        return now, None
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if EARLIEST <= at <= now + LATEST_AHEAD:
            return at, None
    except (ValueError, OverflowError):
        return now, text
    return now, text


def _timestamp(text: str | None, now: datetime) -> tuple[str, str | None]:
    """Return what `occurred` does, the time as the official library writes it, to the millisecond."""
    at, replaced = occurred(text, now)
    if text is not None and replaced is None and text[4:20:3] == "--T::." and text[23:] == "Z":
        return f"{text[:23]}+00:00", None  # it stands there already
    return at.isoformat(timespec="milliseconds"), replaced


def _is_ours(integration: Any) -> bool:
    """Tell whether this went through a Candu source before: it came back by way of the Candu destination."""
    return isinstance(integration, dict) and integration.get("name") == INTEGRATION["name"]


def _came_round(own: str, connection_id: str) -> bool:
    """Tell whether a sender's id says that the event was in this very connection, or in too many, before one of ours sent it here."""
    return "candu:" in own and (f"candu:{connection_id}:" in own or len(_NAMESPACE.findall(own)) > _MOST_PASSED)


def _present(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return what of these names is given."""
    found = {}
    for name in names:
        value = given.get(name)
        if value is not None:
            found[name] = value
    return found


def _context(given: Mapping[str, Any], replaced: str | None, *, unproven: bool = False) -> dict[str, Any]:
    context = _present(given, CONTEXT_PROPERTIES)
    candu = _present(given, _CANDUS_OWN)
    if replaced is not None:
        candu["replacedTimestamp"] = replaced
    if unproven:
        candu["identity"] = "unproven"
    if candu:
        context["candu"] = candu
    context["integration"] = INTEGRATION.copy()
    context["library"] = LIBRARY.copy()
    return context
