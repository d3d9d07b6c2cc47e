"""Two ways to die at a moment; the books come out of both alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallybook.sim.world import die
from tallybook.sim.world.die import BY_KILL, IN_PROCESS, Death
from tallybook.sim.world.hands import Hands, open_books
from tallybook.sim.world.live import live
from tallybook.sim.world.model import BrokenError, Params
from tallybook.store import Store

MOMENTS = 4
"""of entering an amount: before and after the amount, before and after the log of the command"""
DO = {"n": 1, "do": "pool", "at_us": 5, "period": "2026-09", "pool": "gateway", "amount": "1.00"}


@pytest.fixture
def books(tmp_path: Path, template: Path) -> Path:
    """Books with the files of a world, closed."""
    files = live(Params(3, 1, 0), template=template).operations[0]
    home = tmp_path / "books"
    store = open_books(home, template)
    assert Hands(store).do(files).ok
    store.close()
    return home


def amounts(home: Path) -> int:
    store = Store.open(home)
    with store.read() as tx:
        found = tx.scalar("SELECT COUNT(*) FROM pool_actual")
    store.close()
    return int(found)


@pytest.mark.parametrize("death", [IN_PROCESS, BY_KILL], ids=lambda death: death.name)
def test_nothing_is_in_until_the_command_is_done(death: Death, books: Path) -> None:
    for moment in (1, MOMENTS):
        assert death.die(books, DO, 0, moment)
        assert amounts(books) == 0
    assert death.die(books, DO, 0, MOMENTS + 1)
    assert amounts(books) == 1


@pytest.mark.parametrize("death", [IN_PROCESS, BY_KILL], ids=lambda death: death.name)
def test_a_moment_that_never_comes_kills_nobody(death: Death, books: Path) -> None:
    assert not death.die(books, DO, 0, MOMENTS + 2)
    assert amounts(books) == 1


def test_a_process_that_ends_otherwise_breaks_the_world(books: Path) -> None:
    with pytest.raises(BrokenError, match="kill -9: fly ended with 1"):
        BY_KILL.die(books, {**DO, "do": "fly"}, 0, 1)


def test_a_process_that_does_not_end_breaks_the_world(
    books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(die, "SECONDS_MAX", 0)
    with pytest.raises(BrokenError, match="was not over after 0 s"):
        BY_KILL.die(books, DO, 0, MOMENTS + 2)


def test_a_world_of_real_deaths_is_the_world_of_simulated_ones(template: Path) -> None:
    params = Params(5, 1, 4, deaths=60)
    real, simulated = (
        live(params, template=template, death=death) for death in (BY_KILL, IN_PROCESS)
    )
    assert real.failure is None
    assert (real.operations, real.digest) == (simulated.operations, simulated.digest)
    assert real.tally["kills"] == simulated.tally["crashes"] > 0
