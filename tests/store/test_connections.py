"""Connections: names, tokens that are shown once, secrets that are never plain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from candu_source.errors import Conflict, NotFound
from candu_source.model import Connection, Kind, PortalRule, Region, Rules, Secret, TokenUse
from candu_source.store import Store
from candu_source.store.vault import key_beside
from tests.store.shelf import add_connection, admit, claim, make_store, write_key


def test_a_connection_reads_back_as_it_was_written(store: Store) -> None:
    rules = Rules({"candu.sdk.x": Kind.VIEW}, "send", "filter", extra_properties=False, portal=PortalRule("lookup", table={"a": 1}))
    made, _ = store.connections.add(Connection("", "Prod", region=Region.EU, rules=rules), Secret("k"), by="test")
    assert store.connections.named("Prod") == made == store.connections.named(made.id)
    changed = replace(made, region=Region.US, paused=True, segment_host="https://proxy.example.com")
    store.connections.save(changed, by="test")
    assert store.connections.named("Prod") == changed
    assert changed.host == "https://proxy.example.com"


def test_names_are_unique_and_strangers_are_named(store: Store, connection: Connection) -> None:
    with pytest.raises(Conflict, match="exists"):
        add_connection(store, connection.name)
    with pytest.raises(NotFound, match="'Nobody'"):
        store.connections.named("Nobody")


def test_tokens_rotate_with_and_without_overlap(store: Store) -> None:
    connection, first = store.connections.add(Connection("", "Prod"), Secret("k"), by="test")
    second = store.tokens.rotate(connection, TokenUse.SERVER, by="test", grace_seconds=3600)
    assert store.tokens.owner(first.reveal(), TokenUse.SERVER) == store.tokens.owner(second.reveal(), TokenUse.SERVER) == connection
    third = store.tokens.rotate(connection, TokenUse.SERVER, by="test", grace_seconds=0)
    store.tokens.forget()
    found = [store.tokens.owner(token.reveal(), TokenUse.SERVER) for token in (first, second, third)]
    assert found == [None, None, connection]


@pytest.mark.parametrize("token", ["", "cs_", "x" * 10_000, "\ud800", "'; DROP TABLE tokens; --"])
def test_strangers_get_in_nowhere(store: Store, connection: Connection, token: str) -> None:
    assert store.tokens.owner(token, TokenUse.SERVER) is None


def test_another_write_key_lets_a_held_lane_go(store: Store, connection: Connection) -> None:
    store.log.append(admit(connection, 1))
    with store.database.write() as db:
        db.execute("UPDATE lanes SET held = 'key_refused'")
    store.connections.set_write_key(connection, Secret("another"), by="test")
    assert write_key(claim(store)) == Secret("another")


def test_no_secret_is_in_the_files(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    connection, token = store.connections.add(Connection("", "Prod"), Secret("CANARY-KEY"), by="test")
    store.log.append(admit(connection, 1))
    assert write_key(claim(store)).reveal() == "CANARY-KEY"
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"CANARY-KEY" not in content
        assert token.reveal().encode() not in content
    store.close()


def test_secrets_do_not_print() -> None:
    secret = Secret("CANARY")
    assert "CANARY" not in f"{secret} {secret!r} {[secret]}"
    assert hash(secret) == hash(Secret("CANARY"))
    assert secret != Secret("other")


def test_the_key_is_made_once(tmp_path: Path) -> None:
    first, made = key_beside(tmp_path / "store.db")
    second, made_again = key_beside(tmp_path / "store.db")
    assert (made, made_again) == (True, False)
    assert first == second
    assert [file.name for file in tmp_path.iterdir()] == ["store.db.key"]
