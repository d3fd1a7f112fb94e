"""Run the real service on a store of its own, as an operator would: processes, settings in the environment, the command line."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import requests

from tests.acceptance.waiting import until

# Below the ports that systems give to clients by themselves, so that a service that is down for a moment finds its port free again.
_PORTS = range(15_000, 30_000)
# What is started dies with us, however we end.
_LIFELINE = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)
_STOP_SECONDS = 60
_TAIL_LINES = 30
_DEFAULTS: Mapping[str, object] = {"allow_private_addresses": "yes", "min_free_mb": 0, "web_threads": 16, "stop_seconds": 10}


@dataclass(frozen=True)
class Door:
    """Hold what `connections add` printed."""

    id: str
    name: str
    token: str
    webhook_url: str
    interactions_url: str
    amplitude_url: str
    public_token: str
    script: str

    def post(self, *items: Mapping[str, Any]) -> requests.Response:
        """Send interactions in one request."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.post(self.interactions_url, json={"batch": items}, headers=headers, timeout=30)

    def message_ids(self, ids: set[str]) -> set[str]:
        """Return the ids that events of these senders' ids have at Segment."""
        return {f"candu:{self.id}:{each}" for each in ids}


class Service:
    """Start, stop and kill the processes of one store, and ask its command line. Settings may change between starts."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self.store = directory / "store" / "candu-source.db"
        self.log = directory / "service.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings: dict[str, object] = {**_DEFAULTS, "store_url": f"sqlite:///{self.store}", "port": self.port, **settings}
        self.variables: dict[str, str] = {}
        self.wrapper: tuple[str, ...] = ()
        self._pipe: int | None = None
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what still runs and show the end of the log, which pytest prints when a test has failed."""
        self.kill()
        if self.log.exists():
            telling = [line for line in self.log.read_text("utf-8", "replace").splitlines() if '"event.accepted"' not in line]
            sys.stdout.write("\n".join(telling[-_TAIL_LINES:]) + "\n")

    def environment(self) -> dict[str, str]:
        """Return the environment of every process: ours, with the settings of this service and no other."""
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("CANDU_SOURCE_", "PROMETHEUS_"))}
        return {**inherited, **self.variables, **{f"CANDU_SOURCE_{name.upper()}": str(value) for name, value in self.settings.items()}}

    def start(self, command: str = "serve", *options: str) -> subprocess.Popen[bytes]:
        """Start one command in a process group of its own."""
        arguments = [*_LIFELINE, *self.wrapper, sys.executable, "-m", "candu_source", command, *options]
        with self.log.open("ab") as file:
            log = file if self._pipe is None else self._pipe
            started = subprocess.Popen(
                arguments, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._running[command] = started
        return started

    @contextlib.contextmanager
    def log_to_a_pipe(self) -> Iterator[None]:
        """Let what is started in the block write its log into a pipe that nobody reads after the block."""
        reader, self._pipe = os.pipe()
        try:
            yield
        finally:
            os.close(reader)
            os.close(self._pipe)
            self._pipe = None

    def serve(self, *options: str) -> Self:
        """Start everything and wait until the doors answer."""
        started = self.start("serve", *options)
        until(lambda: started.poll() is not None or self.answers(), "the doors of a started service to open")
        assert started.poll() is None, "the service ended while it started"
        return self

    def console_link(self) -> str:
        """Return the one-time link for the first user, as the service printed it."""
        found = until(lambda: re.search(r"http\S+/console/welcome/\S+", self.log.read_text("utf-8")), "the one-time link")
        return found[0]

    def answers(self) -> bool:
        """Tell whether the doors are open."""
        return self.probe("/healthz") is not None

    def probe(self, path: str) -> requests.Response | None:
        """Ask an operator's address; None while nobody is there."""
        try:
            return requests.get(self.url + path, timeout=30)
        except requests.RequestException:
            return None

    def readiness(self) -> dict[str, Any]:
        """Return what /readyz says; empty while nobody is there."""
        answer = self.probe("/readyz")
        return {} if answer is None else dict(answer.json())

    def process(self, command: str = "serve") -> subprocess.Popen[bytes]:
        """Return a started process."""
        return self._running[command]

    def stop(self, command: str = "serve") -> int:
        """Ask a command to stop, as systemd does, and return its exit code once it and its children are gone."""
        process = self._running[command]
        family = self.family(command)
        process.send_signal(signal.SIGTERM)
        code = process.wait(_STOP_SECONDS)
        psutil.wait_procs(family, _STOP_SECONDS)
        assert not any(member.is_running() for member in family), "children outlived the service"
        del self._running[command]
        return code

    def kill(self) -> None:
        """Kill everything that was started, all at once, and every child with it."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()

    def kill_supervisor(self) -> None:
        """Kill the first process alone; its children see to themselves."""
        self._running["serve"].kill()
        self._running["serve"].wait()

    def family(self, command: str = "serve") -> list[psutil.Process]:
        """List a command's living children, and theirs."""
        with contextlib.suppress(*_GONE):
            return psutil.Process(self._running[command].pid).children(recursive=True)
        return []

    def child(self, role: str) -> psutil.Process | None:
        """Find the supervised process of a role, `web` or `worker`, while it lives."""
        with contextlib.suppress(*_GONE):
            children = psutil.Process(self._running["serve"].pid).children()
            return next((child for child in children if role in _words(child)), None)
        return None

    def kill_child(self, role: str) -> None:
        """Kill the supervised process of a role as soon as there is a living one."""
        until(lambda: self.child(role), f"a living {role} to kill").kill()

    def acceptors(self) -> list[psutil.Process]:
        """List the living processes that answer at the doors: children of the web process that have said that they started."""
        main = self.child("web")
        ready = {fact["pid"] for fact in self.facts("process.started") if fact["role"] == "web"}
        with contextlib.suppress(*_GONE):
            return [child for child in main.children() if child.pid in ready and _words(child)] if main else []
        return []

    def facts(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the log lines of one fact, oldest first."""
        with self.log.open(encoding="utf-8") as lines:
            told = [json.loads(line) for line in lines if name in line and line.startswith("{") and line.endswith("}\n")]
        yield from (fact for fact in told if fact["fact"] == name)

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command line to its end."""
        command = [sys.executable, "-m", "candu_source", *words]
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=120, check=False)

    def do(self, *words: str) -> str:
        """Run one command line that must succeed and return what it printed."""
        ended = self.ask(*words)
        assert ended.returncode == 0, f"{' '.join(words)}: exit {ended.returncode}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def read(self, *words: str) -> Any:
        """Run one command line with --json and return what it printed."""
        return json.loads(self.do(*words, "--json"))

    def connect(self, name: str, key: str, host: str, *options: str) -> Door:
        """Make a connection through the command line."""
        return Door(**self.read("connections", "add", name, "--write-key", key, "--segment-host", host, *options))


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except _GONE:
        return []


def free_port() -> int:
    """Return a port that nobody listens on and that no client is given by itself."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
