"""The backtest of forecasts counts what it says."""

from __future__ import annotations

import pytest
from bench import forecast as room
from bench.forecast import figures, is_there

from tallybook.budget.forecast import Day


@pytest.mark.skipif(not is_there(), reason="the recordings are not beside the project")
def test_every_figure_is_a_share_of_forecasts():
    found = {one.what: one.value for one in figures(paths=40, most=6)}
    assert len(found) == 9
    shares = [value for what, value in found.items() if "within" in what]
    assert all(0 <= share <= 100 for share in shares)
    assert found["73 tenants, a day as it came: forecasts"] > 0


def test_even_demand_always_holds():
    months = [[Day((10,) * 24, False)] * 20]
    assert room._held(months, 50) == (5, 5, 5)


def test_demand_that_nearly_stops_does_not_hold():
    months = [[Day((10,) * 24, False)] * 15 + [Day((0,) * 23 + (1,), False)] * 5]
    assert room._held(months, 50) == (0, 0, 5)
