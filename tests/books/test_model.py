import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books import model
from tallybook.books.model import ALWAYS, FOREVER_US, Span

EDGES = st.integers(-5, 5)


def test_a_span_is_half_open():
    span = Span(10, 20)
    assert span.holds(10)
    assert not span.holds(20)
    assert Span(0, FOREVER_US) == ALWAYS
    assert not Span(0, 10).overlaps(Span(10, 20))


@given(EDGES, EDGES, EDGES, EDGES)
def test_spans_overlap_when_they_share_an_instant(a, b, c, d):
    one, other = Span(min(a, b), max(a, b)), Span(min(c, d), max(c, d))
    shared = any(one.holds(us) and other.holds(us) for us in range(-6, 7))
    if one.from_us < one.to_us and other.from_us < other.to_us:
        assert one.overlaps(other) == other.overlaps(one) == shared


def test_everything_is_frozen():
    kinds = [
        kind
        for kind in vars(model).values()
        if isinstance(kind, type) and kind.__module__ == model.__name__
    ]
    assert len(kinds) > 15
    for kind in kinds:
        assert kind.__dataclass_params__.frozen
        assert "__slots__" in vars(kind)


def test_frozen_means_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ALWAYS.from_us = 1
