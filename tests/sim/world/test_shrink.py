"""A planted bug is found, written down, lived again and made small."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tallybook.errors import WrongUsageError
from tallybook.post import sheet
from tallybook.sim.world.live import live
from tallybook.sim.world.model import Failure, Lived, Operation, Params
from tallybook.sim.world.replay import last_told, read_replay, told, write_replay
from tallybook.sim.world.shrink import shrink
from tallybook.store import inbox
from tallybook.store.inbox import Claims, claim

PARAMS = Params(seed=14, months=1, steps=8)


def found_small(template: Path, folder: Path) -> tuple[Lived, Lived]:
    """The world as it broke, and the smallest one, lived from files."""
    broken = live(PARAMS, template=template)
    assert broken.failure is not None
    params, failure, operations = read_replay(write_replay(folder / "w.jsonl", broken))
    assert (params, failure) == (PARAMS, broken.failure)
    assert live(params, operations, template).failure == broken.failure
    small = shrink(broken, lambda fewer: live(params, fewer, template), attempts_max=80)
    again = read_replay(write_replay(folder / "small.jsonl", small))[2]
    assert live(params, again, template).failure == small.failure
    return broken, small


def test_lost_money_is_found_and_shrunk(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = sheet.cumulative_nano

    def lossy(picos: Sequence[int]) -> list[int]:
        return [*plain(picos)[:-1], 0] if picos else []

    monkeypatch.setattr(sheet, "cumulative_nano", lossy)
    broken, small = found_small(template, tmp_path)
    assert broken.failure is not None
    assert broken.failure.proof == "oracle"
    assert len(small.operations) <= 4, last_told(small.operations)
    assert sum(len(operation.get("events", ())) for operation in small.operations) <= 3


def test_an_accepted_conflict_is_found_and_shrunk(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lenient(*args: object) -> Claims:
        claims = claim(*args)
        return Claims(claims.fresh, (*claims.duplicate, *claims.conflict), ())

    monkeypatch.setattr(inbox, "claim", lenient)
    broken, small = found_small(template, tmp_path)
    assert broken.failure is not None
    assert broken.failure.proof == "INV-06"
    assert [operation["do"] for operation in small.operations] == ["ingest", "ingest"]
    assert [len(operation["events"]) for operation in small.operations] == [1, 1]


def relived(wanted: set[int], operations: Sequence[Operation]) -> Lived:
    """A world that breaks when all the wanted operations are in it."""
    is_broken = wanted <= {operation["n"] for operation in operations}
    failure = Failure("planted", "", len(operations) - 1) if is_broken else None
    return Lived(PARAMS, tuple(operations), failure, "")


@pytest.mark.parametrize("wanted", [set(), {0}, {99}, {3, 50, 51}, {0, 33, 66, 99}])
def test_what_is_not_needed_is_left_out(wanted: set[int]) -> None:
    operations = [{"n": n, "do": "seal", "at_us": n, "crash": 1} for n in range(100)]
    small = shrink(relived(wanted, operations), partial(relived, wanted))
    assert {operation["n"] for operation in small.operations} == wanted
    assert all("crash" not in operation for operation in small.operations)


def test_another_failure_is_not_the_same() -> None:
    lived = relived(set(), [{"n": 1, "do": "seal", "at_us": 1}])
    other = Lived(PARAMS, (), Failure("another", "", 0), "")
    assert shrink(lived, lambda _: other) is lived


def test_attempts_are_bounded() -> None:
    operations = [{"n": n, "do": "seal", "at_us": n} for n in range(64)]
    lived, calls = relived({7}, operations), []

    def relive(fewer: Sequence[Operation]) -> Lived:
        calls.append(1)
        return relived({7}, fewer)

    shrink(lived, relive, attempts_max=5)
    assert len(calls) == 5


def test_a_file_that_is_no_replay_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.jsonl").write_text("{}\n")
    with pytest.raises(WrongUsageError, match="no replay file"):
        read_replay(tmp_path / "no.jsonl")
    with pytest.raises(WrongUsageError, match="no replay file"):
        read_replay(tmp_path / "absent.jsonl")


def test_an_operation_is_told_in_a_line() -> None:
    operation = {"n": 7, "do": "pool", "period": "2026-09", "pool": "gateway", "amount": "1.00"}
    assert told(operation) == "   7 pool 2026-09 gateway 1.00"
    assert told({"n": 8, "do": "ingest", "events": [{}], "rejects": [], "crash": 5}) == (
        "   8 ingest 1 events 0 rejects (dies on the way)"
    )
