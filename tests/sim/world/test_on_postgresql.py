"""Small worlds whose books are in a PostgreSQL database.

What a command would have come to is lived in a copy of the books, which is a file: so every crash
also compares the two stores.
"""

import pytest

from stores import Stores
from tallybook.sim.world import live as live_module
from tallybook.sim.world.live import live
from tallybook.sim.world.model import Params


@pytest.mark.parametrize("seed", [57])
def test_a_world_holds_and_comes_to_what_it_comes_to_in_a_file(monkeypatch, seed):
    params = Params(seed, months=1, steps=5)
    in_a_file = live(params)
    stores = Stores("postgresql")
    with monkeypatch.context() as patch:
        patch.setattr(live_module, "open_books", lambda home, _template: stores.open(home))
        lived = live(params)
    stores.close()
    assert lived.failure is None, lived.failure
    assert in_a_file.failure is None
    assert lived.digest == in_a_file.digest
