"""What a paper shows of a team's use, wherever on the paper it stands."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tallybook.sim.world.prove import own_use


def note(kind: str, role: str = "") -> SimpleNamespace:
    return SimpleNamespace(kind=kind, transfer=SimpleNamespace(role=role) if role else None)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("real_cost", ["evaluation"]),
        # Charged for another month's late calls, so its own use stands beside the lines.
        ("showback", ["evaluation", "usage", "transfer"]),
    ],
)
def test_use_that_is_noted(model: str, expected: list[str]) -> None:
    others = [note("transfer", "run_for"), note("transfer", "paid_by"), note("pool")]
    paper = SimpleNamespace(
        model=model, notes=[note("evaluation"), note("usage"), note("transfer", "joint"), *others]
    )
    assert [each.kind for each in own_use(paper)] == expected  # type: ignore[arg-type]
