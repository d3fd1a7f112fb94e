"""Describe the JSON of the console in OpenAPI 3.1, from the tables of its pages, actions and files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from candu_source import __version__
from candu_source.console.frame import ADMIN, CONSOLE, Action, File, Page

_PART = re.compile(r"{(?:path:)?(\w+)}")
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
# Status -> what it means, of reading and of changing.
_READ_PROBLEMS = MappingProxyType(
    {"401": "No token, or an unknown one.", "404": "Not there, or out of sight.", "422": "A parameter is off."}
)
_ACT_PROBLEMS = MappingProxyType({**_READ_PROBLEMS, "403": "A viewer's token.", "409": "The name is taken."})


def admin_document(pages: Sequence[Page], actions: Sequence[Action], files: Sequence[File]) -> dict[str, Any]:
    """Return the document as a JSON-able dict."""
    paths: dict[str, dict[str, Any]] = {}
    for page in pages:
        _add(paths, f"{ADMIN}/{page.path}", "get", page.read, _answer("application/json"), _READ_PROBLEMS)
    for file in files:
        _add(paths, f"{CONSOLE}/{file.path}", "get", file.read, _answer("application/octet-stream"), _READ_PROBLEMS)
    for action in actions:
        body = {"content": {"application/json": {"schema": {"type": "object"}}}}
        _add(paths, f"{ADMIN}/{action.path}", "post", action.do, _answer("application/json"), _ACT_PROBLEMS, requestBody=body)
    return {
        "openapi": "3.1.0",
        "info": {"title": "candu-source console", "version": __version__},
        "paths": paths,
        "components": {"schemas": {"Problem": _PROBLEM}, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}],
    }


def _add(paths: dict[str, dict[str, Any]], path: str, method: str, does: Any, answer: dict[str, Any], problems: Any, **more: Any) -> None:
    described = paths.setdefault(_PART.sub(r"{\1}", path), {})
    if parts := _PART.findall(path):
        described["parameters"] = [{"name": part, "in": "path", "required": True, "schema": {"type": "string"}} for part in parts]
    refusals = {status: _answer("application/problem+json", said, "Problem") for status, said in problems.items()}
    described[method] = {"summary": does.__doc__.partition("\n")[0], **more, "responses": {"200": answer, **refusals}}


def _answer(media: str, said: str = "Done.", schema: str | None = None) -> dict[str, Any]:
    shape = {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "object"} if media == "application/json" else {}
    return {"description": said, "content": {media: {"schema": shape} if shape else {}}}
