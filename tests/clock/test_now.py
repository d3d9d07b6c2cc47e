from __future__ import annotations

import time

import pytest

from tallybook.clock import Clock, FixedClock, SystemClock
from tallybook.errors import ClockError


def test_the_system_clock_tells_microseconds() -> None:
    before = time.time_ns() // 1000
    now = SystemClock().now_us()
    assert before <= now <= time.time_ns() // 1000


def test_a_fixed_clock_stands_until_moved() -> None:
    clock = FixedClock(1_000_000)
    assert (clock.now_us(), clock.now_us()) == (1_000_000, 1_000_000)
    clock.advance(5)
    assert clock.now_us() == 1_000_005


def test_a_clock_never_goes_back() -> None:
    clock = FixedClock(10)
    with pytest.raises(ClockError, match="go back by 1 us"):
        clock.advance(-1)
    assert clock.now_us() == 10


@pytest.mark.parametrize("clock", [SystemClock(), FixedClock(0)])
def test_both_are_clocks(clock: Clock) -> None:
    assert isinstance(clock.now_us(), int)
