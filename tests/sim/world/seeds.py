"""Small worlds by the seed; four files of tests share them, so that workers can."""

from __future__ import annotations

from pathlib import Path

from tallybook.sim.world.live import live
from tallybook.sim.world.model import Params
from tallybook.sim.world.replay import last_told

CHUNK = 5


def chunks(first: int) -> range:
    """The first seed of each chunk of fifty seeds."""
    return range(first, first + 50, CHUNK)


def assert_held(first: int, template: Path) -> None:
    for seed in range(first, first + CHUNK):
        params = Params(seed, months=2 if seed % 10 == 0 else 1, steps=5)
        lived = live(params, template=template)
        again = f"tallybook sim --seed {seed} --months {params.months} --steps 5 --shrink"
        told = f"{lived.failure}\n{last_told(lived.operations)}\n{again}"
        assert lived.failure is None, told
