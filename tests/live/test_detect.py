"""What runs away, by thresholds: each fires above it, not at what is usual, and not when off."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.model import Alerts
from tallybook.live.detect import in_spend, in_trace, nearest_rank
from tallybook.live.model import Burn, Row, Subject, Tally, Usual
from tallybook.live.trace import Trace

AT = Alerts()
OFF = Alerts(loop=0, retries=0, fan_out_times=0, spend_times=0)
USUALS = {("a", "bot"): (500, 20)}


def trace(**fields):
    made = Trace("t-1", subject=Subject("a", "bot", "planner"))
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def kinds(one, at=AT, usuals=USUALS):
    return [alert.kind for alert in in_trace(one, at, usuals)]


@pytest.mark.parametrize(
    ("kind", "below", "above"),
    [
        ("loop", {"steps": {"agent x": 99}}, {"steps": {"agent x": 100, "tool y": 5}}),
        ("retries", {"attempts": {"op": 7}}, {"attempts": {"op": 8}}),
        ("fan_out", {"figures": [60, 0, 0, 0, 0, 0, 0]}, {"figures": [61, 0, 0, 0, 0, 0, 0]}),
    ],
)
def test_a_trace_runs_away(kind, below, above):
    assert kinds(trace(**below)) == []
    assert kinds(trace(**above)) == [kind]
    assert kinds(trace(**above), OFF) == []
    (alert,) = in_trace(trace(**above), AT, USUALS)
    assert (alert.trace, alert.agent, alert.team) == ("t-1", "planner", "a")
    assert int(alert.figure) >= int(alert.threshold)
    assert alert.next_step


def test_what_is_usual_is_not_known_of_a_new_feature():
    many = trace(figures=[9_999, 0, 0, 0, 0, 0, 0])
    assert kinds(many, usuals={}) == []
    assert kinds(many, usuals={("a", "bot"): (99, 1)}) == []


def row(cost, usual):
    burn = Burn(cost, Usual(Fraction(usual), 7, "days") if usual is not None else None)
    tally = Tally(calls=1, cost_pico=cost)
    return Row("a", "bot", "", tally, tally, burn)


@pytest.mark.parametrize(
    ("cost", "usual", "fires"),
    [
        (51, 10, True),
        (50, 10, False),  # five times the usual is allowed
        (10, 0, False),  # so is the least amount
        (11, 0, True),
        (10**6, None, False),  # nothing to go by
    ],
)
def test_an_hour_is_spent(cost, usual, fires):
    unit = 10**12
    one = row(cost * unit, None if usual is None else usual * unit)
    found = list(in_spend([one], AT, 7))
    assert bool(found) == fires
    assert not list(in_spend([one], OFF, 7))
    if fires:
        assert (found[0].kind, found[0].subject, found[0].window) == ("spend", "a/bot", "7")
        assert found[0].figure == f"{cost}.000000000000"


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.sampled_from([50, 95, 99, 100]))
def test_the_nearest_rank_is_a_value_that_was_there(values, percent):
    found = nearest_rank({value: values.count(value) for value in values}, percent)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)
