"""Open the SQLite file: pragmas, transactions, foreign errors mapped, schema made or upgraded."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from candu_source.errors import StoreBusy, StoreError, StoreFull, StoreTooNew
from candu_source.naming import schema_name
from candu_source.store.chunks import chunk_terms, digest, pack_bytes
from candu_source.store.sql import Statements, script

SCHEMA_VERSION = 7

# The database's own clock in seconds; julianday resolves to well under a millisecond (SQLite 3.40 has no subsecond unixepoch).
_CLOCK = "((julianday('now') - 2440587.5) * 86400.0)"
_PAGE_BYTES = 4096
_PRAGMAS = (
    f"PRAGMA page_size = {_PAGE_BYTES}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit returns after fsync: 2xx means durable
    "PRAGMA foreign_keys = ON",
    f"PRAGMA wal_autocheckpoint = {64 * 2**20 // _PAGE_BYTES}",  # 64 MB
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
)
# The writing connection gains from what it keeps of the index in memory, the reading one reads each stretch of the log once.
_WRITER_CACHE_KB, _READER_CACHE_KB = 16_384, 2_048
Params = Mapping[str, Any] | Sequence[Any]


class Database:
    """Own one writing and one reading connection to a SQLite file; both are safe to share between threads."""

    def __init__(self, path: Path, *, min_free_bytes: int = 0, max_bytes: int = 0, busy_seconds: float = 10.0) -> None:
        self.path = path
        self.sql = Statements(_CLOCK)
        self._min_free_bytes = min_free_bytes
        self._max_bytes = max_bytes
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with _mapped():
            self._writer = _connect(path, busy_seconds, _WRITER_CACHE_KB)
            self._prepare()
            self._reader = _connect(path, busy_seconds, _READER_CACHE_KB)
        self._queue = os.open(path.with_name(path.name + ".queue"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Close both connections; wait for a transaction under way."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()
            os.close(self._queue)

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Hold one immediate transaction; commit (fsync) on leaving, roll back on any error.

        Raises StoreFull, StoreBusy or StoreError for what SQLite meets.
        """
        with self.statement() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def statement(self) -> Iterator[sqlite3.Connection]:
        """Lend the writing connection for one statement, which commits (fsync) or does nothing. Raises as `write` does."""
        with self._write_lock, self._turn(), _mapped():
            yield self._writer

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Hold the reading connection; every statement sees what was committed when it began."""
        with self._read_lock, _mapped():
            yield self._reader

    def rows(self, name: str, params: Params = ()) -> list[Any]:
        """Run one named reading statement and return all its rows."""
        with self.read() as db:
            return db.execute(self.sql[name], params).fetchall()

    def row(self, name: str, params: Params = ()) -> Any:
        """Run one named reading statement and return its first row or None."""
        with self.read() as db:
            return db.execute(self.sql[name], params).fetchone()

    def run(self, name: str, params: Params = ()) -> int:
        """Run one named statement in a transaction of its own and return how many rows it changed."""
        with self.write() as db:
            return db.execute(self.sql[name], params).rowcount

    def check_room(self) -> None:
        """Raise StoreFull when the disk or the quota is nearly used up."""
        free = shutil.disk_usage(self.path.parent).free
        if free < self._min_free_bytes:
            raise StoreFull(f"only {free // 2**20} MB are free on the disk of the store; {self._min_free_bytes // 2**20} MB are kept back")
        if self._max_bytes and self.used_bytes() > self._max_bytes:
            raise StoreFull(
                f"the store holds its quota of {self._max_bytes // 2**20} MB; raise CANDU_SOURCE_STORE_MAX_MB or wait for retention"
            )

    def used_bytes(self) -> int:
        """Return the bytes of the pages in use."""
        with self.read() as db:
            pages, free = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
            return int(pages - free) * _PAGE_BYTES

    def integrity(self) -> str:
        """Return what SQLite says of the file: `ok`, or what is broken."""
        with self.read() as db:
            return str(db.execute("PRAGMA quick_check(1)").fetchone()[0])

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait in the kernel's queue of writing processes: SQLite's own waiting sleeps, and starves whoever slept."""
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)

    def _prepare(self) -> None:
        os.chmod(self.path, 0o600)
        # What upgrades need of Python.
        self._writer.create_function("packed", 1, lambda item: pack_bytes([item]), deterministic=True)
        self._writer.create_function("digest", 2, digest, deterministic=True)
        self._writer.create_function("schema_name", 1, schema_name, deterministic=True)
        self._writer.create_function("token_digest", 1, lambda token: hashlib.sha256(token.encode()).digest(), deterministic=True)
        # What a trigger needs.
        self._writer.create_function("chunk_terms", 3, chunk_terms, deterministic=True)
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            version = self._writer.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StoreTooNew(
                    f"{self.path} was written by a newer candu-source (store version {version}; this one knows {SCHEMA_VERSION}): upgrade"
                )
            steps = ["schema"] if version == 0 else [f"upgrade_{step}" for step in range(version + 1, SCHEMA_VERSION + 1)]
            for statement in _statements(map(script, steps)):
                self._writer.execute(statement)
            self._writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise


def _connect(path: Path, busy_seconds: float, cache_kb: int) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in _PRAGMAS:
        db.execute(pragma)
    db.execute(f"PRAGMA cache_size = -{cache_kb}")
    return db


def _statements(scripts: Iterable[str]) -> Iterator[str]:
    for text in scripts:
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""


@contextlib.contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error) from error


def _translate(error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or "disk I/O error" in str(error):
        return StoreFull(f"SQLite: {error}")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"SQLite: {error}")
    return StoreError(f"SQLite: {error}")
