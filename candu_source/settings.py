"""Read the environment once into one frozen value; docs/settings.md is generated from it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import unquote, urlsplit

from candu_source.errors import SettingsError
from candu_source.model import SEGMENT_HOSTS, Region, Secret

PREFIX = "CANDU_SOURCE_"
_KEY_BYTES = 32  # Fernet: 16 to sign, 16 to encrypt
_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _setting(default: Any, unit: str, sentence: str, *, least: float | None = None) -> Any:
    return field(default=default, metadata={"unit": unit, "sentence": sentence, "least": least})


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold every setting of the service; each field is the environment variable CANDU_SOURCE_<NAME>."""

    store_url: str = _setting(
        "sqlite:///var/candu-source.db", "URL", "Where events are kept; `sqlite:///relative` or `sqlite:////absolute`."
    )
    secret_key: Secret | None = _setting(
        None, "base64, 32 bytes", "Encrypts write keys at rest; when absent one is made beside the SQLite file, readable by its owner only."
    )
    host: str = _setting("127.0.0.1", "address", "Address the web process listens on.")
    port: int = _setting(8080, "port", "Port the web process listens on.", least=1)
    public_url: str = _setting("", "URL", "Base of the addresses that are printed; the listening address when empty.")
    web_processes: int = _setting(2, "processes", "Processes that accept events.", least=1)
    web_threads: int = _setting(
        64, "threads", "Threads of one web process, for pages and for bodies that are large or packed; small ones need none.", least=1
    )
    max_body_kb: int = _setting(5_000, "KB", "Largest request body, as sent and after gzip; larger ones get 413.", least=1)
    trusted_proxies: int = _setting(
        0, "proxies", "Proxies before the web process that each add to X-Forwarded-For; 0 believes the connection alone.", least=0
    )
    browser_address_limit: int = _setting(600, "requests/min", "Most requests of browsers from one address to one web process.", least=1)
    browser_token_limit: int = _setting(60_000, "requests/min", "Most requests with one public token to one web process.", least=1)
    commit_deadline_ms: int = _setting(3_000, "ms", "How long a request waits for its commit before it gets 503.", least=1)
    min_free_mb: int = _setting(256, "MB", "Free disk below which doors answer 503, so that deliveries can still be settled.", least=0)
    store_max_mb: int = _setting(0, "MB", "Most the store may hold before doors answer 503; 0 for no quota.", least=0)
    retention_days: float = _setting(30, "days", "How long events are kept after every lane has passed them.", least=0)
    reject_retention_days: float = _setting(
        90, "days", "How long rejects, dead letters, filtered events and closed notices are kept.", least=0
    )
    requests_per_second: float = _setting(
        50, "requests/s", "Most requests to Segment, all keys together (Segment's partner limit).", least=0.01
    )
    key_requests_per_second: float = _setting(50, "requests/s", "Most requests to Segment with one write key.", least=0.01)
    replay_events_per_second: float = _setting(1_000, "events/s", "Most events that one replay sends, live events going first.", least=0.01)
    notice_pending_minutes: float = _setting(15, "min", "Age of the oldest waiting event of a lane from which a notice is open.", least=0)
    notice_dead_letters: int = _setting(10, "events", "Dead letters of a lane within an hour from which a notice is open.", least=1)
    notice_silence_gaps: float = _setting(12, "gaps", "Usual gaps without an event from which a connection counts as silent.", least=1)
    notice_silence_minutes: float = _setting(30, "min", "Shortest time without an event that counts as silence.", least=0)
    notice_free_mb: int = _setting(1_024, "MB", "Free disk below which a notice is open.", least=0)
    notice_quota_percent: float = _setting(
        80, "%", "Part of a quota in use, of the store or of a connection, from which a notice is open.", least=1
    )
    senders: int = _setting(64, "threads", "Requests to Segment under way at once.", least=1)
    send_timeout_seconds: float = _setting(15, "s", "How long one request to Segment may stay silent.", least=0.1)
    lease_seconds: float = _setting(30, "s", "How long a lane stays with a worker that says nothing.", least=1)
    stop_seconds: float = _setting(20, "s", "How long a stop waits for what is in flight.", least=0)
    give_up_after_hours: float = _setting(
        0, "hours", "Age at which an event that keeps failing is buried as expired; 0 for never.", least=0
    )
    allow_private_addresses: bool = _setting(False, "yes/no", "Whether requests may go to loopback and private addresses (tests, proxies).")
    warehouse_syncs: int = _setting(2, "processes", "Syncs of warehouses under way at once, each a process of its own.", least=1)
    warehouse_sync_minutes: float = _setting(
        120, "minutes", "How long one sync may take; then it is ended, and the next goes on where it was.", least=1
    )
    worker_name: str = _setting("worker", "text", "Name of a worker; one that restarts under its name takes its lanes back at once.")
    segment_us_url: str = _setting(SEGMENT_HOSTS[Region.US], "URL", "Tracking API of Segment's US region, without `/v1`.")
    segment_eu_url: str = _setting(SEGMENT_HOSTS[Region.EU], "URL", "Tracking API of Segment's EU region, without `/v1`.")
    segment_us_api_url: str = _setting(
        "https://api.segmentapis.com", "URL", "Segment's Public API for workspaces in the US; `candu-source connect` asks it."
    )
    segment_eu_api_url: str = _setting("https://eu1.api.segmentapis.com", "URL", "Segment's Public API for workspaces in the EU.")
    probe_other_region: bool = _setting(
        True, "yes/no", "Whether one event that the US host accepted and never confirmed is sent to the EU host, to tell a wrong region."
    )
    twin_url: str = _setting("", "URL", "A twin of Segment that the console offers for trials; `serve --twin` sets it.")
    segment_write_key: Secret | None = _setting(
        None, "write key", "Makes `candu-source demo` deliver to this real source instead of the twin."
    )
    segment_region: Region = _setting(Region.US, "us or eu", "Region of that source.")

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Settings:
        """Read every CANDU_SOURCE_* variable; raise SettingsError naming the first one that is unknown or off."""
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        types = get_type_hints(cls)
        values: dict[str, Any] = {}
        for variable, text in environ.items():
            if not variable.startswith(PREFIX):
                continue
            if variable not in known:
                raise SettingsError(f"{variable} is not a setting; `candu-source settings` lists them all")
            setting = known[variable]
            values[setting.name] = _parse(variable, text, types[setting.name], setting.metadata["least"])
        settings = cls(**values)
        settings.store_path()
        return settings

    def store_path(self) -> Path:
        """Return the SQLite file that `store_url` names; raise SettingsError for any other kind of store."""
        url = urlsplit(self.store_url)
        if url.scheme != "sqlite" or url.netloc or url.path in ("", "/"):
            raise SettingsError(f"{PREFIX}STORE_URL must look like sqlite:///var/candu-source.db (or sqlite:////absolute/path)")
        return Path(unquote(url.path[1:]))

    def segment_hosts(self) -> Mapping[Region, str]:
        """Return the Tracking API of each region."""
        return {Region.US: self.segment_us_url.rstrip("/"), Region.EU: self.segment_eu_url.rstrip("/")}

    def segment_apis(self) -> Mapping[Region, str]:
        """Return the Public API of each region."""
        return {Region.US: self.segment_us_api_url.rstrip("/"), Region.EU: self.segment_eu_api_url.rstrip("/")}

    def base_url(self) -> str:
        """Return the base of the addresses that are printed, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def _parse(variable: str, text: str, kind: Any, least: float | None) -> Any:
    try:
        value = _convert(variable, text.strip(), kind)
    except (KeyError, ValueError, binascii.Error):
        expected = "base64 of 32 bytes" if variable.endswith("SECRET_KEY") else getattr(kind, "__name__", str(kind))
        raise SettingsError(f"{variable} must be {expected}") from None
    if least is not None and not value >= least:
        raise SettingsError(f"{variable} must be at least {least}")
    return value


def _convert(variable: str, text: str, kind: Any) -> Any:
    if kind is bool:
        return _WORDS[text.lower()]
    if kind == Secret | None:
        if (
            variable == PREFIX + "SECRET_KEY"
            and len(base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)) != _KEY_BYTES
        ):
            raise ValueError
        return Secret(text) if text else None
    return kind(text)


def trial_environment(twin_url: str) -> dict[str, str]:
    """Return the variables that let a service reach a twin beside it and offer it for trials."""
    return {PREFIX + "TWIN_URL": twin_url, PREFIX + "ALLOW_PRIVATE_ADDRESSES": "yes"}


def settings_table() -> list[tuple[str, str, str, str]]:
    """List every setting as (variable, default, unit, sentence), in the order of the source."""
    return [
        (PREFIX + f.name.upper(), "" if f.default is None else str(f.default), f.metadata["unit"], f.metadata["sentence"])
        for f in fields(Settings)
    ]


def settings_page() -> str:
    """Return docs/settings.md."""
    head = (
        "# Settings\n\nEnvironment variables, read once at start; an unknown one of these names is refused. Generated by `make docs`.\n\n"
    )
    rows = [f"| `{name}` | {f'`{default}`' if default else '–'} | {unit} | {text} |" for name, default, unit, text in settings_table()]
    return head + "\n".join(["| variable | default | unit | meaning |", "|---|---|---|---|", *rows]) + "\n"
