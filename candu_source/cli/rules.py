"""Options that change a connection's settings and rules; what they mean is read in `draft`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from candu_source.draft import said
from candu_source.errors import UsageError
from candu_source.model import Connection, Region

# Options that hold the value itself, and the field of each.
_VALUES = (
    "environment",
    "region",
    "segment_host",
    "requests_per_minute",
    "pending_most",
    "custom_events",
    "anonymous",
    "extra_properties",
    "identity",
    "bots",
)
# Options that add to a list or a table, and the field of each.
_ADDITIONS = {
    "classify": "classification",
    "integration": "integrations",
    "origin": "allowed_origins",
    "allow_address": "allowed_addresses",
}
_SEND_OR_FILTER = click.Choice(["send", "filter"])
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--environment", metavar="LABEL", help='A label: production, staging…; "" for none.'),
    click.option("--region", type=click.Choice([region.value for region in Region]), help="Segment's region; us by default."),
    click.option("--segment-host", metavar="URL", help='Another Tracking API, for tests and proxies; "" for the region\'s own.'),
    click.option("--requests-per-minute", metavar="N", help="Most requests at its doors, to one web process; 0 for no limit."),
    click.option("--pending-most", metavar="N", help="Events that may wait before its doors answer 503; 0 for no limit."),
    click.option("--classify", multiple=True, metavar="EVENT=view|interaction|filter", help="Say what a Candu event becomes; repeatable."),
    click.option("--custom-events", type=_SEND_OR_FILTER, help="Custom events: send them under their own name, or filter."),
    click.option("--anonymous", type=_SEND_OR_FILTER, help="Events without a userId."),
    click.option(
        "--portal",
        metavar="omit|NUMBER|lookup|FILE.csv",
        help="portalId: none, one for all, looked up in `contents list`, or that with a table contentId,portalId put into it.",
    ),
    click.option("--extra-properties", type=click.Choice(["on", "off"]), help="Candu's own properties beside the seed's."),
    click.option(
        "--integration", multiple=True, metavar="NAME=on|off", help="Segment destinations to reach or skip; Candu=off by default."
    ),
    click.option(
        "--origin",
        multiple=True,
        metavar="ORIGIN",
        help='Pages that may send: https://app.example.com, https://*.example.com, *; "" for none.',
    ),
    click.option("--identity", type=click.Choice(["off", "warn", "require"]), help="Whether user ids from browsers need a proof."),
    click.option("--bots", type=_SEND_OR_FILTER, help="Browser events of known crawlers."),
    click.option(
        "--allow-address", multiple=True, metavar="NETWORK", help='Addresses that may post to the webhook, as 203.0.113.0/24; "" for all.'
    ),
)


def setting_options(command: Any) -> Any:
    """Give a command the options of settings and rules."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(connection: Connection, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the options say of a connection, for `draft.changed`; lists and tables grow by what was given."""
    changes = {field: options[field] for field in _VALUES if options[field] is not None}
    known = said(connection)
    for option, field in _ADDITIONS.items():
        if options[option]:
            changes[field] = _added(_texts(known[field]), options[option])
    if options["portal"]:
        changes["portal"] = _portal(options["portal"])
    return changes


def _texts(known: Any) -> list[str]:
    """Return a list or a table as options would say it."""
    if isinstance(known, Mapping):
        return [f"{name}={value if isinstance(value, str) else 'on' if value else 'off'}" for name, value in known.items()]
    return list(known)


def _added(known: Iterable[str], texts: Iterable[str]) -> list[str]:
    """Return what is known with more added; an empty text takes away all that came before it."""
    added: list[str] = []
    for text in (*known, *texts):
        if text:
            added.append(text)
        else:
            added.clear()
    return added


def _portal(text: str) -> Any:
    """Return the rule as it stands, or the table in the file that it names."""
    if text in ("omit", "lookup") or text.isdigit():
        return text
    try:
        with Path(text).open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--portal {text!r} is not omit, not lookup, not a number, and not a readable CSV file ({error})") from None
    if rows and rows[0] == ["contentId", "portalId"]:
        rows = rows[1:]
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not row[0] or not row[1].isdigit():  # noqa: PLR2004 - contentId,portalId
            raise UsageError(f"{text}, row {number}: write contentId,portalId")
    return dict(rows)
