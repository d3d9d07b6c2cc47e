"""In which month an invoice's spans are billed: one law for grouping them and for reconciling."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import org, policy, usage
from report_files import CUR, table
from tallybook.check.bills import bills_reconcile
from tallybook.clock import Calendar, parse_instant
from tallybook.reconcile.classify import Scope
from tallybook.reconcile.days import billing_day, billing_days, period_of_span

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "Pacific/Auckland", "Etc/GMT+12", "Asia/Kolkata")
SPANS = st.tuples(
    st.integers(0, 24 * 800).map(lambda hours: hours * HOUR_US),
    st.sampled_from((HOUR_US, DAY_US, 2 * DAY_US, 31 * DAY_US)),
)


def calendar(zone):
    return Calendar(zone, "2026-01")


@given(zone=st.sampled_from(ZONES), span=SPANS)
def test_a_span_is_reconciled_in_the_month_that_it_is_grouped_in(zone, span):
    start_us = parse_instant("2026-01-01T00:00:00Z") + span[0]
    end_us = start_us + span[1]
    mine = period_of_span(calendar(zone), start_us, end_us)
    for period in (mine.previous(), mine, mine.next()):
        first, last = billing_days(*calendar(zone).bounds_us(period))
        assert Scope("x", first, last, ()).holds(start_us, end_us) == (period == mine)


@pytest.mark.parametrize(
    ("zone", "start", "hours", "period"),
    [
        ("UTC", "2026-10-01T00:00:00Z", 1, "2026-10"),
        ("America/New_York", "2026-10-01T02:00:00Z", 1, "2026-10"),  # the evening before, there
        ("Asia/Tokyo", "2026-09-30T20:00:00Z", 1, "2026-09"),  # 1 October, there
        ("Pacific/Auckland", "2026-08-31T00:00:00Z", 24, "2026-08"),  # begins at its noon
        ("America/New_York", "2026-10-01T00:00:00Z", 31 * 24, "2026-10"),
    ],
)
def test_a_day_of_a_provider_is_of_its_month(zone, start, hours, period):
    start_us = parse_instant(start)
    assert str(period_of_span(calendar(zone), start_us, start_us + hours * HOUR_US)) == period


def test_the_day_in_the_middle():
    noon = parse_instant("2026-10-03T12:00:00Z")
    day = datetime.fromtimestamp(billing_day(noon, noon + HOUR_US) / 1e6, UTC)
    assert day.isoformat() == "2026-10-03T00:00:00+00:00"


def hours(path, *starts):
    rows = [
        {**CUR, "bill_invoice_id": "", "line_item_usage_start_date": f"{start}:00:00Z",
         "line_item_usage_end_date": f"{start}:59:59Z", "line_item_unblended_cost": "1.00"}
        for start in starts
    ]  # fmt: skip
    return table(path, *rows)


def test_reports_by_the_hour_of_a_company_west_of_utc_are_of_one_month_each(books, tmp_path):
    """The first hours of October are September there, and billed in October all the same."""
    books.company.apply(org=org("America/New_York"), policy=policy("2026-09"))
    books.company.ingest(usage())
    september = hours(tmp_path / "s.csv", "2026-09-01T00", "2026-09-30T23")
    october = hours(tmp_path / "o.csv", "2026-10-01T00", "2026-10-01T03", "2026-10-31T23")
    assert [(one.period, one.lines) for one in books.take("aws", september)] == [("2026-09", 2)]
    assert [(one.period, one.lines) for one in books.take("aws", october)] == [("2026-10", 3)]
    assert books.provider("aws").invoiced_pico == 3 * 10**12
    assert books.provider("aws", "2026-09").invoiced_pico == 2 * 10**12
    assert bills_reconcile(books.store).ok
