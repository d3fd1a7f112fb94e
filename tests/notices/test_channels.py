"""Posts on their way: in order, at least once, each channel for itself, and no secret anywhere."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from candu_source.causes import Cause
from candu_source.channels import Answer, ChannelKind, What
from candu_source.errors import NotFound
from candu_source.model import Connection, Secret
from candu_source.settings import Settings
from candu_source.store import Store
from tests.acceptance.waiting import until
from tests.notices.post import Receiver, announcing, found, heard, hurry, receiver
from tests.store.shelf import add_connection, make_store

REFUSED = Answer(ok=False, detail="500 Internal Server Error")
TAKEN = Answer(ok=True, detail="taken")


def add(store: Store, url: str, connection: Connection | None = None) -> int:
    """Add a webhook."""
    return store.channels.add(ChannelKind.WEBHOOK, url, connection, by="test").id


def open_and_close(store: Store, at: float, cause: Cause = Cause.LANE_HELD) -> None:
    """Let a notice open and heal."""
    store.notices.reconcile([found(cause=cause)], at)
    store.notices.reconcile([], at + 61)


def test_a_channel_hears_of_what_opens_and_closes(store: Store, receiver: Receiver) -> None:
    channel = add(store, receiver.url)
    open_and_close(store, 1_000.0)
    with announcing(store) as lines:
        assert heard(receiver, 2) == [("opened", "lane_held"), ("closed", "lane_held")]
        until(lambda: not store.channels.get(channel).waiting, "the posts to be settled")
    assert receiver.bodies[1]["closed_at"] == "1970-01-01T00:17:41Z"
    assert receiver.bodies[0]["closed_at"] is None
    assert '"fact":"notice.sent"' in lines.getvalue()
    assert store.channels.get(channel).error == ""


def test_a_channel_that_was_down_gets_everything_in_order(store: Store, receiver: Receiver) -> None:
    channel = add(store, receiver.url)
    receiver.status = 500
    for number in range(3):
        open_and_close(store, time.time() - 1_000.0 + number * 100, list(Cause)[number])
    with announcing(store):
        until(lambda: store.channels.get(channel).error, "a try to fail")
        failed = store.channels.get(channel)
        assert (failed.waiting, failed.error, failed.tried_at is not None) == (6, "500 Internal Server Error", True)
        receiver.status = 200
        hurry(store)
        letters = heard(receiver, 6)
    assert letters == [(what, cause) for cause in list(Cause)[:3] for what in ("opened", "closed")]


def test_a_broken_channel_keeps_no_other_waiting(store: Store) -> None:
    with receiver() as stuck, receiver() as well:
        stuck.gate.clear()
        for _ in range(3):
            add(store, stuck.url)
        add(store, well.url)
        open_and_close(store, 1_000.0)
        with announcing(store):
            until(lambda: stuck.tries == 3, "the broken ones to be tried")
            assert heard(well, 2) == [("opened", "lane_held"), ("closed", "lane_held")]
            assert stuck.bodies == []
            stuck.gate.set()


def test_a_channel_of_one_connection_never_hears_of_another(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Candu_Other")
    with receiver() as own, receiver() as every:
        add(store, own.url, connection)
        add(store, every.url)
        store.notices.reconcile([found(other, text="secret of another"), found(cause=Cause.DISK_LOW), found(connection)], 1_000.0)
        store.notices.reconcile([], 1_061.0)
        with announcing(store):
            assert len(heard(every, 6)) == 6
            heard(own, 2)
            until(lambda: not any(each.waiting for each in store.channels.all()), "the posts to be settled")
    assert [(body["what"], body["connection"]) for body in own.bodies] == [("opened", connection.name), ("closed", connection.name)]
    assert [(body["what"], body["connection"]) for body in every.bodies[:3]] == [
        ("opened", other.name),
        ("opened", ""),
        ("opened", connection.name),
    ]


def test_who_was_not_told_that_it_opened_is_not_told_that_it_closed(store: Store, receiver: Receiver) -> None:
    store.notices.reconcile([found()], 1_000.0)
    add(store, receiver.url)
    store.notices.reconcile([], 1_061.0)
    assert store.channels.due(9, (), 2_000.0) == []


def test_tries_are_spaced_and_end_after_a_day_with_the_error_kept(store: Store) -> None:
    channel = add(store, "http://127.0.0.1:9/")
    open_and_close(store, 0.0)
    now, waits = 61.0, []
    while now < 100_000 and (posts := store.channels.due(9, (), now)) and posts[0].letter.what is What.OPENED:
        store.channels.settle(posts[0], REFUSED, now)
        wait = next(wait for wait in (*range(0, 2_000, 10), None) if wait is None or store.channels.due(9, (), now + wait))
        waits.append(wait)
        now += wait
    assert waits[:8] == [10, 20, 40, 80, 160, 320, 640, 900]
    assert 86_400 <= now < 86_400 + 1_000
    assert store.channels.get(channel).error == REFUSED.detail
    (closed,) = store.channels.due(9, (), now)
    assert closed.letter.what is What.CLOSED
    store.channels.settle(closed, TAKEN, now)
    assert store.channels.due(9, (), now + 90_000) == []
    assert store.channels.get(channel).waiting == 0


def test_a_try_that_was_not_settled_is_made_again(store: Store) -> None:
    add(store, "http://127.0.0.1:9/")
    store.notices.reconcile([found()], 1_000.0)
    (first,), (again,) = (store.channels.due(9, (), 1_000.0) for _ in range(2))
    assert first == again
    assert store.channels.due(9, (first.channel,), 1_000.0) == []


def test_an_address_is_kept_as_a_secret(store: Store, receiver: Receiver, tmp_path: Path) -> None:
    channel = store.channels.get(add(store, receiver.url))
    assert "canary" not in str(channel)
    assert channel.shown == receiver.url.partition("/hook")[0] + "/…"
    assert store.channels.address(channel).reveal() == receiver.url
    receiver.status = 500
    store.notices.reconcile([found()], 1_000.0)
    with announcing(store) as lines:
        until(lambda: store.channels.get(channel.id).error, "a try to fail")
    store.channels.remove(channel.id, by="test")
    (removed, added) = [row for row in store.audit.rows(None, 9) if row.action.startswith("channel.")]
    assert (added.action, added.changes["address"], removed.changes["address"]) == ("channel.added", [None, "…"], ["…", None])
    assert "canary" not in lines.getvalue()
    assert not [file for file in tmp_path.iterdir() if b"canary" in file.read_bytes()]


def test_an_address_of_another_secret_key_is_an_error_that_is_shown(tmp_path: Path) -> None:
    store = make_store(tmp_path, secret_key=Secret("A" * 43 + "="))
    add(store, "http://127.0.0.1:9/")
    store.notices.reconcile([found()], 1_000.0)
    store.close()
    other = make_store(tmp_path, secret_key=Secret("B" * 42 + "A="))
    with announcing(other):
        until(lambda: "does not decrypt" in other.channels.all()[0].error, "the address to be found unreadable")
    other.close()


def test_a_private_address_is_refused_by_the_service(store: Store, receiver: Receiver) -> None:
    add(store, receiver.url)
    store.notices.reconcile([found()], 1_000.0)
    with announcing(store, Settings()):
        until(lambda: "not a public address" in store.channels.all()[0].error, "the address to be refused")
    assert receiver.tries == 0


def test_a_channel_that_is_removed_meanwhile_breaks_nothing(store: Store, receiver: Receiver) -> None:
    channel, other = add(store, receiver.url), add(store, receiver.url)
    receiver.gate.clear()
    store.notices.reconcile([found()], 1_000.0)
    with announcing(store):
        until(lambda: receiver.tries == 2, "both to be under way")
        store.channels.remove(channel, by="test")
        receiver.gate.set()
        until(lambda: not store.channels.get(other).waiting, "the other to be settled")
    with pytest.raises(NotFound, match="there is no channel"):
        store.channels.get(channel)
