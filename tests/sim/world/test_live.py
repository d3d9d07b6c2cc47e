"""A world is its seed; crashes, refusals and late usage happen in it."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tallybook.clock import Period
from tallybook.sim.world import hands, live
from tallybook.sim.world.crash import SimulatedCrash
from tallybook.sim.world.live import World
from tallybook.sim.world.model import BrokenError, Lived, Params
from tallybook.store import Store, canonical_json

PRINT = """
from tallybook.sim.world.live import live
from tallybook.sim.world.model import Params
from tallybook.store import canonical_json
from hashlib import sha256
lived = live(Params(3, 1, 8))
print(sha256(canonical_json(list(lived.operations)).encode()).hexdigest(), lived.digest)
"""


def digests(lived: Lived) -> str:
    operations = canonical_json(list(lived.operations))
    return f"{sha256(operations.encode()).hexdigest()} {lived.digest}"


def test_the_same_seed_lives_the_same_world_under_another_hash_seed(template: Path) -> None:
    here = digests(live.live(Params(3, 1, 8), template=template))
    for hash_seed in ("1", "77"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"}
        command = [sys.executable, "-c", PRINT]
        there = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert there.stdout.strip() == here


def test_operations_lived_again_end_in_the_same_books(template: Path) -> None:
    params = Params(8, 2, 10)
    once = live.live(params, template=template)
    again = live.live(params, once.operations, template)
    assert once.failure is None
    assert (again.operations, again.digest, again.tally) == (
        once.operations,
        once.digest,
        once.tally,
    )


def test_another_seed_is_another_world(template: Path) -> None:
    first, second = (live.live(Params(seed, 1, 3), template=template) for seed in (1, 2))
    assert first.digest != second.digest


def test_much_happens_in_a_few_worlds(template: Path) -> None:
    tally = sum(
        (live.live(Params(seed, 2, 20), template=template).tally for seed in (8, 11)),
        start=live.Counter[str](),
    )
    for name in ("crashes", "closes", "refused", "runs", "seals", "pools", "proofs", "applys"):
        assert tally[name] > 0, (name, tally)
    assert tally["events"] > 200


@pytest.fixture
def world(tmp_path: Path, template: Path) -> World:
    made = World(tmp_path, template)
    for operation in live.live(Params(3, 1, 0), template=template).operations[:1]:
        made.step({name: x for name, x in operation.items() if name != "crash"})
    return made


def test_what_must_be_refused_and_is_not_breaks_the_world(world: World) -> None:
    with pytest.raises(BrokenError, match="apply refused"):
        world.step(
            {"n": 2, "do": "apply", "at_us": 0, "files": world.known.files, "is_wrong": True}
        )


def test_a_month_to_come_must_be_refused_and_one_that_has_begun_run(world: World) -> None:
    calendar = world.known.calendar()
    start_us = calendar.bounds_us(Period.parse("2026-10"))[0]
    run = {"n": 2, "do": "run", "period": "2026-10"}
    world.step(run | {"at_us": start_us - 1})
    world.step(run | {"at_us": start_us})
    assert (world.tally["run refused"], world.tally["runs"]) == (1, 1)


def test_what_must_be_carried_out_and_is_not_breaks_the_world(world: World) -> None:
    world.known.published.add("2026-09")
    with pytest.raises(BrokenError, match="statement carried out"):
        world.step({"n": 2, "do": "statement", "at_us": 0, "period": "2026-09"})


def test_a_changed_statement_breaks_the_world(world: World) -> None:
    world._kept["2026-09 v1"] = ("2026-09", 1, "issued", "{}", "", "")
    with pytest.raises(BrokenError, match="INV-04"):
        world.step({"n": 2, "do": "seal", "at_us": 0})


def test_any_error_that_is_not_a_refusal_breaks_the_world(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(hands, "seal_inbox", fail)
    with pytest.raises(BrokenError, match="ZeroDivisionError: seal: planted"):
        world.step({"n": 2, "do": "seal", "at_us": 0})


def test_a_command_that_is_not_atomic_is_found(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INV-08, planted: what a dying process had written so far stays on disk."""
    plain = Store.write

    def leaky(store: Store) -> object:
        return _Leaky(plain(store))

    monkeypatch.setattr(Store, "write", leaky)
    found = [live.live(Params(seed, 1, 10), template=template).failure for seed in range(6)]
    assert "INV-08" in {failure.proof for failure in found if failure}


class _Leaky:
    """A transaction that commits although the process died in it."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __enter__(self) -> object:
        return self._inner.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> object:
        if kind is SimulatedCrash:
            return self._inner.__exit__(None, None, None) and False
        return self._inner.__exit__(kind, error, trace)
