"""Every cause on a real store: opened once, kept up, closed when it is healed, opened anew when it comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from candu_source.causes import Cause
from candu_source.channels import ChannelKind
from candu_source.deliveries import Advance, Bury, Hold, Outcome
from candu_source.errors import Reason
from candu_source.findings import Change, Notice, Subject
from candu_source.jobs import ReplayKind, Wanted
from candu_source.model import Connection, Secret, TokenUse
from candu_source.noticing import Limits
from candu_source.silence import HOUR
from candu_source.store import Store
from candu_source.store.counts import Counted, add_counts
from candu_source.store.vault import Vault
from tests.notices.post import LIMITS, found, look, settle
from tests.store.shelf import add_connection, admit, aside, ask_dead, make_store

BURIED = Outcome(Reason.CONTENT_REFUSED, 400, "no")
Act = Callable[[Store, Connection], object]


@dataclass(frozen=True)
class Case:
    """Hold how a cause comes and goes, how long after it is judged, and by which limits."""

    cause: Cause
    comes: Act
    goes: Act
    later: float = 0.0
    limits: Limits = LIMITS
    service: bool = False


def hold(store: Store, connection: Connection) -> None:
    """Let the far end refuse the key."""
    store.log.append(admit(connection, time.time_ns()))
    settle(store, Hold(Reason.KEY_REFUSED))


def fall_behind(store: Store, connection: Connection) -> None:
    """Leave an event waiting."""
    store.log.append(admit(connection, time.time_ns()))


def catch_up(store: Store, _: Connection) -> None:
    """Deliver what waits."""
    settle(store, Advance())


def bury(store: Store, connection: Connection) -> None:
    """Give up on ten events."""
    store.log.append(admit(connection, *(f"{time.time_ns()}-{number}" for number in range(10))))
    settle(store, Bury(Reason.CONTENT_REFUSED), BURIED)


def raise_dead(store: Store, connection: Connection) -> None:
    """Send the dead letters after all."""
    ask_dead(store, connection)
    settle(store, Advance())


def lose_the_key(store: Store, connection: Connection) -> None:
    """Leave a write key that was encrypted with another secret key."""
    sealed = Vault(Secret("A" * 43 + "=")).seal(Secret("wk"))
    store.database.run("save_write_key", {"connection": connection.id, "write_key": sealed})


def fill(store: Store, connection: Connection) -> None:
    """Use up nine tenths of the connection's quota."""
    store.connections.save(replace(connection, pending_most=10), by="test")
    store.log.append(admit(connection, *(f"{time.time_ns()}-{number}" for number in range(9))))


def pause_and_fill(store: Store, connection: Connection) -> None:
    """Let events gather on a paused connection."""
    store.connections.save(replace(connection, paused=True, pending_most=10), by="test")
    store.log.append(admit(connection, *(f"{time.time_ns()}-{number}" for number in range(9))))


def let_go(store: Store, connection: Connection) -> None:
    """End the pause and deliver."""
    store.connections.save(replace(connection, paused=False, pending_most=10), by="test")
    catch_up(store, connection)


