"""Measuring: each step in a process of its own, repeated, the medians kept."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Took:
    """What a step took: medians over its repetitions; ``result`` is what its last one told."""

    cpu_s: float
    wall_s: float
    peak_bytes: int
    result: dict[str, int]


def measure(step: str, home: Path, numbers: Sequence[int]) -> Took:
    """Do a step once per number.

    Raises:
        RuntimeError: the step failed; its own message is on standard error.
    """
    return median([_once(step, home, number) for number in numbers])


def measure_in_turn(steps: Sequence[str], home: Path, repeat: int) -> dict[str, Took]:
    """Do several steps in turn, so that a busy minute of the machine falls on all of them."""
    rounds = [{step: _once(step, home, n) for step in steps} for n in range(repeat)]
    return {step: median([done[step] for done in rounds]) for step in steps}


def cpu_seconds() -> float:
    """Of all threads of this process, so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def median(took: Sequence[Took]) -> Took:
    """The medians of each figure."""
    return Took(
        statistics.median(one.cpu_s for one in took),
        statistics.median(one.wall_s for one in took),
        int(statistics.median(one.peak_bytes for one in took)),
        took[-1].result,
    )


def _once(step: str, home: Path, number: int) -> Took:
    command = [sys.executable, "-m", "bench.steps", step, str(home), str(number)]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"step {step} failed with {done.returncode}")
    return Took(**json.loads(done.stdout))
