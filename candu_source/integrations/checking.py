"""Check an integration before it is submitted: what keeps it from working is a flaw, named by where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from candu_source.integrations.freemarker import Template, TemplateError, compile_template
from candu_source.integrations.tile import Integration


class Flaw(NamedTuple):
    """Say what is wrong: the field, line and column in its text (from 1; 0 where the field has none), and what to do.

    A flaw that `blocks` keeps an integration from being submitted.
    """

    where: str
    line: int
    column: int
    message: str
    blocks: bool = True

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.where}, line {self.line}, column {self.column}: {self.message}" if self.line else f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Usage:
    """Say of one parameter whether it is declared, and which payload parts use it."""

    name: str
    declared: bool
    used_in: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"name": self.name, "declared": self.declared, "used_in": list(self.used_in)}


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold all flaws, those of the first parts first, and the table PARAMETERS, DECLARED and USED.

    While a template does not compile, no flaw is told of what templates use.
    """

    flaws: tuple[Flaw, ...]
    usages: tuple[Usage, ...]

    @property
    def blocking(self) -> tuple[Flaw, ...]:
        """Return the flaws that keep the integration from working."""
        return tuple(flaw for flaw in self.flaws if flaw.blocks)


def check(integration: Integration) -> Checked:
    """Check all of an integration; one made by code has nothing that people could mend."""
    if integration.by_code:
        return Checked((), tuple(Usage(each.name, declared=True, used_in=("code",)) for each in integration.parameters))
    templates, broken = _compiled(integration)
    usages = _usages(integration, _used(templates, "parameters"))
    of_use = (*_of_nothing(integration), *_of_parameters(usages), *_of_mappings(integration, _used(templates, "mappedFields")))
    return Checked(tuple(broken) or of_use, usages)


def _compiled(integration: Integration) -> tuple[dict[str, Template], list[Flaw]]:
    """Return the templates that compile, by where they stand, and a flaw for each that does not."""
    templates: dict[str, Template] = {}
    broken: list[Flaw] = []
    for kind, payload in integration.payloads.items():
        for part, text in payload.templates.items():
            try:
                templates[f"{kind}.{part}"] = compile_template(text)
            except TemplateError as error:
                broken.append(Flaw(f"{kind}.{part}", error.line, error.column, error.message))
    return templates, broken


def _used(templates: Mapping[str, Template], root: str) -> dict[str, list[str]]:
    """Return the names below a root that templates use, each with the places where they do."""
    used: dict[str, list[str]] = {}
    for place, template in templates.items():
        for name in sorted(template.uses(root)):
            used.setdefault(name, []).append(place)
    return used


def _usages(integration: Integration, used: Mapping[str, list[str]]) -> tuple[Usage, ...]:
    """Return declared parameters in their order, then those that are used and not declared."""
    declared = [parameter.name for parameter in integration.parameters]
    return (
        *(Usage(name, declared=True, used_in=tuple(used.get(name, ()))) for name in declared),
        *(Usage(name, declared=False, used_in=tuple(places)) for name, places in used.items() if name not in declared),
    )


def _of_nothing(integration: Integration) -> Iterator[Flaw]:
    if not integration.takes:
        yield Flaw("events", 0, 0, "There is neither an events nor a users payload; nothing could be sent.")


def _of_parameters(usages: tuple[Usage, ...]) -> Iterator[Flaw]:
    for usage in usages:
        if not usage.declared:
            yield Flaw(usage.used_in[0], 0, 0, f"parameters.{usage.name} is used and not declared; add it to parameters.")
        elif not usage.used_in:
            said = f"{usage.name} is declared and used nowhere; whoever sets up a sync would fill it in vain."
            yield Flaw("parameters", 0, 0, said, blocks=False)


def _of_mappings(integration: Integration, used: Mapping[str, list[str]]) -> Iterator[Flaw]:
    declared = {mapping.name for mapping in integration.mappings}
    for name, places in used.items():
        if name not in declared:
            yield from (Flaw(place, 0, 0, f"mappedFields.{name} is used and not declared; add it to mappings.") for place in places)
    for name in sorted(declared.difference(used)):
        yield Flaw("mappings", 0, 0, f"{name} is declared and used nowhere.", blocks=False)
