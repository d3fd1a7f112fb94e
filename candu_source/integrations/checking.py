"""Check an integration before it is submitted: what keeps it from working is a flaw, named by where it stands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from candu_source.integrations.freemarker import TemplateError, compile_template
from candu_source.integrations.tile import Integration, Payload


class Flaw(NamedTuple):
    """Say what is wrong: the field, line and column in its text (from 1; 0 where the field has none), and what to do.

    A flaw that `blocks` keeps an integration from being submitted.
    """

    where: str
    line: int
    column: int
    message: str
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """Say of one parameter whether it is declared, and which payload parts use it."""

    name: str
    declared: bool
    used_in: tuple[str, ...]


def check(integration: Integration) -> list[Flaw]:
    """Return all flaws, those of the first parts first; while a template does not compile, nothing is said of what templates use."""
    broken = [flaw for kind, payload in integration.payloads.items() for flaw in _of_templates(kind, payload)]
    return broken or [*_of_nothing(integration), *_of_parameters(integration), *_of_mappings(integration)]


def usages(integration: Integration) -> list[Usage]:
    """Return the table PARAMETERS, DECLARED and USED: declared ones in their order, then those that are used and not declared."""
    used: dict[str, list[str]] = {}
    for place, names in _used(integration, "parameters"):
        for name in sorted(names):
            used.setdefault(name, []).append(place)
    declared = [parameter.name for parameter in integration.parameters]
    return [
        *(Usage(name, declared=True, used_in=tuple(used.get(name, ()))) for name in declared),
        *(Usage(name, declared=False, used_in=tuple(places)) for name, places in used.items() if name not in declared),
    ]


def _of_nothing(integration: Integration) -> Iterator[Flaw]:
    if not integration.payloads:
        yield Flaw("events", 0, 0, "There is neither an events nor a users payload; nothing could be sent.")


def _of_templates(kind: str, payload: Payload) -> Iterator[Flaw]:
    for part, text in payload.templates.items():
        try:
            compile_template(text)
        except TemplateError as error:
            yield Flaw(f"{kind}.{part}", error.line, error.column, error.message)


def _of_parameters(integration: Integration) -> Iterator[Flaw]:
    for usage in usages(integration):
        if not usage.declared:
            yield Flaw(usage.used_in[0], 0, 0, f"parameters.{usage.name} is used and not declared; add it to parameters.")
        elif not usage.used_in:
            said = f"{usage.name} is declared and used nowhere; whoever sets up a sync would fill it in vain."
            yield Flaw("parameters", 0, 0, said, blocks=False)


def _of_mappings(integration: Integration) -> Iterator[Flaw]:
    declared = {mapping.name for mapping in integration.mappings}
    used = list(_used(integration, "mappedFields"))
    for place, names in used:
        for name in sorted(names - declared):
            yield Flaw(place, 0, 0, f"mappedFields.{name} is used and not declared; add it to mappings.")
    for name in sorted(declared.difference(*(names for _, names in used))):
        yield Flaw("mappings", 0, 0, f"{name} is declared and used nowhere.", blocks=False)


def _used(integration: Integration, root: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the names below a root that each part uses; a part that does not compile uses none."""
    for kind, payload in integration.payloads.items():
        for part, text in payload.templates.items():
            with contextlib.suppress(TemplateError):
                yield f"{kind}.{part}", compile_template(text).uses(root)
