"""Integrations that people make: from draft to submitted to released, and what syncs use meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from candu_source.destinations.candu_api import ADDRESS, Dialect
from candu_source.errors import Conflict, NotFound, Reason, UsageError
from candu_source.integrations.catalog import SHIPPED, shipped
from candu_source.integrations.tile import State
from candu_source.model import Connection, Secret
from candu_source.store import Store
from candu_source.streams import CANDU_API, Stream
from tests.integrations.drafts import FINE, events, file
from tests.store.shelf import make_store

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
_OTHER = file(connection=FINE["connection"] | {"display_name": "Acme, too"})


def release(store: Store, raw: bytes = file()) -> None:
    """Save, submit and release an integration called acme."""
    store.integrations.save("acme", raw, by="test")
    store.integrations.submit("acme", by="test")
    store.integrations.release("acme", by="test")


def test_it_goes_from_draft_to_submitted_to_released(store: Store) -> None:
    kept = store.integrations.save("acme", file(state="released"), _PNG, by="ann")
    assert (kept.state, kept.integration.state, kept.integration.info.logo) == (State.DRAFT, State.DRAFT, _PNG)
    with pytest.raises(NotFound, match="no integration 'acme' is released"):
        store.integrations.released("acme")
    with pytest.raises(Conflict, match="only what is submitted"):
        store.integrations.release("acme", by="ann")
    assert store.integrations.submit("acme", by="ann").state is State.SUBMITTED
    with pytest.raises(Conflict, match="submitted as it is"):
        store.integrations.submit("acme", by="ann")
    assert store.integrations.release("acme", by="ann").state is State.RELEASED
    assert (store.integrations.released("acme").state, store.integrations.released("acme").info.logo) == (State.RELEASED, _PNG)
    assert [each.action for each in store.audit.rows(None, 9)] == ["integration.released", "integration.submitted", "integration.added"]
    assert {each.who for each in store.audit.rows(None, 9)} == {"ann"}


def test_what_syncs_use_stays_until_another_is_released(store: Store, tmp_path: Path) -> None:
    release(store)
    first = store.integrations.released("acme")
    assert store.integrations.released("acme") is first
    assert store.integrations.save("acme", file(), by="test").state is State.RELEASED  # nothing was changed
    store.integrations.save("acme", _OTHER, by="test")
    assert store.integrations.released("acme") is first
    store.integrations.submit("acme", by="test")
    assert store.integrations.released("acme") is first
    elsewhere = make_store(tmp_path)
    elsewhere.integrations.release("acme", by="another process")
    elsewhere.close()
    second = store.integrations.released("acme")
    assert (second.info.display_name, store.integrations.released("acme") is second) == ("Acme, too", True)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (file(events=events(body="${mappedFields.id}\n  ${oops")), "events.body, line 2"),
        (file(events=events(body='{"id": "${mappedFields.id?json_string}",\n}')), "take away the one at the end of line 1"),
        (file(events=events(body='{"city": "${input.city}"}'), mappings=[]), "input.city is missing"),
    ],
)
def test_what_does_not_work_is_not_submitted(store: Store, raw: bytes, said: str) -> None:
    store.integrations.save("acme", raw, by="test")
    with pytest.raises(UsageError) as refused:
        store.integrations.submit("acme", by="test")
    assert said in str(refused.value)
    assert store.integrations.named("acme").state is State.DRAFT


def test_what_does_not_read_is_not_saved(store: Store) -> None:
    for name, raw, logo, said in (
        ("acme", b"{}", None, "connection: Missing data"),
        ("acme", file(), b"GIF89a", "is not a PNG"),
        ("Acme.toml", file(), None, "cannot be called 'Acme.toml'"),
        ("candu", file(), None, "candu is shipped"),
        (CANDU_API, file(), None, "candu-api is shipped"),
    ):
        with pytest.raises(UsageError, match=said):
            store.integrations.save(name, raw, logo, by="test")
    assert store.integrations.all() == []


def test_a_logo_stays_while_none_is_given(store: Store) -> None:
    store.integrations.save("acme", file(), _PNG, by="test")
    assert store.integrations.save("acme", _OTHER, by="test").logo == _PNG


def test_one_that_a_sync_uses_stays(store: Store, connection: Connection) -> None:
    release(store)
    sync = store.streams.add(connection, Stream("", "mine", "acme"), {"key": Secret("k")}, by="test")
    assert store.integrations.uses() == {"acme": 1}
    with pytest.raises(Conflict, match="Candu_Test › mine"):
        store.integrations.remove("acme", by="test")
    store.streams.remove(connection, sync, by="test")
    store.integrations.remove("acme", by="test")
    with pytest.raises(NotFound):
        store.integrations.named("acme")
    with pytest.raises(Conflict, match="is shipped"):
        store.integrations.remove("candu", by="test")


def test_a_release_lets_held_syncs_try_at_once(store: Store, connection: Connection) -> None:
    release(store)
    store.streams.add(connection, Stream("", "mine", "acme"), {}, by="test")
    store.database.run("hold", {"connection": connection.id, "destination": "mine", "reason": Reason.SYNC_INCOMPLETE, "detail": "off"})
    release(store, _OTHER)
    assert {lane.destination: lane.held for lane in store.stats.health(connection.id).lanes} == {"mine": None, "segment": None}


def test_what_is_shipped_is_there_and_the_same(store: Store) -> None:
    for name in SHIPPED:
        assert store.integrations.released(name) is shipped(name)
    parameters = {each.name: each for each in shipped(CANDU_API).parameters}
    assert (parameters["endpoint"].default, parameters["dialect"].options) == (ADDRESS, tuple(Dialect))
