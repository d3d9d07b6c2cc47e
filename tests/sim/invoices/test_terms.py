"""What providers bill of terms is what was accrued, or a little off, and is said as put in."""

import json
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import pytest

from tallybook.clock import Period
from tallybook.sim.invoices.company import OPENAI, ORG, POLICY, SMALL, prices_file
from tallybook.sim.invoices.inject import month_bill
from tallybook.sim.invoices.terms import POLICY as MORE
from tallybook.sim.invoices.terms import bill_terms, capacity_calls, terms
from tallybook.sim.oracle.beside import Beside


@pytest.fixture
def beside():
    policy = {"versions": [{**POLICY["versions"][0], **MORE}]}
    prices = prices_file() | terms(Random(1))
    files = {"org": ORG, "policy": policy, "prices": prices}
    made = Beside({kind: json.dumps(data) for kind, data in files.items()})
    made.use("2026-04", [])
    made.accrue("2026-04")
    return made


def test_capacity_and_the_minimum_of_a_term_are_billed_as_accrued_or_ten_dollars_off(beside):
    for sold, kind, product in ((OPENAI, "usage", "Hosting"), (SMALL, "minimum", "")):
        bill = month_bill(Random(2), sold, Period.parse("2026-04"))
        usage = len(bill.lines)
        bill_terms(Random(3), bill, beside)
        (line,) = bill.lines[usage:]
        family = "capacity" if product else "commitment"
        off = Fraction(line.amount_pico, 10**12) - beside.owed(sold.name, "2026-04", family)
        assert abs(off) <= 10
        assert (line.kind, line.product) == (kind, product)
        assert sum(bill.truth.values()) == line.amount_pico > 0


def test_calls_run_on_capacity_while_it_stands():
    november = Period.parse("2026-11")
    start_us = november.bounds_us(ZoneInfo("UTC"))[0]
    days = {call["started_at"][:10] for call in capacity_calls(Random(1), november, start_us)}
    assert (min(days), max(days)) == ("2026-11-01", "2026-11-15")
