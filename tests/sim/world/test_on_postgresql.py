"""Small worlds whose books are in a PostgreSQL database.

What a command would have come to is lived in a copy of the books, which is a file: so every crash
also compares the two stores.
"""

import pytest

import servers
from tallybook.sim.places import Places
from tallybook.sim.world.die import IN_PROCESS, by_cut
from tallybook.sim.world.live import live
from tallybook.sim.world.model import Params


@pytest.mark.parametrize(("seed", "is_cut"), [(61, False), (58, True)])
def test_a_world_holds_and_comes_to_what_it_comes_to_in_a_file(seed, is_cut):
    params = Params(seed, months=1, steps=5, deaths=40 if is_cut else 14)
    in_a_file = live(params)
    assert in_a_file.failure is None
    with servers.postgres_database() as url, Places(url) as places:
        death = by_cut(places.cut) if is_cut else IN_PROCESS
        lived = live(params, death=death, opened=places.open)
    assert lived.failure is None, lived.failure
    assert lived.digest == in_a_file.digest
    assert lived.tally["cuts" if is_cut else "crashes"]
