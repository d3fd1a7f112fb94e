"""Say what a template may meet: the fields of Amplitude's events and users, and the values that each may have.

Amplitude, "Event streaming", "Raw event fields" and "Identify API", are where the names and types come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from candu_source.integrations.tile import Kind

_TEXT = (
    "device_carrier city user_id platform os_version version_name ip_address dma $insert_id event_type library device_type start_version "
    "os_name device_id language country region device_family uuid device_brand device_manufacturer device_model carrier idfa adid"
)
_TIME = "server_received_time event_time processed_time client_upload_time server_upload_time client_event_time"
_INTEGER = "app event_id amplitude_id session_id"
_FLOAT = "location_lng location_lat"
_OBJECT = "group_properties user_properties groups event_properties data"
# Amplitude takes no event without its type and stamps each with a time; nothing else is promised, and nothing at all of a user.
ALWAYS: Mapping[Kind, frozenset[str]] = MappingProxyType({"events": frozenset({"event_type", "event_time"}), "users": frozenset()})
# Names that Amplitude keeps for itself; no event has them.
RESERVED_TYPES = frozenset({"_all", "_identify"})

# Text that breaks what was not quoted, escaped or thought of.
HOSTILE = "a \"quote\", a \\ backslash,\na line, \x01 and \x7f, </script> ${input} '$(id)' ü 😀 \u2028"
_MOMENT = "2022-02-28 20:07:01.795000"
_TYPICAL: Mapping[str, Any] = MappingProxyType({"text": "some text", "time": _MOMENT, "integer": 1, "float": 52.52, "boolean": True})
_UNUSUAL: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "text": ("", HOSTILE),
        "time": (),
        "integer": (0, -1, 1_234_567, 2**63),
        "float": (0.0, -0.000001, 1e21),
        "boolean": (False,),
        "any": ("", HOSTILE, -1, 1_234_567.5, True, [], [1, "a"], {"k": HOSTILE}),
    }
)
TYPES: Mapping[str, str] = MappingProxyType(
    {
        name: kind
        for kind, names in (("text", _TEXT), ("time", _TIME), ("integer", _INTEGER), ("float", _FLOAT), ("object", _OBJECT))
        for name in names.split()
    }
    | {"paying": "boolean"}
)


def typical(name: str) -> Any:
    """Return a value that a field usually has."""
    kind = TYPES.get(name, "text")
    return {} if kind == "object" else _TYPICAL[kind]


def unusual(name: str) -> tuple[Any, ...]:
    """Return values that a field may have, too; custom ones, of which nothing is known, may have any."""
    return _UNUSUAL.get(TYPES.get(name, "any"), ())
