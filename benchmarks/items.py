"""Make what is sent: the samples' items, compact, each with a message id of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

_SAMPLES = Path(__file__).parents[1] / "samples" / "interactions"
ID_CHARACTERS = 36  # as a UUID
_IDS_AT_A_TIME = 16_384


def ids() -> Iterator[bytes]:
    """Yield random message ids for ever: as spread over an index as the UUIDs that senders make."""
    while True:
        text = os.urandom(_IDS_AT_A_TIME * ID_CHARACTERS // 2).hex().encode()
        for start in range(0, len(text), ID_CHARACTERS):
            yield text[start : start + ID_CHARACTERS]


class Body:
    """Hold the bytes of one request's body and put new ids into their places."""

    def __init__(self, items: int, *, before: bytes = b"") -> None:
        self._places: list[int] = []
        bare = items == 1
        data = bytearray(before) + (b"" if bare else b'{"batch":[')
        for number in range(items):
            item = _item(number)
            place = item.index(b'"messageId":"') + len(b'"messageId":"')
            self._places.append(len(data) + place)
            data += item + (b"" if number == items - 1 else b",")
        self._data = data + (b"" if bare else b"]}")
        self.items = items

    def __len__(self) -> int:
        return len(self._data)

    def fresh(self, source: Iterator[bytes]) -> bytes:
        """Return the bytes with ids that were not used before."""
        for place in self._places:
            self._data[place : place + ID_CHARACTERS] = next(source)
        return bytes(self._data)


def request(path: str, token: str, items: int) -> Body:
    """Return a whole HTTP request that holds so many items."""
    length = len(Body(items))
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return Body(items, before=head.encode())


def _item(number: int) -> bytes:
    """Return an interaction or, at every second place, a view."""
    item = json.loads((_SAMPLES / ("view.json" if number % 2 else "interaction.json")).read_text("utf-8"))
    return json.dumps({**item, "messageId": "0" * ID_CHARACTERS}, separators=(",", ":")).encode()
