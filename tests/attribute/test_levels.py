"""Level by level from the roots: what each node gets is what its own path comes to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.attribute.levels import Steps, go_down

_MANY = 97


class Walked:
    """Paths by number, as simple as they can be; it keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.origins = 10

    def origin(self, above, said):
        self.asked.append((above, said))
        return above or said

    def chain(self, above, service):
        return (above * 7 + service) % _MANY

    def is_settled(self, origin):
        return origin > 0


def naively(up, said, service):
    origins, chains = {-1: 0}, {-1: 0}
    for at, above in enumerate(up):
        origins[at] = origins[above] or said[at]
        chains[at] = (chains[above] * 7 + service[at]) % _MANY if service[at] else chains[above]
    return origins, chains


def down(up, said, service):
    paths = Walked()
    columns = (np.array(column, np.int32) for column in (up, said, service))
    origins, chains = go_down(*columns, Steps(paths))
    return origins.tolist()[:-1], chains.tolist()[:-1], paths


TREES = st.integers(1, 120).flatmap(
    lambda n: st.tuples(
        st.tuples(*(st.integers(-1, at - 1) for at in range(n))),
        st.lists(st.integers(0, 5), min_size=n, max_size=n),
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
    )
)


@settings(max_examples=80, deadline=None)
@given(TREES)
def test_any_tree_is_walked_as_path_by_path(tree):
    origins, chains, _ = down(*tree)
    wanted = naively(*tree)
    assert origins == [wanted[0][at] for at in range(len(origins))]
    assert chains == [wanted[1][at] for at in range(len(chains))]


@pytest.mark.parametrize("shape", ["chain", "fan", "chains"])
def test_a_large_trace_is_walked_without_recursion(shape):
    count = 70_000
    above = {
        "chain": range(-1, count - 1),
        "fan": [-1] + [0] * (count - 1),
        "chains": [-1] * 70 + list(range(count - 70)),
    }[shape]
    said = [0] * count
    said[0] = 3
    origins, _, paths = down(above, said, [0] * count)
    assert sum(origins) == 3 * (count if shape != "chains" else count // 70)
    assert paths.asked == [(0, 3)]


def test_what_no_root_leads_to_is_not_reached():
    origins, chains, _ = down([-1, 2, 1, 2], [1, 1, 1, 1], [0, 0, 0, 0])
    assert origins == [1, -1, -1, -1]
    assert chains == [0, -1, -1, -1]
