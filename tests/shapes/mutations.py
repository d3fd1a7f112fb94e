"""Change one field of a sample: drop it, give it another type, or add one, at every level."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.shapes.watching import sample

# What the contracts let senders leave out: dropping it changes no shape.
_OPTIONAL = {
    "interactions": {
        *("userId", "anonymousId", "messageId", "timestamp", "context"),
        *("context.page", "context.locale", "context.page.path", "context.page.url"),
    },
    "browser": {"userId", "userHmac", "context.screen.density"},
    "rest": {"userId", "userID", "messageId", "timestamp", "properties"},
}
# Names that the sender chooses, and what a handler holds in a browser: anything may stand there.
_FREE = ("traits.", "properties.", "detail.properties.handler.url", "detail.properties.handler.added")
_NULLABLE = {"payload.userId", "userId", "anonymousId", "userHmac", "userID"}
_OTHERS: tuple[Any, ...] = ("other", 12.5, True, None, ["other"], {"other": "other"})


class Mutation(NamedTuple):
    """Hold one changed item: the door, the name of the sample, what was done, to which path, and the item."""

    door: str
    sample: str
    what: str
    path: str
    item: Any


def originals() -> Iterator[tuple[str, str, Any]]:
    """Yield (door, name, item) of every well-formed documented item."""
    for name in ("view", "interaction"):
        yield "webhook", name, sample(f"webhook/{name}.json")
        yield "interactions", name, sample(f"interactions/{name}.json")
    yield "webhook", "list", sample("webhook/list.json")[0]
    yield "interactions", "batch", sample("interactions/batch.json")["batch"][0]
    yield "browser", "view", sample("browser/view.json")
    yield "browser", "interaction", sample("browser/interaction.json")["batch"][0]
    for name in ("identify", "track", "group"):
        yield "rest", name, sample(f"rest/{name}.json")
    for name in ("event", "user"):
        yield "amplitude", name, sample(f"amplitude/{name}.json")


def mutations() -> list[Mutation]:
    """List every mutation that is to be noticed."""
    return [mutation for door, name, item in originals() for mutation in _mutations(door, name, item)]


def _mutations(door: str, name: str, original: Any) -> Iterator[Mutation]:
    for place in _places(original):
        path = ".".join(place)
        if _is_free(door, path):
            continue
        if not _is_optional(door, path):
            yield Mutation(door, name, "missing", path, _changed(original, place))
        old = _value(original, place)
        fitting = [
            other
            for other in _OTHERS
            if type(other) is not type(old)
            and not (other is None and door in ("rest", "amplitude"))
            and not (path == "paying" and isinstance(other, bool | str))
            and not (path in _NULLABLE and isinstance(other, str | None))
        ]
        for other in fitting[len(path) % 2 :: 3]:
            yield Mutation(door, name, "retyped", path, _changed(original, place, other))
    for place in ((), *_places(original)):
        if isinstance(_value(original, place), dict) and not _is_free(door, path := ".".join((*place, "added"))):
            for added in ("x", {"deep": {"er": 1}}):
                yield Mutation(door, name, "new", path, _changed(original, (*place, "added"), added))


def _is_optional(door: str, path: str) -> bool:
    return door == "amplitude" or path in _OPTIONAL.get(door, ())


def _is_free(door: str, path: str) -> bool:
    return (door in ("rest", "browser") and path.startswith(_FREE)) or (door == "amplitude" and "." in path)


def _places(value: Any, inside: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*inside, name)
            yield from _places(inner, (*inside, name))


def _value(item: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        item = item[name]
    return item


def _changed(item: Any, place: tuple[str, ...], *value: Any) -> Any:
    """Return a copy with another value at a place, or with nothing there."""
    made = copy.deepcopy(item)
    within = _value(made, place[:-1])
    if value:
        within[place[-1]] = value[0]
    else:
        del within[place[-1]]
    return made
