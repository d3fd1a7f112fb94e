"""Send one event through a sync and see what comes back: syncs test."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from candu_source.cli.preview import request_text
from candu_source.cli.show import actor, choose, connection_option, json_option, opened, plain, read_bytes
from candu_source.deliveries import Outcome, Stored, StreamTarget
from candu_source.destinations.masking import Masked
from candu_source.destinations.posting import Posted
from candu_source.destinations.streams import StreamDestination
from candu_source.doors import DOORS
from candu_source.errors import Reason, UsageError
from candu_source.integrations.curl import curl
from candu_source.integrations.rendering import Rendered
from candu_source.model import Connection, Secret
from candu_source.sending import build_streams
from candu_source.settings import Settings
from candu_source.store import Store
from candu_source.streaming import Streaming, pasted

# So many of the latest events are looked through for one that the sync sends.
_LATEST = 200


@click.command()
@click.argument("sync", metavar="NAME")
@connection_option
@click.option("--message-id", metavar="ID", help="An event of the log; the latest that the sync sends when left out.")
@click.option(
    "--event",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A JSON file with an event or user, as Amplitude or Candu's REST API has them.",
)
@click.option("--reveal", is_flag=True, help="Print secrets as they are sent.")
@json_option
@click.pass_obj
def test(settings: Settings, sync: str, name: str | None, message_id: str | None, file: Path | None, reveal: bool, as_json: bool) -> None:
    """Really send one event, and show the request and the answer; no retry, counted nowhere. Exit 1 unless it was taken.

    Example: candu-source syncs test candu --event samples/amplitude/event.json
    """
    if message_id and file:
        raise UsageError("--message-id and --event name two events; test one")
    with opened(settings) as store:
        connection = choose(store, name)
        destination = build_streams(settings, store)
        target = _target(store, connection, sync)
        event = _event(store, connection, message_id, file) or _latest(store, connection, destination, target)
        request, posted = destination.once(target, event)
        store.audit.note(actor(), "sync.tested", connection.name, {"name": (sync, sync)}, connection=connection.id)
    _tell(request, posted, () if reveal else target.secrets.values(), as_json=as_json)
    sys.exit(0 if posted and posted.outcome.code is Reason.ACCEPTED else 1)


def _target(store: Store, connection: Connection, sync: str) -> StreamTarget:
    """Return the sync with its secrets; raise UsageError with all that keeps it from sending."""
    stream = store.streams.named(connection, sync)
    if flaws := Streaming(store.streams, store.integrations).in_the_way(connection, stream):
        raise UsageError(f"{sync} cannot send yet. {' '.join(map(str, flaws))}")
    return StreamTarget(stream, store.streams.secrets(connection, sync))


def _event(store: Store, connection: Connection, message_id: str | None, file: Path | None) -> Stored | None:
    if file:
        return pasted(read_bytes(file), connection, DOORS, datetime.now(UTC))
    if message_id:
        return store.trace.life(connection.id, message_id).event.stored()
    return None


def _latest(store: Store, connection: Connection, destination: StreamDestination, target: StreamTarget) -> Stored:
    writer = destination.writer(target)
    for event in reversed(store.trace.tail(connection.id, most=_LATEST)):
        stored = event.stored()
        if any(isinstance(step.post, Rendered) for step in writer.steps([stored])):
            return stored
    raise UsageError(f"none of the latest events is one that {target.stream.name} sends; give one with --event FILE")


def _tell(request: Rendered | Outcome, posted: Posted | None, secrets: Iterable[Secret], *, as_json: bool) -> None:
    if isinstance(request, Outcome):
        story: dict[str, Any] = {"request": None, "not_sent": {"reason": request.code, "detail": request.detail}}
        said = f"Nothing was sent: {request.code}, {plain(request.detail) or 'by what the sync chooses'}."
    else:
        assert posted
        shown = _masked(request, Masked(secrets))
        answer = _answer(posted)
        story = {"request": shown.data(), "curl": curl(shown), "answer": answer}
        said = f"{request_text(shown)}\n\n{_lines(curl(shown))}\n\n{_words(answer)}"
    click.echo(json.dumps(story, indent=2, ensure_ascii=False) if as_json else said)


def _masked(request: Rendered, mask: Masked) -> Rendered:
    headers = {name: mask.text(value) for name, value in request.headers.items()}
    return Rendered(request.method, mask.text(request.url), headers, mask.text(request.body))


def _answer(posted: Posted) -> dict[str, Any]:
    outcome = posted.outcome
    return {
        "outcome": outcome.code,
        "status": outcome.status,
        "body": posted.answer,
        "detail": outcome.detail,
        "ms": round(posted.seconds * 1000, 1),
    }


def _words(answer: dict[str, Any]) -> str:
    said = answer["body"] or answer["detail"] or "nothing"
    return plain(f"{answer['status'] or 'No answer'} ({answer['outcome']}, {answer['ms']} ms): {said}")


def _lines(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))


COMMANDS = (test,)
