"""Run the service's processes: web and worker, each alone or both under one supervisor, never half alive."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from granian.constants import Interfaces, Loops
from granian.server import MPServer

from candu_source.errors import UsageError
from candu_source.observe import Telltale
from candu_source.opening import build_store
from candu_source.settings import Settings

_POLL_SECONDS = 0.1
# A process that ends by itself this soon after its start, so many times in a row, will not get better.
_TOO_SOON_SECONDS = 5.0
_TOO_OFTEN = 3
_RESTART_SECONDS = 0.2
# Connections that one web process serves, those kept open without a request among them: below the usual limit of 1024 open files.
_OPEN_CONNECTIONS = 900
_BACKLOG = 2048
_MODULE = "candu_source.web"


class _Web(MPServer):
    """Start an accepting process again however often it is killed; Granian's limit stays for those that end by themselves."""

    def _respawn_workers(self, workers: Sequence[int], *args: Any, **options: Any) -> None:
        killed = [number for number in workers if (self.wrks[number].inner.exitcode or 0) < 0]
        super()._respawn_workers(workers, *args, **options)
        for number in killed:
            self.respawned_wrks.pop(number, None)


def run_web(settings: Settings) -> None:
    """Accept events until SIGTERM or SIGINT; requests under way are finished."""
    build_store(settings, Telltale()).close()  # make or upgrade the store once, before several processes open it
    import_module(_MODULE)  # once, too: accepting processes are forked, and start at once
    gc.freeze()  # what is there by now stays, and stays shared: the collector need not look at it in each of them
    _Web(
        f"{_MODULE}:create_web",
        factory=True,
        interface=Interfaces.ASGINL,
        loop=Loops.uvloop,
        address=settings.host,
        port=settings.port,
        workers=settings.web_processes,
        backpressure=_OPEN_CONNECTIONS,
        backlog=_BACKLOG,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=int(settings.stop_seconds) or None,
        log_enabled=False,
    ).serve()


@dataclass(slots=True)
class Child:
    """Follow one supervised process; `early_ends` counts the times in a row it ended by itself soon after its start."""

    role: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: BinaryIO | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    early_ends: int = 0

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, tied to us by its standard input."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stderr=self.log, env=dict(self.environment))  # noqa: S603 - our own command
        return self.process

    def ended(self) -> int | None:
        """Return its exit code once it has ended."""
        return self.process.poll() if self.process else None

    def count_end(self, code: int) -> bool:
        """Note an end and tell whether it is worth another start; a kill from outside always is."""
        early = code >= 0 and time.monotonic() - self.started_at < _TOO_SOON_SECONDS
        self.early_ends = self.early_ends + 1 if early else 0
        return self.early_ends < _TOO_OFTEN


@dataclass(slots=True)
class Supervisor:
    """Keep a set of processes running; when one cannot, end them all with a non-zero code."""

    children: Sequence[Child]
    telltale: Telltale
    stop_seconds: float
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> int:
        """Run until `stopping` is set, then end every child gently; return the exit code."""
        for child in self.children:
            child.start()
        failed = False
        while not failed and not self.stopping.wait(_POLL_SECONDS):
            failed = not all(self._keep(child) for child in self.children)
        clean = self._stop()
        return 1 if failed or not clean else 0

    def _keep(self, child: Child) -> bool:
        code = child.ended()
        if code is None:
            return True
        self.telltale.tell("process.ended", role=child.role, code=code)
        if not child.count_end(code):
            self.telltale.tell("process.gave_up", role=child.role, advice="It ends soon after each start; its last lines above say why.")
            return False
        self.stopping.wait(_RESTART_SECONDS)
        child.start()
        return True

    def _stop(self) -> bool:
        """Ask every child to stop; kill what does not within the limit."""
        processes = [child.process for child in self.children if child.process]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self.stop_seconds + 5
        clean = True
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                clean = False
        return clean


def children(environment: Mapping[str, str], log: BinaryIO | None = None) -> list[Child]:
    """Return the processes of the service: one web (itself a small family) and one worker."""
    command = [sys.executable, "-m", "candu_source"]
    return [Child(role, [*command, role, "--stop-with-stdin"], environment, log) for role in ("web", "worker")]


def require_free_port(settings: Settings) -> None:
    """Raise UsageError when the address cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            advice = "stop what uses it or set CANDU_SOURCE_HOST and CANDU_SOURCE_PORT"
            raise UsageError(f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); {advice}") from None


def serve(settings: Settings, more: Mapping[str, str] = MappingProxyType({})) -> int:
    """Run web and worker together, with `more` in their environment, until SIGTERM or SIGINT; return the exit code."""
    telltale = Telltale()
    build_store(settings, telltale).close()
    forget_metrics(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    supervisor = Supervisor(children({**os.environ, **more}), telltale, settings.stop_seconds)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    return supervisor.run()


def forget_metrics(directory: Path) -> None:
    """Forget the metrics of processes that are gone; their files grow with every restart."""
    for file in directory.glob("*.db"):
        file.unlink(missing_ok=True)
