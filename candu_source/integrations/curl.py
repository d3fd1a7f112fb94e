"""Write a request as the cURL command that Amplitude's Test Payload gives, so that bash takes it whatever is in it."""

from __future__ import annotations

from candu_source.integrations.rendering import Rendered

# Amplitude writes --data, which takes what begins with @ for the name of a file.
_DATA = {False: "--data", True: "--data-raw"}


def curl(request: Rendered) -> str:
    """Return the command, a header a line; pasted into bash it sends the very bytes of the request."""
    lines = [
        f"curl --verbose --request {request.method} {_double(request.url)}",
        *(f"-H {_single(f'{name}:{value}')}" for name, value in request.headers.items()),
        f"{_DATA[request.body.startswith('@')]} {_single(request.body)}",
    ]
    return " \\\n".join(lines)


def _single(text: str) -> str:
    """Quote for bash, where nothing means anything between single quotes but the next one."""
    return "'" + text.replace("'", "'\\''") + "'"


def _double(text: str) -> str:
    """Quote a URL as Amplitude does, in double quotes, unless bash would read something in it there."""
    return _single(text) if set(text) & set('\\"$`!') else f'"{text}"'
