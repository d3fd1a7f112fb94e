"""Set up syncs: the command line and the console add, change and enable them here, by the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import msgspec

from candu_source import intake
from candu_source.deliveries import Stored, StreamTarget
from candu_source.errors import Refused, UsageError
from candu_source.integrations.checking import Flaw
from candu_source.integrations.choices import Choices
from candu_source.integrations.enabling import blocks
from candu_source.integrations.tile import Integration
from candu_source.model import Connection, Reject, Secret
from candu_source.ports import Hear
from candu_source.streams import Stream

# Doors whose form people paste events in: that of Candu's REST API names a type, Amplitude's does not.
_REST, _AMPLITUDE = "rest", "amplitude"


class Streams(Protocol):
    """Where syncs are kept; needed here."""

    def add(self, connection: Connection, draft: Stream, secrets: Mapping[str, Secret], *, by: str) -> Stream:
        """Make a sync, turned off; raise UsageError or Conflict."""
        ...

    def save(self, connection: Connection, stream: Stream, secrets: Mapping[str, Secret] | None = None, *, by: str) -> Stream:
        """Write back choices and parameters, and the secret ones that are given."""
        ...

    def secrets(self, connection: Connection, name: str) -> dict[str, Secret]:
        """Return the values of its secret parameters."""
        ...

    def enable(self, connection: Connection, stream: Stream, *, by: str) -> Stream:
        """Turn it on."""
        ...


class Integrations(Protocol):
    """What syncs may use; needed here."""

    def released(self, name: str) -> Integration:
        """Return one; raise NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Streaming:
    """Add, change and enable syncs. `choices` are as `Choices.read` takes them, `given` are the values of parameters, secrets among them.

    Each raises NotFound for an integration that is not released, and UsageError for what is off, by its field.
    """

    streams: Streams
    integrations: Integrations

    def add(
        self, connection: Connection, name: str, integration: str, choices: Mapping[str, Any], given: Mapping[str, str], *, by: str
    ) -> Stream:
        """Make a sync, turned off; what is not given is as the integration offers it. Raises Conflict."""
        found = self.integrations.released(integration)
        parameters, secrets = _parameters(found, {}, given)
        draft = Stream(connection.id, name, integration, Choices.read(choices, found).data(), parameters)
        return self.streams.add(connection, draft, secrets, by=by)

    def change(self, connection: Connection, stream: Stream, choices: Mapping[str, Any], given: Mapping[str, str], *, by: str) -> Stream:
        """Change what is given, and of `fields` those that are named. One that is on has to stay fit to be."""
        found = self.integrations.released(stream.integration)
        parameters, secrets = _parameters(found, stream.parameters, given)
        after = replace(stream, choices=Choices.read(_merged(found, stream.choices, choices), found).data(), parameters=parameters)
        if stream.enabled:
            _insist_free(_flaws(found, after, {**self.streams.secrets(connection, stream.name), **secrets}), stream)
        return self.streams.save(connection, after, secrets, by=by)

    def enable(self, connection: Connection, stream: Stream, *, by: str) -> Stream:
        """Turn a sync on, unless something is in the way: all of it is said."""
        _insist_free(self.in_the_way(connection, stream), stream)
        return self.streams.enable(connection, stream, by=by)

    def in_the_way(self, connection: Connection, stream: Stream) -> list[Flaw]:
        """Return what keeps a sync from being enabled, by the field in which it is put right."""
        return _flaws(self.integrations.released(stream.integration), stream, self.streams.secrets(connection, stream.name))


def pasted(raw: bytes, connection: Connection, doors: Mapping[str, Hear], now: datetime) -> Stored:
    """Return an event or user that somebody pastes as it would be stored; `now` is aware.

    It is read by Amplitude's door, or by that of Candu's REST API where it names a `type`. Raises UsageError naming the field that is off.
    """
    door = _door_of(raw)
    try:
        admission = intake.admit(connection, door, doors[door](raw, connection), now)
    except Refused as error:
        raise UsageError(f"event: {error}") from None
    for reject in admission.rejects:
        raise UsageError(f"event: {_first(reject)}")
    for each in admission.filtered:
        raise UsageError(f"event: {connection.name} would filter it ({each.reason}), and no sync would see it")
    if len(admission.events) != 1:
        raise UsageError("event: paste one event or user at a time")
    (event,) = admission.events
    return Stored(0, event.message, now.timestamp(), 0, door, event.raw)


def _door_of(raw: bytes) -> str:
    try:
        event = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _AMPLITUDE
    return _REST if isinstance(event, dict) and "type" in event else _AMPLITUDE


def _first(reject: Reject) -> str:
    field, said = next(iter(reject.errors.items()), ("body", [reject.code]))
    return f"{field}: {said[0]}"


def _parameters(integration: Integration, known: Mapping[str, str], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Secret]]:
    """Return the values of the plain parameters, and of the secret ones that are given; raise UsageError for one that is not declared."""
    declared = {parameter.name: parameter for parameter in integration.parameters}
    for name, value in given.items():
        if name not in declared:
            raise UsageError(f"parameters.{name}: the integration asks for no such; it has {', '.join(declared) or 'none'}")
        if declared[name].secret and not value.strip():
            raise UsageError(f"parameters.{name}: a secret is replaced by another one; give it")
    texts = {name: given.get(name, known.get(name, each.default)).strip() for name, each in declared.items() if not each.secret}
    return texts, {name: Secret(value.strip()) for name, value in given.items() if declared[name].secret}


def _merged(integration: Integration, known: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return choices with what is changed of them; a mapping that was left empty stays so, whatever the integration offers for it."""
    before, said = known.get("fields", {}), choices.get("fields", {})
    fields = {mapping.name: before.get(mapping.name, "") for mapping in integration.mappings}
    return {**known, **choices, "fields": fields | dict(said) if isinstance(said, Mapping) else said}


def _flaws(integration: Integration, stream: Stream, secrets: Mapping[str, Secret]) -> list[Flaw]:
    return blocks(integration, Choices.read(stream.choices), StreamTarget(stream, secrets).parameters)


def _insist_free(flaws: list[Flaw], stream: Stream) -> None:
    if flaws:
        raise UsageError(f"{stream.name} cannot be on. {' '.join(map(str, flaws))}")
