"""Read files that tell of Candu's contents, CSV or JSON, by a schema that names each field that is off."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from candu_source.doors.items import find_faults, read_tolerantly
from candu_source.doors.schemas import ID_CHARACTERS, NAME_CHARACTERS, Whole, flatten
from candu_source.errors import UsageError
from candu_source.model import Content, Reject


def _text(most: int, **options: Any) -> fields.String:
    return fields.String(allow_none=True, validate=validate.Length(min=1, max=most), **options)


class _Row(Schema):
    """One content of a file."""

    class Meta:
        unknown = RAISE

    content_id = _text(ID_CHARACTERS, data_key="contentId")
    slug = _text(ID_CHARACTERS)
    name = _text(NAME_CHARACTERS)
    portal_id = Whole(allow_none=True, data_key="portalId")

    @validates_schema
    def _is_known_by_something(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("content_id") is None and (data.get("slug") is None or data.get("portal_id") is not None):
            raise ValidationError(
                {"contentId": ["Missing: a content is known by its contentId, or by its slug where no portalId is given."]}
            )

    @post_load
    def _content(self, data: dict[str, Any], **_: Any) -> Content:
        return Content(**data)


COLUMNS = tuple(field.data_key or name for name, field in _Row().fields.items())


def read_contents(file: str, data: bytes) -> list[Content]:
    """Return the contents that a file of this name tells of; raise UsageError naming the row and the field that are off."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} cannot be read as UTF-8 text: {error}") from None
    rows = _json_rows(file, text) if text.lstrip().startswith(("[", "{")) else _csv_rows(file, text)
    return [_content(f"{file}, row {number}", row) for number, row in rows]


def _json_rows(file: str, text: str) -> Iterator[tuple[int, Any]]:
    value = read_tolerantly(text.encode())
    if isinstance(value, Reject):
        raise UsageError(f"{file}: {value.errors['body'][0]}")
    if not isinstance(value, list):
        raise UsageError(f"{file}: write a JSON list of objects with {', '.join(COLUMNS)}")
    return enumerate(value, start=1)


def _csv_rows(file: str, text: str) -> Iterator[tuple[int, Any]]:
    """Yield each row under its headings; rows are numbered as a spreadsheet does, cells that are empty are left out."""
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UsageError(f"{file} is neither JSON nor CSV: {error}") from None
    headings = [cell.strip() for cell in table[0]] if table else []
    if not headings or not set(headings) <= set(COLUMNS) or len(set(headings)) < len(headings):
        raise UsageError(f"{file}, row 1: begin with headings, each once, of {', '.join(COLUMNS)}")
    for number, row in enumerate(table[1:], start=2):
        if len(row) > len(headings):
            raise UsageError(f"{file}, row {number}: {len(row)} cells under {len(headings)} headings; put quotes around a comma")
        cells = {heading: cell.strip() for heading, cell in zip(headings, row, strict=False) if cell.strip()}
        if cells:
            yield number, cells


def _content(where: str, row: Any) -> Content:
    try:
        if faults := find_faults(row):
            raise ValidationError(faults)
        content: Content = _Row().load(row)
    except ValidationError as error:
        field, messages = next(iter(flatten(error.messages).items()))
        raise UsageError(f"{where}: {field}: {messages[0]} (a row has {', '.join(COLUMNS)})") from None
    return content
