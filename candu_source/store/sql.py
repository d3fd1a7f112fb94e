"""Read the statements under queries/ once: a name for each, with the dialect's clock put in."""

from __future__ import annotations

import re
from importlib import resources

_HEADING = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_VALUES = re.compile(r"(?<=\(VALUES )(\([?, ]+\))")


class Statements:
    """Hold the statements of queries/; `statements["lease"]` is its text, ready for one dialect.

    clock() stands there for the database's own clock in seconds.
    """

    def __init__(self, clock: str) -> None:
        pieces = [piece for text in _queries() for piece in _HEADING.split(text)[1:]]
        self._repeated: dict[tuple[str, int], str] = {}
        self._by_name = {name: body.replace("clock()", clock).strip() for name, body in zip(pieces[::2], pieces[1::2], strict=True)}

    def __getitem__(self, name: str) -> str:
        return self._by_name[name]

    def times(self, name: str, rows: int) -> str:
        """Return a statement whose VALUES take so many rows at once: one call into SQLite, with no other thread in between."""
        text = self._repeated.get((name, rows))
        if text is None:
            before, row, after = _VALUES.split(self[name], maxsplit=1)
            text = self._repeated[name, rows] = before + ", ".join([row] * rows) + after
        return text

    def names(self) -> list[str]:
        """List the names in the order of the file."""
        return list(self._by_name)


def _queries() -> list[str]:
    folder = resources.files("candu_source.store").joinpath("queries")
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name) if file.name.endswith(".sql")]


def script(name: str) -> str:
    """Return one of the store's scripts: `schema`, which makes a store; `upgrade_N`, which brings one to version N."""
    return resources.files("candu_source.store").joinpath(f"{name}.sql").read_text("utf-8")
