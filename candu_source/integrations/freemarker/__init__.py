"""Render Apache FreeMarker templates, the subset that event-streaming integrations are written in: docs/freemarker.md."""

from candu_source.integrations.freemarker.faults import TemplateError as TemplateError
from candu_source.integrations.freemarker.template import Template as Template
from candu_source.integrations.freemarker.template import compile_template as compile_template
