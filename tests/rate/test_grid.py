import itertools

from hypothesis import given
from hypothesis import strategies as st

from tallybook.rate.grid import (
    DAY_S,
    Cell,
    contexts_of,
    mapped,
    overlaid,
    price_at,
    seconds_of,
    whole_day,
)
from tallybook.rate.model import ANY_CONTEXT

METERS = st.dictionaries(
    st.sampled_from(["input_uncached", "output"]), st.integers(0, 9), max_size=2
)


@st.composite
def grids(draw):
    """Disjoint cells: some parts of the day, some bands, some of them empty."""
    seconds = sorted({0, DAY_S, *draw(st.lists(st.integers(1, DAY_S - 1), max_size=2))})
    bounds = sorted({-1, ANY_CONTEXT, *draw(st.lists(st.integers(0, 9), max_size=2))})
    cells = [
        Cell(a, b, over, upto, draw(METERS))
        for a, b in itertools.pairwise(seconds)
        for over, upto in itertools.pairwise(bounds)
    ]
    return tuple(cell for cell in cells if draw(st.booleans()))


@given(grids(), grids(), st.integers(0, DAY_S - 1), st.integers(0, 12))
def test_an_overlay_takes_each_meter_from_the_first_that_has_it(first, second, at_s, context):
    one, other = price_at(first, at_s, context), price_at(second, at_s, context)
    expected = None if one is None and other is None else {**(other or {}), **(one or {})}
    assert price_at(overlaid(first, second), at_s, context) == expected


@given(grids(), grids())
def test_an_overlay_has_at_most_one_price_at_a_point(first, second):
    made = overlaid(first, second)
    for at_s in seconds_of([made])[:-1]:
        for context in contexts_of([made])[1:]:
            assert sum(cell.holds(at_s, context) for cell in made) <= 1


def test_a_band_holds_its_upper_bound_and_not_its_lower():
    cell = whole_day({"output": 1}, 200_000)
    assert [cell.holds(0, n) for n in (200_000, 200_001, ANY_CONTEXT)] == [False, True, True]
    assert whole_day({}).holds(DAY_S - 1, 0)


def test_mapped_changes_each_price_and_no_bound():
    assert mapped((Cell(1, 2, 3, 4, {"output": 5}),), lambda p: p * 2) == (
        Cell(1, 2, 3, 4, {"output": 10}),
    )
