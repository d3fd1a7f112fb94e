"""Start processes, see that they answer, look at their memory, and end every one of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from candu_source.settings import PREFIX

CHECKOUT = Path(__file__).parents[1]
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**settings: object) -> dict[str, str]:
    """Return this process's environment with these settings of the service and no others."""
    ours = {PREFIX + name.upper(): str(value) for name, value in settings.items()}
    return {**{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}, **ours}


@contextlib.contextmanager
def running(command: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[psutil.Process]:
    """Run `python -m command…` as a process group of its own until the block is left; its output goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=dict(env),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield psutil.Process(process.pid)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop the group gently, then kill what is left of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def call(command: Sequence[str], env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run `python -m command…` to its end and return the JSON it prints; end it when interrupted."""
    process = subprocess.Popen([sys.executable, "-m", *command], env=env, cwd=CHECKOUT, stdout=subprocess.PIPE, start_new_session=True)
    try:
        output, _ = process.communicate()
    finally:
        _end(process)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    answer: dict[str, Any] = json.loads(output)
    return answer


def await_port(port: int, log: Path) -> None:
    """Return when somebody listens there; raise TimeoutError naming the log."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"nothing listens on port {port}; {log} may say why")


def peak_megabytes(process: psutil.Process) -> float:
    """Return the most memory that a process has had resident so far (Linux: VmHWM)."""
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024 / 1e6
