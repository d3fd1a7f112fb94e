"""Waiting blocks a thread of its own, and gives way on an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial

import pytest

from candu_source.waiting import Calls, Signal, apart
from tests.looping import looped

LONG = 60.0


def test_a_thread_waits_until_another_sets_the_signal() -> None:
    signal = Signal()
    threading.Thread(target=Signal.set_all, args=([signal],)).start()
    assert signal.wait(LONG)


def test_a_thread_waits_no_longer_than_it_said() -> None:
    assert not Signal().wait(0.0)


def test_calls_wait_side_by_side_on_one_thread() -> None:
    made: list[Signal] = []
    threads: set[int] = set()

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        made.append(Signal())
        if len(made) == 3:  # all three are under way: none of them kept the loop
            threading.Thread(target=Signal.set_all, args=(made,)).start()
        assert made[number].wait(LONG)
        return number

    async def all_three() -> list[int]:
        calls = Calls()
        return await asyncio.gather(*(calls.do(partial(work, number)) for number in range(3)))

    assert looped(all_three()) == [0, 1, 2]
    assert len(threads) == 1


def test_a_call_waits_no_longer_than_it_said() -> None:
    assert looped(Calls().do(lambda: Signal().wait(0.001))) is False


def test_a_signal_set_when_it_is_late_already_changes_nothing() -> None:
    def work() -> bool:
        signal = Signal()
        came = signal.wait(0.0)
        Signal.set_all([signal])
        return came

    async def and_go_on() -> bool:
        came = await Calls().do(work)
        await asyncio.sleep(0)
        return came

    assert looped(and_go_on()) is False


def test_work_apart_is_done_in_place_by_a_thread_and_elsewhere_by_a_call() -> None:
    assert apart(threading.get_ident) == threading.get_ident()
    here, there = looped(Calls().do(lambda: (threading.get_ident(), apart(threading.get_ident))))
    assert here != there


@pytest.mark.parametrize("fail", [lambda: _raise("in place"), lambda: apart(lambda: _raise("apart"))])
def test_errors_come_to_whoever_asked_and_the_next_call_is_as_the_first(fail: Callable[[], object]) -> None:
    async def both() -> str:
        calls = Calls()
        with pytest.raises(LookupError, match=r"in place|apart"):
            await calls.do(fail)
        return await calls.do(lambda: "well")

    assert looped(both()) == "well"


def test_work_may_mend_what_failed_apart() -> None:
    def work() -> str:
        try:
            return apart(lambda: _raise("apart"))
        except LookupError:
            return "mended"

    assert looped(Calls().do(work)) == "mended"


def test_the_loop_goes_on_while_a_thread_works_apart() -> None:
    going_on = threading.Event()

    async def beside() -> bool:
        waiting = asyncio.ensure_future(Calls().do(lambda: apart(lambda: going_on.wait(LONG))))
        await asyncio.sleep(0)
        going_on.set()  # only the loop can say this, and only if it is not held up
        return await waiting

    assert looped(beside())


def _raise(text: str) -> str:
    raise LookupError(text)
