"""A disk without room: refused commands change nothing, and the world ends where it must."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tallybook.sim.world import full
from tallybook.sim.world.hands import Done, Hands, open_books
from tallybook.sim.world.live import live
from tallybook.sim.world.model import BrokenError, Lived, Params

needs_mount = pytest.mark.skipif(
    not full.may_mount(), reason="this machine lets nobody mount a file system of their own"
)


@needs_mount
def test_a_world_on_a_full_disk_ends_as_the_one_with_room(template: Path) -> None:
    lived = live(Params(3, 1, 4), template=template)
    assert lived.failure is None
    assert full.filled(lived, Random(1)) > 3
    other = Lived(lived.params, lived.operations[:2], None, "another digest")
    with pytest.raises(BrokenError, match="came out elsewhere"):
        full.filled(other, Random(1))


@needs_mount
def test_a_process_that_fails_on_a_full_disk_breaks_the_world() -> None:
    strange = Lived(Params(3), ({"n": 1, "do": "fly", "at_us": 1},), None, "")
    with pytest.raises(BrokenError, match="full disk: AttributeError"):
        full.filled(strange, Random(1))


class Ample(full.Disk):
    def __init__(self) -> None:
        self.left: list[int] = []

    def leave(self, room_bytes: int) -> None:
        self.left.append(room_bytes)


def test_a_refusal_that_changed_the_books_is_found(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands, disk = Hands(open_books(tmp_path / "books", template)), Ample()
    apply = live(Params(3, 1, 0), template=template).operations[0]
    plain = Hands.do

    def refused(here: Hands, operation: dict[str, object]) -> Done:
        plain(here, operation)
        return Done(refusal="StoreError: could not write: database or disk is full")

    monkeypatch.setattr(Hands, "do", refused)
    with pytest.raises(BrokenError, match="and the books changed"):
        full.live_on(disk, hands, apply, 4096)
    assert disk.left == [4096, full.AMPLE]
    delivery = {"n": 2, "do": "ingest", "at_us": 2, "events": [], "rejects": []}
    assert not full.live_on(disk, hands, delivery, 0)


def test_without_the_means_nobody_mounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full, "_ALONE", (f"no-such-program-{os.getpid()}",))
    assert not full.may_mount()


def test_a_proof_of_two_months_is_two_commands_of_which_one_may_be_refused() -> None:
    proof = {"n": 7, "do": "prove", "at_us": 5, "periods": ["2026-09", "2026-10"]}
    found = full._commands(proof)
    assert [(one["do"], one["period"], one["at_us"]) for one in found] == [
        ("run", "2026-09", 5),
        ("run", "2026-10", 5),
    ]
    assert full._commands(found[0]) == [found[0]]
