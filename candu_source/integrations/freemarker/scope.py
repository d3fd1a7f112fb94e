"""Hold what one rendering knows and has done: variables, settings, what is written, and the steps that are left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from candu_source.integrations.freemarker.faults import exceeded, wrong
from candu_source.integrations.freemarker.formats import Formats
from candu_source.integrations.freemarker.limits import CHARACTERS_A_PLACE_STEP, CHARACTERS_A_STEP, NESTING, OUTPUT_BYTES, STEPS
from candu_source.integrations.freemarker.values import Helper, Match, Moment, Value, as_number, type_name

# Written once, the name stands for the helper object (Amplitude's cohort page uses it so).
_PREDEFINED = {"UtilClass": Helper()}


@dataclass(slots=True)
class Loop:
    """Hold where a loop is: the place of its item and whether another follows."""

    index: int = 0
    has_next: bool = False


@dataclass(slots=True)
class Frame:
    """Hold names that live shorter than the template: of a loop, a lambda or a call.

    In the frame of a `call`, `body` is what <#nested> renders; in that of a list without a name, `listed` is what <#items> goes over.
    """

    names: dict[str, Value]
    outer: Frame | None
    loops: dict[str, Loop] = field(default_factory=dict)
    body: Any = None
    call: bool = False
    listed: Value = None


class Scope:
    """Hold the state of one rendering; `now` is what `.now` says, milliseconds since 1970, None where there is no clock."""

    def __init__(self, data: dict[str, Any], now: int | None) -> None:
        self.data = data
        self.now = now
        self.assigned: dict[str, Value] = {}
        self.globals: dict[str, Value] = {}
        self.frame: Frame | None = None
        self.formats = Formats()
        self.written: list[str] = []
        self._bytes = 0
        self._steps = STEPS
        self._depth = 0

    def find(self, name: str) -> Value:
        """Return the variable of that name, the nearest first, None if there is none."""
        frame = self.frame
        while frame is not None:
            value = frame.names.get(name)
            if value is not None:
                return value
            frame = frame.outer
        for names in (self.assigned, self.globals, self.data, _PREDEFINED):
            value = names.get(name)
            if value is not None:
                return value
        return None

    def loop(self, name: str) -> Loop:
        """Return the innermost loop over that name."""
        frame = self.frame
        while frame is not None:
            if name in frame.loops:
                return frame.loops[name]
            frame = frame.outer
        raise wrong(f"{name} is not the variable of a loop here")

    def nearest_loop(self) -> Loop:
        """Return the innermost loop."""
        frame = self.frame
        while frame is not None:
            if frame.loops:
                return next(iter(frame.loops.values()))
            frame = frame.outer
        raise wrong("no list is running")

    def listing(self) -> Frame:
        """Return the frame of the innermost list without a name."""
        frame = self.frame
        while frame is not None and "" not in frame.loops:
            frame = frame.outer
        if frame is None:
            raise wrong("<#items> is not within the <#list> that it belongs to")
        return frame

    def names(self, target: str) -> dict[str, Value]:
        """Return the variables that <#assign>, <#global> or <#local> writes."""
        if target == "local":
            return self.call_frame().names
        return self.globals if target == "global" else self.assigned

    def call_frame(self) -> Frame:
        """Return the frame of the macro or function that is running."""
        frame = self.frame
        while frame is not None and not frame.call:
            frame = frame.outer
        if frame is None:
            raise wrong("no macro or function is running")
        return frame

    @contextmanager
    def inside(self, frame: Frame | None) -> Iterator[None]:
        """Let a frame be the nearest for a while; calls within calls are counted."""
        before, self.frame = self.frame, frame
        self._depth += 1
        try:
            if self._depth > NESTING:
                raise exceeded(f"loops and calls are nested deeper than {NESTING}, the limit")
            yield
        finally:
            self.frame = before
            self._depth -= 1

    def spend(self, steps: int) -> None:
        """Take steps from what is left."""
        self._steps -= steps
        if self._steps < 0:
            raise exceeded(f"rendering takes more than {STEPS} steps, the limit; shorten its loops")

    def spend_text(self, characters: int) -> None:
        """Take the steps that reading or making a text costs; a text longer than the output may be ends the rendering."""
        if characters > OUTPUT_BYTES:
            raise exceeded(f"a text is longer than {OUTPUT_BYTES} characters, the limit")
        if characters >= CHARACTERS_A_STEP:
            self.spend(characters // CHARACTERS_A_STEP)

    def spend_places(self, text: str) -> None:
        """Take the steps of finding places in a text: beyond ASCII it is first rewritten in Java's units."""
        self.spend_text(len(text))
        if not text.isascii():
            self.spend(len(text) // CHARACTERS_A_PLACE_STEP)

    def write(self, text: str) -> None:
        """Add to the output."""
        self._bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if self._bytes > OUTPUT_BYTES:
            raise exceeded(f"the output is longer than {OUTPUT_BYTES} bytes, the limit")
        self.written.append(text)

    @contextmanager
    def capturing(self) -> Iterator[list[str]]:
        """Let what is written go into a list of its own; it counts as output nevertheless."""
        before, self.written = self.written, []
        try:
            yield self.written
        finally:
            self.written = before

    def text(self, value: Value) -> str:
        """Return the value as `${…}` prints it; raise `runtime` for what does not print."""
        if type(value) is str:
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, bool):
            return self.formats.boolean(value)
        number = as_number(value)
        if number is not None:
            return self.formats.number(number)
        if isinstance(value, Moment):
            return self.formats.moment(value)
        if isinstance(value, Match):
            return value.text
        raise wrong(f"{type_name(value)} does not print; print its parts, or toJson(…) of it")
