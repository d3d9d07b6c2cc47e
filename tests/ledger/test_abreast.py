"""A chain shared out among processes; `tampering` shares out every chain that a test damages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tallybook.ledger import GENESIS, verify
from tallybook.ledger.abreast import joined, walked_abreast
from tallybook.ledger.fold import Folded, folded
from tallybook.ledger.walk import Walk, walk_on
from tallybook.store import Store
from tampering import Attacked, Inline, kinds


def test_stretches_join_only_where_the_one_began_as_the_other_ended() -> None:
    def walk(seq: int, told: str, *closed: str) -> Walk:
        return Walk(seq, told, entries=3, closed=set(closed), next=seq + 1)

    starts = [Walk(), walk(4, "ab", "2026-09")]
    end = walk(9, "ff")
    assert joined(starts, [walk(4, "ab", "2026-09"), end]) == Walk(9, "ff", 6, next=10)
    for other in (walk(3, "ab", "2026-09"), walk(4, "ac", "2026-09"), walk(4, "ab")):
        assert joined(starts, [other, end]) is None


def test_other_processes_find_the_same(
    full_home: Path, good_head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_MIN", 6)
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_EACH", 3)
    with Store(full_home).read() as tx:
        walk = walked_abreast(tx, full_home, good_head, 2)
        stored = folded(tx)
        assert walk == Walk(
            9,
            good_head,
            5,
            head_found=True,
            closed={"2026-10"},
            next=10,
            postings=stored.postings,
            debit_nano=stored.debit_nano,
        )


def test_this_process_takes_the_stretches_that_no_other_has_begun(
    full_home: Path, good_head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy(Inline):
        """Never begins a stretch; the folds it does."""

        def submit(self, act: Callable[..., object], *given: object) -> SimpleNamespace:
            future = super().submit(act, *given)
            future.cancel = lambda: True
            return future

    def begun(*_: object) -> None:
        raise AssertionError("a stretch that was cancelled is not begun elsewhere")

    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_MIN", 6)
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_EACH", 3)
    monkeypatch.setattr("tallybook.ledger.abreast.ProcessPoolExecutor", Busy)
    monkeypatch.setattr("tallybook.ledger.abreast._stretch", begun)
    with Store(full_home).read() as tx:
        alone = Walk()
        assert not any(walk_on(tx, alone, good_head, last=9))
        assert walked_abreast(tx, full_home, good_head, 2) == alone


@pytest.mark.parametrize(
    ("each", "starts"), [(2, [0, 2, 4, 6]), (3, [0, 3, 6]), (4, [0, 4]), (5, None)]
)
def test_a_chain_is_cut_into_stretches_of_at_least_so_many(
    full_home: Path, monkeypatch: pytest.MonkeyPatch, each: int, starts: list[int] | None
) -> None:
    seen: list[list[int]] = []

    def told(begun: list[Walk], ended: list[Walk]) -> Walk | None:
        seen.append([walk.seq for walk in begun])
        return joined(begun, ended)

    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_MIN", 6)
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_EACH", each)
    monkeypatch.setattr("tallybook.ledger.abreast.ProcessPoolExecutor", Inline)
    monkeypatch.setattr("tallybook.ledger.abreast.joined", told)
    with Store(full_home).read() as tx:
        walked_abreast(tx, full_home, "", 2)
    assert seen == ([starts] if starts else [])


@pytest.mark.parametrize("damage", ["folds otherwise", "cannot be summed"])
def test_what_only_the_folds_show_makes_it_no_good_chain(
    full_home: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    def found(_tx: object) -> Folded | None:
        return None if damage == "cannot be summed" else Folded(1, debit_nano=2, credit_nano=2)

    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_MIN", 6)
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_EACH", 3)
    monkeypatch.setattr("tallybook.ledger.abreast.ProcessPoolExecutor", Inline)
    monkeypatch.setattr("tallybook.ledger.abreast.folded", found)
    with Store(full_home).read() as tx:
        assert walked_abreast(tx, full_home, "", 2) is None


def test_so_many_processes_work_as_were_asked_for(
    full_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    class Counted(Inline):
        def __init__(self, processes: int, *_: object) -> None:
            asked.append(processes)

    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_MIN", 6)
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_EACH", 3)
    monkeypatch.setattr("tallybook.ledger.abreast.ProcessPoolExecutor", Counted)
    with Store(full_home).read() as tx:
        alone = verify(tx)
        assert verify(tx, home=full_home) == verify(tx, home=full_home, processes=1) == alone
        assert asked == []
        monkeypatch.setattr(
            sys.modules[verify.__module__], "walk_on", None
        )  # nobody walks alone then
        assert verify(tx, home=full_home, processes=2) == alone
        assert verify(tx, GENESIS, home=full_home, processes=2) == alone
        assert verify(tx, alone.head, home=full_home, processes=2) == alone
    assert asked == [1, 1, 1], "this process is one of the two"


@pytest.mark.both_stores
def test_a_forged_last_number_is_not_walked_up_to(attacked: Attacked) -> None:
    assert attacked.run(f"UPDATE chain SET seq = {2**31 - 1} WHERE seq = 9")
    assert "sequence" in kinds(attacked.verify())