def fall_silent(store: Store, connection: Connection) -> None:
    """Look back on four weeks with a hundred events an hour, and on nothing since."""
    hour = int(time.time() // HOUR) * HOUR
    weeks = {Counted(connection.id, "door:webhook", "accepted", hour - past * HOUR): 100 for past in range(1, 28 * 24 + 2)}
    with store.database.write() as db:
        add_counts(db, store.database.sql, weeks)
    store.log.append(admit(connection, time.time_ns()))
    catch_up(store, connection)


def hear_again(store: Store, connection: Connection) -> None:
    """Let the next event come an hour later."""
    store.log.append(admit(connection, time.time_ns()))
    with store.database.write() as db:
        db.execute("UPDATE log SET accepted_at = ?", (time.time() + 2 * HOUR,))
    catch_up(store, connection)


def change_shape(store: Store, connection: Connection) -> None:
    """Notice a field that was not there before."""
    reading = store.shapes.read("log", 1)
    notice = Notice(Subject(connection.id, "webhook", "e"), Change("new", f"p{time.time_ns()}", "text"), b"{}", 1.0, 1.0)
    store.shapes.keep(reading, [notice], [])


def acknowledge(store: Store, connection: Connection) -> None:
    """Say that the changes were seen."""
    store.shapes.ack(connection.id)


def hold_a_replay(store: Store, connection: Connection) -> None:
    """Start a replay that meets a refused key."""
    store.log.append(aside(connection, rejects=(str(time.time_ns()).encode(),)))
    started = store.replays.start(connection, store.replays.draft(connection, ReplayKind.REJECTS, Wanted()), by="test")
    with store.database.write() as db:
        db.execute("UPDATE replays SET state = 'held', detail = 'key_refused' WHERE id = ?", (started.id,))


def cancel_replays(store: Store, connection: Connection) -> None:
    """Cancel what is held."""
    for each in store.replays.all(connection.id):
        if each.state == "held":
            store.replays.cancel(connection, each.id, by="test")


def never_confirm(store: Store, connection: Connection) -> None:
    """Deliver some events with a readback address from which nothing comes back."""
    store.tokens.add(connection, TokenUse.READBACK, by="test")
    store.log.append(admit(connection, *(f"{time.time_ns()}-{number}" for number in range(20))))
    settle(store, Advance(), at=time.time() + 1)


def expire_readback(store: Store, connection: Connection) -> None:
    """Take the readback address away."""
    for token in store.tokens.all(connection.id):
        if token.use is TokenUse.READBACK:
            store.tokens.expire(connection, token.id, grace_seconds=0, by="test")


def nothing(*_: object) -> None:
    """Change nothing: the limit does it."""


CASES = [
    Case(Cause.LANE_HELD, hold, lambda store, connection: store.connections.unhold(connection, by="test")),
    Case(Cause.OLDEST_PENDING, fall_behind, catch_up, later=901),
    Case(Cause.DEAD_GROWING, bury, raise_dead),
    Case(Cause.KEY_UNREADABLE, lose_the_key, lambda store, connection: store.connections.set_write_key(connection, Secret("k"), by="test")),
    Case(Cause.QUOTA_LOW, fill, catch_up),
    Case(Cause.PAUSED_FILLING, pause_and_fill, let_go, later=901),
    Case(Cause.SILENCE, fall_silent, hear_again, later=1_801),
    Case(Cause.SHAPE_CHANGED, change_shape, acknowledge),
    Case(Cause.REPLAY_HELD, hold_a_replay, cancel_replays),
    Case(Cause.NEVER_CONFIRMED, never_confirm, expire_readback, later=100),
    Case(Cause.DISK_LOW, nothing, nothing, limits=replace(LIMITS, free_bytes=2**62), service=True),
    Case(Cause.QUOTA_LOW, nothing, nothing, limits=replace(LIMITS, store_bytes=1), service=True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.cause}{'-store' if case.service else ''}")
def test_a_cause_opens_one_notice_which_closes_when_it_is_healed_and_opens_anew(store: Store, connection: Connection, case: Case) -> None:
    assert look(store, time.time()) == []
    case.comes(store, connection)
    now = time.time() + case.later
    (opened,) = look(store, now, case.limits)
    assert (opened.cause, opened.connection) == (case.cause, "" if case.service else connection.id)
    assert opened.connection_name == ("" if case.service else connection.name)
    (seen,) = look(store, now + 25, case.limits)
    assert (seen.id, seen.opened_at, seen.seen_at) == (opened.id, now, now + 25)
    case.goes(store, connection)
    assert [each.id for each in look(store, now + 80)] == [opened.id]
    assert look(store, now + 86) == []
    (closed,) = store.notices.recent(None, 10)
    assert (closed.id, closed.closed_at) == (opened.id, now + 86)


@pytest.mark.parametrize("cause", [Cause.LANE_HELD, Cause.DEAD_GROWING, Cause.SHAPE_CHANGED])
def test_what_comes_back_is_a_new_notice(store: Store, connection: Connection, cause: Cause) -> None:
    case = next(case for case in CASES if case.cause is cause)
    now = time.time()
    for round_ in (1, 2):
        case.comes(store, connection)
        assert [each.id for each in look(store, now)] == [round_]
        case.goes(store, connection)
        assert look(store, now := now + 61) == []
    assert [each.id for each in store.notices.recent(connection.id, 10)] == [2, 1]


def test_a_cause_that_comes_and_goes_stays_one_notice(store: Store) -> None:
    for second in range(0, 600, 5):
        store.notices.reconcile([found()] if second % 40 < 5 else [], 1_000.0 + second)
        assert [each.id for each in store.notices.open()] == [1]
    assert store.notices.causes() == {"lane_held": 1}


def test_what_there_is_to_say_is_kept_up_but_not_at_every_look(store: Store) -> None:
    for second in (0, 5, 10, 15, 20):
        store.notices.reconcile([found(text=f"{second} wait")], 1_000.0 + second)
    (notice,) = store.notices.open()
    assert (notice.text, notice.seen_at) == ("20 wait", 1_020.0)
    store.notices.reconcile([found(text="later")], 1_025.0)
    assert store.notices.open() == [notice]


def test_a_clock_that_jumps_back_neither_doubles_nor_keeps_a_notice(store: Store) -> None:
    store.notices.reconcile([found()], 9_000.0)
    store.notices.reconcile([found()], 1_000.0)
    (notice,) = store.notices.open()
    assert notice.seen_at == 1_000.0
    store.notices.reconcile([], 1_061.0)
    assert store.notices.open() == []


def test_two_that_look_at_once_open_one_notice(store: Store) -> None:
    with store.database.write() as db:
        for _ in range(2):
            store.notices._open(db, found(), 1_000.0)
    assert len(store.notices.open()) == 1


def test_the_most_urgent_stands_first_and_connections_are_apart(store: Store, connection: Connection) -> None:
    other = add_connection(store, "Candu_Other")
    store.notices.reconcile([found(connection, Cause.SHAPE_CHANGED)], 1_000.0)
    store.notices.reconcile([found(other), found(connection, Cause.SHAPE_CHANGED), found(cause=Cause.DISK_LOW)], 1_005.0)
    assert [each.cause for each in store.notices.open()] == ["lane_held", "disk_low", "shape_changed"]
    assert [each.connection for each in store.notices.open(other.id)] == [other.id]
    assert [each.connection for each in store.notices.recent(connection.id, 9)] == [connection.id]


def test_closed_notices_are_forgotten_after_their_time_with_their_posts(store: Store) -> None:
    store.channels.add(ChannelKind.WEBHOOK, "http://127.0.0.1:9/", by="test")
    store.notices.reconcile([found(), found(cause=Cause.DISK_LOW)], 1_000.0)
    store.notices.reconcile([found(cause=Cause.DISK_LOW)], 1_061.0)
    store.notices.forget(1_061.0 + 90 * 86_400)
    assert len(store.notices.recent(None, 9)) == 2
    store.notices.forget(1_062.0 + 90 * 86_400)
    assert [each.cause for each in store.notices.recent(None, 9)] == ["disk_low"]
    assert [each.waiting for each in store.channels.all()] == [1]


def test_a_busy_connection_is_not_learned_of(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = make_store(tmp_path_factory.mktemp("busy"))
    fall_silent(store, add_connection(store))
    signals = store.notices.signals(time.time() + 1_700, 0.0)
    assert set(signals.connections[0].usual.hours) == {0.0}
    assert set(store.notices.signals(time.time() + 1_801, 0.0).connections[0].usual.hours) == {100.0}
    store.close()


def test_an_open_notice_of_readback_outlives_a_restart(store: Store, connection: Connection) -> None:
    never_confirm(store, connection)
    now = time.time() + 100
    assert [each.cause for each in look(store, now)] == [Cause.NEVER_CONFIRMED]
    after_restart = store.notices.signals(now, now)
    assert after_restart.confirm[connection.id, "segment"].state == "never_confirmed"
    with store.database.write() as db:
        db.execute("DELETE FROM notices")
    assert store.notices.signals(now, now).confirm[connection.id, "segment"].state == "waiting"


def test_looking_costs_the_same_however_much_there_is(store: Store, connection: Connection) -> None:
    costs = []
    for number in (1, 30):
        for part in range(number):
            store.log.append(admit(connection, *(f"{number}-{part}-{each}" for each in range(1_000))))
        settle(store, Bury(Reason.CONTENT_REFUSED), BURIED)
        costs.append(_steps(store))
    assert costs[1] < 3 * costs[0]


def _steps(store: Store) -> int:
    """Count the hundreds of steps that SQLite takes for a look."""
    steps: list[None] = []
    with store.database.read() as db:
        db.set_progress_handler(lambda: steps.append(None), 100)
    store.notices.signals(time.time() + 5, 0.0)
    with store.database.read() as db:
        db.set_progress_handler(None, 0)
    return len(steps)
