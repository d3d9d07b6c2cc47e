"""One small life of the company, shared by the tests of the room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallybook.sim.demo import Demo, demo
from tallybook.store import Store

SCALE = 60
SEED = 7


@dataclass(frozen=True)
class Lived:
    out: Path
    done: Demo
    store: Store
    told: list[str]


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    out = tmp_path_factory.mktemp("demo") / "out"
    told: list[str] = []
    done = demo(out, out / "books", SEED, told.append, SCALE)
    store = Store.open(done.home)
    yield Lived(out, done, store, told)
    store.close()
