"""Dying at a moment: counted, exactly once, and gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallybook.sim.world.crash import Moments, SimulatedCrash, counted
from tallybook.sim.world.hands import open_books
from tallybook.store import Store, faults

INSERT = (
    "INSERT INTO pool_actual (period, pool, amount_nano, actor, at_us)"
    " VALUES ('2026-09', :pool, 1, 'a', 1)"
)


def test_moments_lie_before_and_after_each_statement_and_at_each_point(
    tmp_path: Path, template: Path
) -> None:
    store, moments = open_books(tmp_path / "books", template), Moments()
    with counted(moments), store.write() as tx:
        tx.run(INSERT, pool="p")
        faults.reached("some.point")
        tx.run_many(INSERT, [{"pool": "q"}])
    assert moments.passed == 5
    faults.reached("nobody.counts")
    assert moments.passed == 5


@pytest.mark.parametrize("last", [1, 2, 3, 4])
def test_a_dead_command_leaves_nothing(last: int, tmp_path: Path, template: Path) -> None:
    store = open_books(tmp_path / "books", template)
    with pytest.raises(SimulatedCrash), counted(Moments(last)):
        write_two(store)
    with store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM pool_actual") == 0


def write_two(store: Store) -> None:
    with store.write() as tx:
        tx.run(INSERT, pool="p")
        tx.run(INSERT, pool="q")


def test_a_crash_is_no_error_that_anyone_handles() -> None:
    assert not issubclass(SimulatedCrash, Exception)
