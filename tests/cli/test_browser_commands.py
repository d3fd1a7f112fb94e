"""Commands that open and close the browser door of a connection."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Run, read


@pytest.fixture(autouse=True)
def _connection(run: Run) -> None:
    run("connections", "add", "Candu_Prod", "--write-key", "k", "--origin", "https://app.example.com")


def shown(run: Run, field: str) -> object:
    """Return one field of the connection."""
    return read(run("connections", "show", "Candu_Prod", "--json"))[field]


def test_origins_are_added_and_taken_away(run: Run) -> None:
    run("connections", "set", "Candu_Prod", "--origin", "https://*.Example.com/", "--origin", "http://localhost:3000")
    assert shown(run, "allowed_origins") == ["https://app.example.com", "https://*.example.com", "http://localhost:3000"]
    run("connections", "set", "Candu_Prod", "--origin", "", "--origin", "*")
    assert shown(run, "allowed_origins") == ["*"]


@pytest.mark.parametrize("text", ["app.example.com", "https://app.example.com/path", "https://a.*.com", "ftp://x", "https://u@x", "**"])
def test_what_is_no_origin_is_refused(run: Run, text: str) -> None:
    ended = run("connections", "set", "Candu_Prod", "--origin", text, code=2)
    assert "write https://app.example.com" in ended.stderr
    assert shown(run, "allowed_origins") == ["https://app.example.com"]


def test_addresses_are_networks(run: Run) -> None:
    run("connections", "set", "Candu_Prod", "--allow-address", "203.0.113.7", "--allow-address", "2001:db8::/32")
    assert shown(run, "allowed_addresses") == ["203.0.113.7/32", "2001:db8::/32"]
    assert "203.0.113.0/24" in run("connections", "set", "Candu_Prod", "--allow-address", "here", code=2).stderr
    run("connections", "set", "Candu_Prod", "--allow-address", "")
    assert shown(run, "allowed_addresses") == []


def test_identity_says_when_its_secret_is_missing(run: Run) -> None:
    run("connections", "set", "Candu_Prod", "--identity", "require")
    assert shown(run, "identity") == "require (no secret is set)"
    run("connections", "set", "Candu_Prod", "--identity-secret", "-", stdin="s3cret\n")
    assert shown(run, "identity") == "require"
    assert "s3cret" not in run("connections", "show", "Candu_Prod").stdout
    run("connections", "set", "Candu_Prod", "--identity-secret", "")
    assert shown(run, "identity") == "require (no secret is set)"


def test_a_public_token_is_rotated_by_itself(run: Run) -> None:
    before = shown(run, "public_token")
    made = read(run("connections", "rotate-token", "Candu_Prod", "--public", "--json"))
    assert made["public_token"] == shown(run, "public_token") != before
    assert "token" not in made
