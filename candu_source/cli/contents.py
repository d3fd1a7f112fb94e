"""Commands about contents: what a connection knows of Candu's, from its events and from what people tell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from candu_source.cli.show import choose, connection_option, emit, emit_one, json_option, opened
from candu_source.doors.items import find_faults, read_tolerantly
from candu_source.doors.schemas import ID_CHARACTERS, NAME_CHARACTERS, Whole, flatten
from candu_source.errors import UsageError
from candu_source.model import Reject
from candu_source.settings import Settings
from candu_source.store.contents import Content


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


_COLUMNS = tuple(field.data_key or name for name, field in _Row().fields.items())


@click.group()
def contents() -> None:
    """Candu's contents as a connection knows them; `connections set NAME --portal lookup` takes portalId from here."""


@contents.command("list")
@connection_option
@json_option
@click.pass_obj
def list_(settings: Settings, name: str | None, as_json: bool) -> None:
    """List the contents that were seen in events or told by a file."""
    with opened(settings) as store:
        known = store.contents.all(choose(store, name).id)
    rows = [dict(zip(_COLUMNS, content, strict=True)) for content in known]
    emit(rows, as_json=as_json, empty="No content yet. Events that carry a contentId add theirs; `contents import FILE` tells of more.")


@contents.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@connection_option
@json_option
@click.pass_obj
def import_(settings: Settings, file: Path, name: str | None, as_json: bool) -> None:
    """Tell of contents: FILE is a JSON list of {contentId, slug, name, portalId} or a CSV file with these headings.

    A row needs contentId or slug. What a row leaves out is kept as it was; all rows count, or none.
    """
    told = read_contents(file)
    with opened(settings) as store:
        connection = choose(store, name)
        store.contents.tell(connection.id, told)
        known = len(store.contents.all(connection.id))
    emit_one({"imported": len(told), "known": known}, as_json=as_json)


def read_contents(file: Path) -> list[Content]:
    """Return the contents of a file; raise UsageError naming the row and the field that are off."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as UTF-8 text: {error}") from None
    rows = _json_rows(file, text) if text.lstrip().startswith(("[", "{")) else _csv_rows(file, text)
    return [_content(f"{file}, row {number}", row) for number, row in rows]


def _json_rows(file: Path, text: str) -> Iterator[tuple[int, Any]]:
    value = read_tolerantly(text.encode())
    if isinstance(value, Reject):
        raise UsageError(f"{file}: {value.errors['body'][0]}")
    if not isinstance(value, list):
        raise UsageError(f"{file}: write a JSON list of objects with {', '.join(_COLUMNS)}")
    return enumerate(value, start=1)


def _csv_rows(file: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Yield each row under its headings; rows are numbered as a spreadsheet does, cells that are empty are left out."""
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UsageError(f"{file} is neither JSON nor CSV: {error}") from None
    headings = [cell.strip() for cell in table[0]] if table else []
    if not headings or not set(headings) <= set(_COLUMNS) or len(set(headings)) < len(headings):
        raise UsageError(f"{file}, row 1: begin with headings, each once, of {', '.join(_COLUMNS)}")
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
        raise UsageError(f"{where}: {field}: {messages[0]} (a row has {', '.join(_COLUMNS)})") from None
    return content


COMMANDS = (contents,)
