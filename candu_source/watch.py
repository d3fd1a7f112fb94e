"""Watch the shapes of what comes in, off the hot path: read what the store kept, notice what is not as known. The third use case."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from candu_source.documented import CANDU_DOORS, DOCUMENTED
from candu_source.errors import CanduSourceError, Reason, StoreError
from candu_source.findings import Change, Kept, Lesson, Notice, Shape, Source, Subject
from candu_source.mapping import CANDU_PREFIX, CLASSIFICATION, classify
from candu_source.model import Connection, Rules
from candu_source.ports import Contents, Named, Observer, Shapes, Stop
from candu_source.pulse import pulse
from candu_source.shapes import REST, Memory, at, event_name, joined, nearest, shape

SOURCES: tuple[Source, ...] = ("log", "filtered", "rejects")
# Inputs a step: some 30 ms of work.
STEP = 1_000
_SHARE = 0.03
# Events that are known by name at a door of a connection; further ones are one event.
MOST_EVENTS = 300
_MOST_REMEMBERED = 2_000
_ID_CHARACTERS = 255
# Where the properties of an input stand.
_PROPERTIES = {"webhook": ("payload", "properties"), "interactions": ("properties",), "browser": ("detail", "properties")}
# door -> the shapes that an input without a name may have been meant to have.
_CANDIDATES = {door: {event: known for (at_door, event), known in DOCUMENTED.items() if at_door == door} for door, _ in DOCUMENTED}
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Page:
    """Gather what one reading gives, to be kept together."""

    notices: dict[tuple[Subject, Change], Notice] = field(default_factory=dict)
    fresh: list[tuple[Subject, Change]] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    contents: dict[str, set[tuple[str, str | None]]] = field(default_factory=dict)

    def note(self, subject: Subject, change: Change, item: Kept) -> None:
        """Count one input for a change."""
        notice = self.notices.get((subject, change))
        if notice is None:
            self.notices[subject, change] = Notice(subject, change, item.raw, item.at, item.at)
        else:
            notice.count += 1
            notice.last_at = max(notice.last_at, item.at)


@dataclass(slots=True)
class Watch:
    """Read on, step by step; forget everything when a step fails, and read it again from what the store knows."""

    shapes: Shapes
    connections: Named
    contents: Contents
    observer: Observer
    _memories: dict[Subject, Memory] = field(default_factory=dict)
    _events: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _connections: dict[str, Connection | None] = field(default_factory=dict)
    _told: set[tuple[str, str, str | None]] = field(default_factory=set)

    def run(self, stop: Stop) -> None:
        """Watch until `stop` is set, never for more than a few per cent of a core."""
        pulse(lambda: self.step() >= STEP, stop, self.observer, name="shape-watch", share=_SHARE)

    def step(self) -> int:
        """Read a little of every source and return how many inputs that were; raise StoreError, having kept nothing of the last source."""
        self._connections.clear()
        with self._forgetting():
            return sum(self._read(source) for source in SOURCES)

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Hold nothing in memory that the store may not have."""
        try:
            if len(self._memories) + len(self._events) + len(self._told) > _MOST_REMEMBERED:
                self._forget()
            yield
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        for memory in (self._memories, self._events, self._told):
            memory.clear()

    def _read(self, source: Source) -> int:
        reading = self.shapes.read(source, STEP)
        if reading.read_to == reading.after:
            return 0
        page = Page()
        for item in reading.inputs:
            self._guarded(item, page)
        for connection, pairs in page.contents.items():
            self.contents.seen(connection, sorted(pairs, key=str))
        self.shapes.keep(reading, list(page.notices.values()), page.lessons)
        self._told.update((connection, *pair) for connection, pairs in page.contents.items() for pair in pairs)
        for subject, change in page.fresh:
            self._tell(subject, change)
        return len(reading.inputs)

    def _guarded(self, item: Kept, page: Page) -> None:
        try:
            self._look(item, page)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - what one input provokes must not end the delivery that runs beside
            self.observer.tell("shape.skipped", connection=item.connection, door=item.door, error=type(error).__name__)

    def _look(self, item: Kept, page: Page) -> None:
        try:
            value = _parse(item.raw)
            given = shape(value)
        except (ValueError, RecursionError):
            return  # it is not JSON, and was refused for that
        if not item.refused:
            self._see_content(item, value, page)
        name = event_name(item.door, value) or nearest(_CANDIDATES.get(item.door, {}), given)
        subject = self._subject(item, name)
        if self._is_unknown(item, name):
            self._note(subject, [Change("unknown_event", "", "")], item, page)
        if subject.event != REST:
            self._compare(subject, given, item, page)

    def _compare(self, subject: Subject, given: Shape, item: Kept, page: Page) -> None:
        memory = self._memory(subject)
        if not memory.known and item.refused:
            return  # what a door refused is no example to learn from
        first = not memory.known
        changes = [] if first else memory.meet(given)
        if first or changes:
            page.lessons += [Lesson(subject, path, known) for path, known in memory.learn(given, always=first).items()]
            self._named(subject).add(subject.event)
        self._note(subject, changes, item, page)

    def _note(self, subject: Subject, changes: Sequence[Change], item: Kept, page: Page) -> None:
        noticed = self._memory(subject).noticed
        for change in changes:
            if change not in noticed:
                noticed.add(change)
                page.fresh.append((subject, change))
            page.note(subject, change, item)

    def _subject(self, item: Kept, name: str) -> Subject:
        subject = Subject(item.connection, item.door, name)
        named = self._named(subject)
        if (item.door, name) in DOCUMENTED or name in named or len(named) < MOST_EVENTS:
            return subject
        return subject._replace(event=REST)

    def _named(self, subject: Subject) -> set[str]:
        """Return the events that are known by name at a door."""
        place = subject.connection, subject.door
        if place not in self._events:
            self._events[place] = self.shapes.events(*place)
        return self._events[place]

    def _memory(self, subject: Subject) -> Memory:
        memory = self._memories.get(subject)
        if memory is None:
            kept = self.shapes.knowledge(subject)
            known = joined(DOCUMENTED.get((subject.door, subject.event), {}), kept.learned)
            memory = self._memories[subject] = Memory(known, set(kept.noticed), len(kept.learned))
        return memory

    def _is_unknown(self, item: Kept, name: str) -> bool:
        """Tell whether this is a name of Candu's that neither our table nor the connection's own knows."""
        if item.door not in CANDU_DOORS or name in CLASSIFICATION or not name.startswith(CANDU_PREFIX):
            return False
        connection = self._connection(item.connection)
        return classify(name, connection.rules if connection else Rules()) is Reason.UNKNOWN_EVENT

    def _connection(self, identifier: str) -> Connection | None:
        """Return a connection as it is set now; None when it is gone or cannot be read."""
        if identifier not in self._connections:
            try:
                self._connections[identifier] = self.connections.named(identifier)
            except CanduSourceError:
                self._connections[identifier] = None
        return self._connections[identifier]

    def _see_content(self, item: Kept, value: Any, page: Page) -> None:
        properties = at(value, _PROPERTIES.get(item.door, (REST,)))
        content, slug = (_id(at(properties, (name,))) for name in ("contentId", "slug"))
        if content and (item.connection, content, slug) not in self._told:
            page.contents.setdefault(item.connection, set()).add((content, slug))

    def _tell(self, subject: Subject, change: Change) -> None:
        connection = self._connection(subject.connection)
        self.observer.count("shape_notices", door=subject.door, change=change.what)
        self.observer.tell(
            "shape.noticed",
            connection=connection.name if connection else subject.connection,
            door=subject.door,
            event=subject.event,
            change=change.what,
            path=change.path,
            type=change.type,
        )


def _parse(raw: bytes) -> Any:
    """Read JSON as tolerantly as the doors do; raise ValueError or RecursionError where there is none."""
    try:
        return _decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return json.loads(raw)


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _ID_CHARACTERS and value.isprintable() else None
