"""Render Apache FreeMarker templates, the subset that event-streaming integrations are written in: docs/freemarker.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candu_source.integrations.freemarker.faults import TemplateError as TemplateError

if TYPE_CHECKING:
    from candu_source.integrations.freemarker.template import Template as Template


def compile_template(text: str) -> Template:
    """Return the template ready to render; raise TemplateError of kind parse or unsupported, or runtime for a limit."""
    from candu_source.integrations.freemarker.template import parsed  # noqa: PLC0415 - most processes never meet a template, and start sooner

    return parsed(text)
