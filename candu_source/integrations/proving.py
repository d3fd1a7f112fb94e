"""Prove a payload: over all that its templates may be given, do they always render, and is the body always JSON?

What is tried: every field that the templates name, missing, null, and with each value that its type allows, by itself and together with
every other one; first over an event that has nothing but what is promised, then over one that has everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, NamedTuple

import msgspec

from candu_source.integrations.fields import ALWAYS, HOSTILE, TYPES, typical, unusual
from candu_source.integrations.freemarker import TemplateError
from candu_source.integrations.rendering import Compiled, Given, compile_payload
from candu_source.integrations.tile import Integration, Kind

# Pairs of a payload with many fields are many: so many requests are rendered, the simplest first, and none after so long.
MOST_TRIED = 20_000
MOST_SECONDS = 30.0
_MISSING = object()
# Some moment: what `.now` says is nobody's data.
_NOW = 1_646_078_821_795
# What can stand in an address, a header and a body.
_PARAMETER = "https://example.test"


class Choice(NamedTuple):
    """Name one thing that is unlike the usual: where it stands, and its value; `_MISSING` where there is none."""

    root: str
    name: str
    value: Any

    def __str__(self) -> str:
        where = f"{self.root}.{self.name}"
        return f"{where} is missing" if self.value is _MISSING else f"{where} = {msgspec.json.encode(self.value).decode()}"


@dataclass(frozen=True, slots=True)
class Proof:
    """Say what was found: how many requests were rendered, and the smallest that fails, if any.

    `because` are the choices that it takes, `fault` what goes wrong.
    """

    tried: int
    because: tuple[str, ...] = ()
    fault: str = ""
    given: Given | None = None

    @property
    def holds(self) -> bool:
        """Tell whether nothing that was tried fails."""
        return not self.fault

    def __str__(self) -> str:
        """Say it in one line."""
        told = "always renders" if self.holds else f"fails where {' and '.join(self.because) or 'nothing is unusual'}: {self.fault}"
        return f"{told} ({self.tried:,} requests tried)"


def prove(integration: Integration, kind: Kind, clock: Callable[[], float] = time.monotonic) -> Proof:
    """Prove the payload `kind` (events or users) of an integration; raise TemplateError when it does not compile.

    `clock`, in seconds, is what ends a proof of templates that take long.
    """
    payload = integration.payloads[kind]
    compiled = compile_payload(payload)
    wants_json = "json" in {name.lower(): value for name, value in payload.headers.items()}.get("content-type", "json").lower()
    tried, deadline = 0, clock() + MOST_SECONDS
    for base, choices in _worlds(integration, compiled, ALWAYS[kind]):
        for chosen in _chosen(choices):
            tried += 1
            given = _changed(base, chosen)
            if fault := _fault(compiled, given, wants_json=wants_json):
                return Proof(tried, tuple(map(str, chosen)), fault, given)
            if tried == MOST_TRIED or clock() > deadline:
                return Proof(tried)
    return Proof(tried)


def _fault(compiled: Compiled, given: Given, *, wants_json: bool) -> str:
    try:
        rendered = compiled.render(given, now=_NOW)
    except TemplateError as error:
        return str(error)
    fault = rendered.json_fault() if wants_json else ""
    return f"the body is no JSON: {fault}" if fault else ""


def _worlds(integration: Integration, compiled: Compiled, promised: frozenset[str]) -> Iterator[tuple[Given, list[Choice]]]:
    """Yield what is promised and no more, then everything that is named, each with what may be unlike that."""
    named = compiled.used("input")
    parameters = {parameter.name: _PARAMETER for parameter in integration.parameters}
    sure = {mapping.name: "some value" for mapping in integration.mappings if mapping.required}
    least = Given({name: typical(name) for name in promised}, parameters, {}, sure)
    most = replace(
        least,
        input={name: typical(name) for name in sorted(named | promised)},
        mapped_properties={"plan": '"some value"'},
        mapped_fields={mapping.name: "some value" for mapping in integration.mappings},
    )
    choices = [*_of_input(named, promised), *_of_parameters(compiled), *_of_mappings(integration), *_of_properties(integration)]
    yield least, choices
    yield most, choices


def _of_input(named: frozenset[str], promised: frozenset[str]) -> Iterator[Choice]:
    for name in sorted(named):
        if name not in promised:
            yield Choice("input", name, _MISSING)
            yield Choice("input", name, None)
        for value in unusual(name):
            yield Choice("input", name, value)
        if TYPES.get(name) == "object":
            yield Choice("input", name, {})
            yield Choice("input", name, {HOSTILE: HOSTILE})


def _of_parameters(compiled: Compiled) -> Iterator[Choice]:
    """Yield what people may paste; into an address or a header they paste what is one."""
    lines = (compiled.url, *compiled.headers.values())
    for name in sorted(compiled.body.uses("parameters").difference(*(template.uses("parameters") for template in lines))):
        yield Choice("parameters", name, HOSTILE)


def _of_mappings(integration: Integration) -> Iterator[Choice]:
    for mapping in integration.mappings:
        if not mapping.required:
            yield Choice("mappedFields", mapping.name, _MISSING)
        for value in unusual("user_id"):
            if value or not mapping.required:
                yield Choice("mappedFields", mapping.name, value)


def _of_properties(integration: Integration) -> Iterator[Choice]:
    """Yield properties that a sync may send: they arrive as JSON text, or empty."""
    if integration.property_selection:
        yield Choice("mappedProperties", "plan", "")
        yield Choice("mappedProperties", "plan", msgspec.json.encode(HOSTILE).decode())
        yield Choice("mappedProperties", HOSTILE, '"value"')
        yield Choice("mappedProperties", "a second", '"value"')


def _chosen(choices: list[Choice]) -> Iterator[tuple[Choice, ...]]:
    """Yield nothing unusual, then each choice, then each two that can be together."""
    yield ()
    yield from ((each,) for each in choices)
    yield from (two for two in combinations(choices, 2) if two[0][:2] != two[1][:2])


def _changed(base: Given, chosen: tuple[Choice, ...]) -> Given:
    data: dict[str, dict[str, Any]] = base.data()
    for root, name, value in chosen:
        if value is _MISSING:
            data[root].pop(name, None)
        else:
            data[root][name] = value
    return Given(*data.values())
