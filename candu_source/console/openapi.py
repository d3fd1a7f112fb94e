"""Describe the JSON of the console in OpenAPI 3.1, from the tables of its pages, actions and files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from candu_source import __version__
from candu_source.console.frame import ADMIN, CONSOLE, Action, File, Page
from candu_source.doors.bodies import ProblemBody

_PART = re.compile(r"{(?:path:)?(\w+)}")
# What a problem says here; at the doors it also counts what was sent.
_PROBLEM_FIELDS = ("type", "title", "status", "detail")
# Status -> what it means, of reading and of changing.
_READ_PROBLEMS = MappingProxyType(
    {"401": "No token, or an unknown one.", "404": "Not there, or out of sight.", "422": "A parameter is off."}
)
_ACT_PROBLEMS = MappingProxyType({**_READ_PROBLEMS, "403": "A viewer's token.", "409": "The name is taken."})


def admin_document(pages: Sequence[Page], actions: Sequence[Action], files: Sequence[File]) -> dict[str, Any]:
    """Return the document as a JSON-able dict."""
    spec = APISpec("candu-source console", __version__, openapi_version="3.1.0", plugins=[MarshmallowPlugin()], security=[{"bearer": []}])
    spec.components.schema("Problem", schema=ProblemBody(only=_PROBLEM_FIELDS))
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for page in pages:
        _add(spec, f"{ADMIN}/{page.path}", "get", _described(page.read, _json(), _READ_PROBLEMS))
    for file in files:
        _add(spec, f"{CONSOLE}/{file.path}", "get", _described(file.read, {"application/octet-stream": {}}, _READ_PROBLEMS))
    for action in actions:
        _add(spec, f"{ADMIN}/{action.path}", "post", {"requestBody": {"content": _json()}, **_described(action.do, _json(), _ACT_PROBLEMS)})
    document: dict[str, Any] = spec.to_dict()
    return document


def _add(spec: APISpec, path: str, method: str, operation: Mapping[str, Any]) -> None:
    parts = [{"name": part, "in": "path", "required": True, "schema": {"type": "string"}} for part in _PART.findall(path)]
    spec.path(_PART.sub(r"{\1}", path), operations={method: operation}, parameters=parts)


def _described(does: Callable[..., Any], content: Mapping[str, Any], problems: Mapping[str, str]) -> dict[str, Any]:
    """Describe an address by the first line of what it does."""
    assert does.__doc__ is not None
    refusals = {
        status: {"description": said, "content": {"application/problem+json": {"schema": "Problem"}}} for status, said in problems.items()
    }
    return {"summary": does.__doc__.partition("\n")[0], "responses": {"200": {"description": "Done.", "content": content}, **refusals}}


def _json() -> dict[str, Any]:
    return {"application/json": {"schema": {"type": "object"}}}
