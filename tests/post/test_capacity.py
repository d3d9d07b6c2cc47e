"""What capacity costs by the time that it stands, and who ran on it."""

from fractions import Fraction

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.errors import AllocationError
from tallybook.post.basis import read_basis
from tallybook.post.capacity import capacity_costs, capacity_use, standing_capacity
from tallybook.post.sheet import latest_sheet

CAPACITY = """capacity:
  - {id: month, kind: gpu, pool: big, monthly: "310.00", count: 2, from: 2026-10-16}
  - {id: hour, kind: hosting, pool: big, provider: X, hourly: "0.10", from: 2026-10-31, to: 2026-11-02}
  - {id: once, kind: training, pool: big, once: "5.00", from: 2026-10-31}
  - {id: ptu, kind: provisioned_throughput, pool: big, provider: X, model: "x-*", full: 310,
     monthly: "1.00", from: 2026-10-03, to: 2026-10-13}
  - {id: past, kind: gpu, pool: big, monthly: "1.00", from: 2026-01-01, to: 2026-10-01}
"""
POOL = '    pools:\n      - {id: big, driver: capacity, reserved: {b: "10%"}, idle: platform}'


@pytest.fixture
def books(company):
    company.apply(
        prices=company._files["prices"] + CAPACITY,
        policy=company._files["policy"].replace("    pools:", POOL),
    )
    return company


def basis_of(company, period="2026-10"):
    return read_basis(company.store, Period.parse(period))


def test_cost_by_month_by_hour_and_once(books):
    october = {one.id: one for one in capacity_costs(basis_of(books))}
    # 16 of 31 days of two at 310.00; 24 hours; once; 10 of 31 days of 1.00.
    assert {name: one.amount_nano for name, one in october.items()} == {
        "month": 320_000_000_000, "hour": 2_400_000_000, "once": 5_000_000_000,
        "ptu": 322_580_645,
    }  # fmt: skip
    assert (october["ptu"].full, october["month"].full) == (Fraction(100), None)
    november = {one.id: one.amount_nano for one in capacity_costs(basis_of(books, "2026-11"))}
    assert (november["hour"], november["once"]) == (2_400_000_000, 0)
    assert [one.id for one in standing_capacity(basis_of(books, "2026-09"))] == ["past"]


def test_calls_on_it_have_no_price_while_it_stands_and_count_as_use(books):
    books.ingest(
        usage("before", started_at="2026-10-02T10:00:00Z"),
        usage("on", started_at="2026-10-03T00:00:00Z", units={"web_search": 0}),
        usage("after", started_at="2026-10-13T00:00:00Z"),
    )
    books.run()
    with books.store.read() as tx:
        sheet = latest_sheet(tx, "2026-10")
    found = {line.capacity: line for line in sheet.lines}
    assert (found["ptu"].contract_pico, found["ptu"].card_pico, found["ptu"].tokens) == (
        0,
        0,
        60_000,
    )
    assert found[""].contract_pico == 2 * 10**12
    assert capacity_use(basis_of(books), sheet.lines) == {"big": {"a": 60_000}}
    assert books.run().entries == ()
    assert books.failing() == {}


def test_more_usage_builds_on_the_last_sheet(books):
    books.ingest(usage("one", started_at="2026-10-04T10:00:00Z"))
    books.run()
    books.ingest(
        usage("two", started_at="2026-10-05T10:00:00Z", team="b", feature="find"), name="b"
    )
    books.run()
    with books.store.read() as tx:
        sheet = latest_sheet(tx, "2026-10")
    assert capacity_use(basis_of(books), sheet.lines) == {"big": {"a": 60_000, "b": 60_000}}
    assert books.failing() == {}


def test_a_pool_that_is_none_of_capacity_is_refused(books):
    books.apply(policy=books._files["policy"].replace(POOL, "    pools:"))
    books.ingest(usage())
    with pytest.raises(AllocationError, match="does not declare"):
        books.run()


def test_late_usage_moves_what_was_shared_as_if_it_had_been_on_time(books):
    books.ingest(usage("one", started_at="2026-10-04T10:00:00Z"))
    books.run()
    books.close()
    books.ingest(
        usage("late", started_at="2026-10-05T10:00:00Z", team="b", feature="find"), name="b"
    )
    books.run("2026-11")
    assert books.failing() == {}
    about = {}
    for entry in books.journal("2026-11"):
        for posting in entry.postings:
            if posting.service_period == "2026-10":
                about[posting.account] = about.get(posting.account, 0) + posting.amount_nano
    assert about["Charge:b:pool"] == -about["Charge:a:pool"]
    assert about["Charge:b:pool"] > 0
