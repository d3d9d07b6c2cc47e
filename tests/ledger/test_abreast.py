"""A chain shared out among processes; `tampering` shares out every chain that a test damages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallybook.ledger.abreast import joined, walked_abreast
from tallybook.ledger.walk import Walk
from tallybook.store import Store


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
    monkeypatch.setattr("tallybook.ledger.abreast.LINKS_EACH", 3)
    with Store(full_home).read() as tx:
        walk = walked_abreast(tx, full_home, good_head, 2)
        assert walk == Walk(9, good_head, 5, head_found=True, closed={"2026-10"}, next=10)
