"""Converters hold where many threads are the first to use a class: the crash that they prevent ends a whole process."""

from __future__ import annotations

import signal
import subprocess
import sys

_FIRST_TOGETHER = """
import sys, threading
from typing import Annotated, Literal
import msgspec
from candu_source.converting import converter

sys.setswitchinterval(1e-7)
TEXTS = Annotated[list[Annotated[str, msgspec.Meta(min_length=1)]], msgspec.Meta(max_length=9)]

def run(make, times):
    for _ in range(times):
        convert = make(msgspec.defstruct("Shape", [(f"field_{n}", Literal["all"] | TEXTS, "all") for n in range(4)]))
        gate, converted = threading.Barrier(4), []
        def first():
            gate.wait()
            converted.append(convert({"field_0": ["a"]}).field_0)
        threads = [threading.Thread(target=first) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert converted == [["a"]] * 4, converted

"""


def test_threads_that_are_the_first_to_use_a_class_together() -> None:
    ended = _run("run(converter, 300)")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_crash_is_there_without_it() -> None:
    """Where this fails, msgspec is mended, and `converter` may go."""
    assert _run("run(lambda shape: lambda data: msgspec.convert(data, shape), 20_000)").returncode == -signal.SIGSEGV


def _run(last: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", _FIRST_TOGETHER + last], check=False, capture_output=True, text=True, timeout=300)
