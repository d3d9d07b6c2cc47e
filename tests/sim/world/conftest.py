"""Empty books, made once and copied for every world."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallybook.sim.world.hands import make_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("empty") / "books")
