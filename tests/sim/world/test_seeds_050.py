"""Fifty worlds: every proof holds after every step."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.world.seeds import assert_held, chunks


@pytest.mark.parametrize("first", chunks(50))
def test_every_proof_holds(first: int, template: Path) -> None:
    assert_held(first, template)
