"""Worlds until the time is up, one of them killed with SIGKILL."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from tallybook.clock import FixedClock
from tallybook.sim.world import child, kill, soak
from tallybook.sim.world.hands import open_books
from tallybook.sim.world.live import live
from tallybook.sim.world.model import BrokenError, Failure, Lived, Params


class Ticking(FixedClock):
    """A minute passes at every look."""

    def now_us(self) -> int:
        self.advance(soak.MINUTE_US)
        return super().now_us()


def test_a_killed_process_is_resumed_to_the_same_books(template: Path) -> None:
    lived = live(Params(5, 1, 8), template=template)
    assert lived.failure is None
    for seed in (1, 2):
        reached = kill.killed(lived, Random(seed), template)
        assert reached is None or 0 < reached <= len(lived.operations)


def test_books_that_come_out_elsewhere_are_told(template: Path) -> None:
    lived = live(Params(5, 1, 2), template=template)
    other = Lived(lived.params, lived.operations, None, "another digest")
    with pytest.raises(BrokenError, match="kill -9"):
        kill.killed(other, Random(1), template)


def test_a_child_tells_how_far_it_is(tmp_path: Path, template: Path) -> None:
    lived = live(Params(5, 1, 2), template=template)
    home = tmp_path / "books"
    open_books(home, template).close()
    child.follow(home, lived.operations[:3], 1)
    assert child.done_file(home).read_text() == "1\n2\n"


def test_a_soak_counts_what_it_lived_and_tells_real_deaths_apart(tmp_path: Path) -> None:
    done = soak.soak(soak.Plan(minutes=2, kills=0, first=1, batch=2), tmp_path, Ticking(0))
    assert (done.tally["seeds"], done.kills, done.broken) == (1, 0, [])
    assert done.tally["crashes"] > 0
    assert "| seeds | 1 |" in done.table()


def test_a_soak_goes_on_until_enough_processes_were_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Counter({"kills": 2, "kills, done": 1, "kills, before": 1})
    world = Lived(Params(5), (), None, "", tally)
    monkeypatch.setattr(soak, "live", lambda *_, **__: world)
    monkeypatch.setattr(soak, "killed", lambda *_: 3)
    done = soak.soak(soak.Plan(minutes=0, kills=7, first=1, batch=1), tmp_path, Ticking(0))
    assert (done.tally["seeds"], done.tally["kills"], done.tally["instant"]) == (3, 6, 3)
    assert "| **all processes killed with -9** | 9 |" in done.table()
    assert "| commands lost, half done or doubled after a death | 0 |" in done.table()


def test_a_soak_that_ends_without_warning_keeps_its_tally(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = iter([Lived(Params(5), (), None, "", Counter({"kills": 2}))])
    monkeypatch.setattr(soak, "live", lambda *_, **__: next(lives))
    monkeypatch.setattr(soak, "killed", lambda *_: None)
    told: list[str] = []
    plan = soak.Plan(minutes=0, kills=7, first=1, batch=1)
    with pytest.raises(StopIteration):
        soak.soak(plan, tmp_path, Ticking(0), lambda done: told.append(done.table()))
    assert ["| seeds | 1 |" in table for table in told] == [True]


def test_a_broken_seed_is_told_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Lived(Params(1), ({"n": 1, "do": "seal"},), Failure("INV-99", "planted", 0), "")
    monkeypatch.setattr(soak, "live", lambda *_, **__: broken)
    monkeypatch.setattr(soak, "SystemClock", lambda: Ticking(0))
    args = ["--minutes", "2", "--out", str(tmp_path), "--write", str(tmp_path / "soak.md")]
    done = CliRunner().invoke(soak.main, args)
    assert done.exit_code == 1
    assert "seed 1: step 0, INV-99: planted; replay file seed-1.jsonl" in done.output
    assert (tmp_path / "seed-1.jsonl").is_file()
    page = (tmp_path / "soak.md").read_text()
    assert "INV-99" in page
    assert "1970-01-01" in page
    assert "soak --minutes 2 --kills 0 --seed 1 --batch 5`" in page
