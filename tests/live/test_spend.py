"""What budgets are held against while usage comes in: the month so far, and its hours."""

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.clock import FixedClock, parse_instant
from tallybook.live.model import HOUR_US
from tallybook.live.spend import spend_so_far

UNIT = 10**12
BOT = ("a", "bot")


@pytest.fixture
def acme(tmp_path):
    made = Company(tmp_path, now="2026-10-03T10:30:00Z")
    made.apply(org=org(), policy=policy(), prices=PRICES)
    yield made
    made.store.close()


def test_nothing_spent_is_nothing_known(acme):
    found = spend_so_far(acme.store, acme.clock)
    assert (str(found.period), found.month, found.hours) == ("2026-10", {}, {})
    assert list(found.hour_starts_us()) == []


def test_the_hours_end_before_the_running_one_and_gaps_are_nothing_spent(acme):
    acme.ingest(
        usage("e-1", started_at="2026-10-03T07:10:00Z"),
        usage("e-2", started_at="2026-10-03T07:50:00Z"),
        usage("e-3", started_at="2026-10-03T09:20:00Z"),
        usage("e-4", started_at="2026-10-03T10:20:00Z"),
        usage("e-5", started_at="2026-10-03T08:20:00Z", team="b", feature="find"),
    )
    found = spend_so_far(acme.store, acme.clock)
    assert found.month == {BOT: 4 * UNIT, ("b", "find"): UNIT}
    assert found.hours[BOT] == (2 * UNIT, 0, UNIT)
    assert found.hours["b", "find"] == (0, UNIT, 0)
    seven = parse_instant("2026-10-03T07:00:00Z")
    assert list(found.hour_starts_us()) == [seven, seven + HOUR_US, seven + 2 * HOUR_US]


def test_the_month_before_is_in_the_hours_and_not_in_the_month(acme):
    acme.clock = FixedClock(parse_instant("2026-09-30T22:30:00Z"))
    acme.ingest(usage("e-1", started_at="2026-09-30T21:10:00Z"))
    spend_so_far(acme.store, acme.clock)
    acme.clock = FixedClock(parse_instant("2026-10-01T02:30:00Z"))
    acme.ingest(usage("e-2", started_at="2026-10-01T01:10:00Z"), name="more")
    found = spend_so_far(acme.store, acme.clock)
    assert found.month == {BOT: UNIT}
    assert found.hours[BOT] == (UNIT, 0, 0, 0, UNIT)
