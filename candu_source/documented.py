"""Write down the shapes that the vendors document, and what each field feeds: the baseline of the watch on shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from candu_source.findings import Known

# JSON types by name, `|` between several; `?` after a name: it may be left out; `*`: any name, anything there.
_FREE = {"*": "any"}
_PAGE = {"path": "text", "url": "text", "title": "text", "search": "text", "referrer": "text"}
_LIBRARY = {"name": "text", "version": "text"}
_CONTENT = {"contentId": "text", "segmentId": "text", "documentId": "integer", "versionId": "text", "placementId": "text"}
_SCREEN = {"slug": "text", **_CONTENT}
# Candu, browser events: what a handler holds depends on its type.
_TRACK = {**_CONTENT, "trigger": "text", "handler": {"type": "text", **_FREE}, "category": "text", "eventName": "text"}
_NODE = {"nodeId": "text", "nodeType": "text"}

# Candu, outgoing webhooks, Default format.
_WEBHOOK = {
    "id": "text",
    "anonymousId": "text",
    "userId": "text|null",
    "type": "text",
    "context": {
        "library": _LIBRARY,
        "page": _PAGE,
        "screen": {"width": "integer", "height": "integer"},
        "userAgent": "text",
        "timezone": "text",
        "locale": "text",
        "sdk": _LIBRARY,
    },
    "sentAt": "text",
    "receivedAt": "text",
}
_HANDLER = {"type": "text", "url": "text"}  # of open-url, as the sample has it

# Segment's Candu source page, and what Tracking API calls hold beside it.
_SEED = {
    "tutorialId": "integer",
    "segmentId": "text",
    "portalId": "integer",
    "versionId": "text",
    **{f"{name}?": "text" for name in ("contentId", "placementId", "nodeId", "nodeType", "slug", "trigger", "category")},
}
_CALL = {
    "type": "text",
    "userId?": "text|null",
    "anonymousId?": "text|null",
    "messageId?": "text",
    "timestamp?": "text",
    "context?": {
        "page?": {f"{name}?": kind for name, kind in _PAGE.items()},
        "screen?": {"width?": "integer", "height?": "integer", "density?": "number"},
        "locale?": "text",
        "timezone?": "text",
        "userAgent?": "text",
    },
}

# Our own collector script.
_BROWSER = {
    "messageId": "text",
    "timestamp": "text",
    "type": "text",
    "userId?": "text|null",
    "userHmac?": "text|null",
    "anonymousId": "text",
    "context": {
        "page": _PAGE,
        "screen": {"width": "integer", "height": "integer", "density?": "number"},
        "locale": "text",
        "timezone": "text",
        "userAgent": "text",
    },
}

# Candu's REST API: tables print userID, samples userId.
_PERSON = {
    "type": "text",
    **{f"{name}?": "text|null" for name in ("userId", "userID", "anonymousId", "messageId", "timestamp")},
    "context?": _FREE,
}

# Amplitude, "Export API" (its raw events) and "Identify API"; of a raw event any field may be left out or null.
_TEXTS = (
    "device_carrier city user_id platform os_version version_name ip_address dma $insert_id library device_type start_version os_name "
    "device_id language country region device_family uuid device_brand device_manufacturer device_model carrier idfa adid "
    "server_received_time event_time processed_time client_upload_time server_upload_time client_event_time"
)
_AMPLITUDE = {
    **{f"{name}?": "text|null" for name in _TEXTS.split()},
    **{f"{name}?": "integer|null" for name in ("app", "event_id", "amplitude_id", "session_id")},
    **{f"{name}?": "number|null" for name in ("location_lng", "location_lat")},
    "paying?": "boolean|text|null",
    **{f"{name}?": _FREE for name in ("group_properties", "user_properties", "groups", "event_properties", "data")},
}

_SHAPES: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType(
    {
        ("webhook", "candu.sdk.content"): {"payload": {**_WEBHOOK, "screenName": "text", "properties": _SCREEN}},
        ("webhook", "candu.sdk.content.interaction"): {
            "payload": {**_WEBHOOK, "eventName": "text", "properties": {**_TRACK, **_NODE, "handler": _HANDLER}}
        },
        ("interactions", "tutorial.view"): {**_CALL, "properties": _SEED},
        ("interactions", "tutorial.interaction"): {**_CALL, "properties": {**_SEED, "eventName": "text"}},
        ("interactions", "batch"): {"batch": "list"},
        ("browser", "candu.sdk.content"): {**_BROWSER, "detail": {"screenName": "text", "properties": _SCREEN}},
        ("browser", "candu.sdk.content.interaction"): {
            **_BROWSER,
            "detail": {"eventName": "text", "properties": {**_TRACK, **{f"{name}?": kind for name, kind in _NODE.items()}}},
        },
        ("browser", "batch"): {"batch": "list"},
        ("rest", "identify"): {**_PERSON, "traits": _FREE},
        ("rest", "track"): {**_PERSON, "event": "text", "properties?": _FREE},
        ("rest", "group"): {**_PERSON, "groupId": "text", "traits": _FREE},
        ("amplitude", "event"): {**_AMPLITUDE, "event_type": "text"},
        ("amplitude", "user"): _AMPLITUDE,
    }
)


def _paths(shape: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, Known]]:
    for word, kind in shape.items():
        name = word.removesuffix("?")
        path = f"{inside}.{name}" if inside else name
        known = "object" if isinstance(kind, dict) else kind
        yield path, Known(frozenset(known.split("|")), always=name == word and name != "*")
        if isinstance(kind, dict):
            yield from _paths(kind, path)


_WHOLE = {"": Known(frozenset({"object"}), always=True)}
# (door, event) -> path -> what stands there.
DOCUMENTED: Mapping[tuple[str, str], Mapping[str, Known]] = MappingProxyType(
    {subject: MappingProxyType(_WHOLE | dict(_paths(shape))) for subject, shape in _SHAPES.items()}
)

_EVERY = "every property of the message"
# What a property of Candu or of the direct contract becomes; docs/mapping.md is the whole story.
_PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "": _EVERY,
        "documentId": "tutorialId (screen and track)",
        "tutorialId": "tutorialId (screen and track)",
        "segmentId": "segmentId (screen and track)",
        "portalId": "portalId (screen and track)",
        "versionId": "versionId (screen and track)",
        "eventName": "eventName (track)",
        "contentId": "contentId, and portalId where a table gives it (screen and track)",
        **{name: f"{name} (screen and track)" for name in ("placementId", "nodeId", "nodeType", "slug", "trigger", "category")},
    }
)
_CONTEXT = {name: f"context.{name}" for name in ("page", "screen", "userAgent", "locale", "timezone")}
_CANDU = {name: f"context.candu.{name}" for name in ("sdk", "library")}
_KIND = "which kind of event it is, by the table of names"


def _below(path: str, table: Mapping[str, str]) -> dict[str, str]:
    return {f"{path}.{name}" if name else path: line for name, line in table.items()}


# Doors where events have Candu's names, or the customer's own.
CANDU_DOORS = frozenset({"webhook", "browser"})
# path -> the line of the mapping that it feeds.
_FEEDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "webhook": {
            "payload": "the whole message",
            "payload.id": "messageId",
            "payload.userId": "userId",
            "payload.anonymousId": "anonymousId",
            "payload.receivedAt": "timestamp",
            "payload.sentAt": "timestamp, where receivedAt is missing",
            "payload.screenName": _KIND,
            "payload.eventName": f"{_KIND}; eventName, where properties have none",
            **_below("payload.context", {"": "context", **_CONTEXT, **_CANDU, "integration": "the guard against echoes"}),
            **_below("payload.properties", _PROPERTIES),
        },
        "interactions": {
            "batch": "every message of the list",
            "type": _KIND,
            "userId": "userId",
            "anonymousId": "anonymousId",
            "messageId": "messageId",
            "timestamp": "timestamp",
            **_below("context", {"": "context", **_CONTEXT, **_CANDU, "integration": "the guard against echoes"}),
            **_below("properties", _PROPERTIES),
        },
        "browser": {
            "batch": "every message of the list",
            "type": _KIND,
            "userId": "userId",
            "userHmac": "the proof of userId",
            "anonymousId": "anonymousId",
            "messageId": "messageId",
            "timestamp": "timestamp",
            "detail": "the whole message",
            "detail.screenName": _KIND,
            "detail.eventName": f"{_KIND}; eventName, where properties have none",
            **_below("context", {"": "context", **_CONTEXT}),
            **_below("detail.properties", _PROPERTIES),
        },
        "rest": {
            "type": "which call it is: identify, track or group",
            "userId": "userId",
            "userID": "userId",
            "anonymousId": "anonymousId",
            "messageId": "messageId",
            "timestamp": "timestamp",
            "context": "context",
            "event": "event (track)",
            "groupId": "groupId (group)",
            "traits": "traits (identify and group)",
            "properties": "properties (track)",
        },
        "amplitude": {
            "event_type": "which call it is, and event (track)",
            "user_id": "userId",
            "device_id": "anonymousId",
            "uuid": "messageId",
            "$insert_id": "messageId, where there is no uuid",
            "event_time": "timestamp",
            "event_properties": "properties (track)",
            "user_properties": "traits (identify)",
        },
    }
)


# Objects of which the mapping takes single names: one that is not in the table feeds nothing.
_SELECTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "webhook": frozenset({"payload", "payload.context", "payload.properties"}),
        "interactions": frozenset({"context", "properties"}),
        "browser": frozenset({"detail", "context", "detail.properties"}),
    }
)


def touches(door: str, event: str, path: str) -> str:
    """Return which line of the mapping a path feeds, itself or with the object it stands in; empty when none."""
    if not path:
        return "the whole message"
    table, selected = _FEEDS.get(door, {}), _SELECTED.get(door, frozenset())
    if is_custom(door, event) and path.split(".")[1:2] == ["properties"]:
        return _EVERY
    while path not in table:
        path = path.rpartition(".")[0]
        if not path or path in selected:
            return ""
    return table[path]


def is_custom(door: str, event: str) -> bool:
    """Tell whether this is an event of the customer's own, whose properties go through as they are."""
    return door in CANDU_DOORS and not event.startswith(("candu.sdk.", "tutorial."))
