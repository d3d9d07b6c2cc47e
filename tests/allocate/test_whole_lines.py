"""Every line of the worked example with all its dimensions, as it was when it was last agreed.

Statements, exports and restatements hang on every dimension of a line. Whoever changes one on
purpose makes the file anew (`python tests/allocate/test_whole_lines.py`) and reads the difference.
"""

from __future__ import annotations

import sys
from dataclasses import astuple, replace
from fractions import Fraction
from pathlib import Path

import pytest

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import AllocatedLine, Month
from tallybook.books.model import PoolMethod

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

AGREED = Path(__file__).parent / "whole_lines.txt"


def served(column: str, method: PoolMethod) -> Month:
    """The worked example with a gateway and a quality pool that use each other."""
    month = law.month(column)
    gateway, quality = month.policy.pools
    pools = (
        replace(gateway, serves={"quality": Fraction(1, 5)}),
        replace(quality, serves={"gateway": Fraction(1, 10)}),
    )
    policy = replace(
        month.policy, pools=pools, pool_method=method, pool_order=("gateway", "quality")
    )
    return replace(month, policy=policy)


def charged(**teams: str) -> Month:
    """The worked example on actual budgets, but for some teams."""
    models = {team: law.MODELS[name] for team, name in teams.items()}
    return replace(law.month("mixed"), policy=law.policy(law.MODELS["budget_actual"], models))


def dearer_centre(column: str) -> Month:
    """The worked example where the central team's calls cost more than the rate card says."""
    month = law.month(column)
    cells = (replace(one, variance_nano=one.variance_nano + one.fallback) for one in month.cells)
    return replace(month, cells=tuple(cells))


MONTHS = {
    **{column: law.month(column) for column in law.POLICIES},
    "one_commits": charged(B="budget_committed"),
    "one_each": charged(A="budget_committed", B="proportional"),
    "step_down": served("mixed", "step_down"),
    "reciprocal": served("mixed", "reciprocal"),
    law.AT_PRICE: law.month(law.AT_PRICE),
    "capacity": law.with_capacity("mixed"),
    "central_variance": dearer_centre("mixed"),
}


def text(lines: tuple[AllocatedLine, ...]) -> str:
    return "".join(f"{'|'.join(map(str, astuple(line)))}\n" for line in lines)


def told(name: str) -> str:
    return f"# {name}\n{text(allocate(MONTHS[name]).lines)}"


@pytest.mark.parametrize("name", MONTHS)
def test_every_line_is_as_agreed(name: str) -> None:
    agreed = {part.split("\n")[0]: part for part in AGREED.read_text("utf-8").split("# ")[1:]}
    assert told(name).removeprefix("# ") == agreed[name]


if __name__ == "__main__":
    AGREED.write_text("".join(map(told, MONTHS)), encoding="utf-8")
