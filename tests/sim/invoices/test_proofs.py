"""What was put in has the names that the books give it."""

from fractions import Fraction
from random import Random

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.sim.invoices.company import MISTRAL
from tallybook.sim.invoices.inject import month_bill
from tallybook.sim.invoices.proofs import nominal, prove_result, prove_rolled, truth_of
from tallybook.sim.world.model import BrokenError


def test_causes_count_for_price_volume_and_timing_and_exchange_is_worked_out():
    bill = month_bill(Random(1), MISTRAL, Period.parse("2026-01"))
    for kind, cause in (("volume", "not_billed"), ("volume", "outside_gateway"), ("tax", "vat")):
        bill.put(kind, cause, 7)
    found = truth_of(bill)
    # In January a euro is 1.15 dollars, and 1.26 on the invoice.
    fx = found.pop(("fx", ""))
    assert found == {("volume", "not_billed"): 7, ("volume", "outside_gateway"): 7, ("tax", ""): 7}
    assert fx * 115 == bill.total_pico * 11


def test_accounts_of_the_year_are_summed_and_others_are_not():
    held = {"Charge:a:usage": Fraction(5), "Variance:fx": Fraction(-1), "Accrued:X": Fraction(-4)}
    assert nominal(held) == 4


def test_a_year_that_is_not_closed_to_its_result_breaks(company):
    company.ingest(usage())
    company.run()
    with pytest.raises(BrokenError, match="2026-10: left on Absorption:markup, Charge:a:markup"):
        prove_rolled(company.store, Period.parse("2026-10"), 2026, Fraction(0))
    prove_result(company.store, 2026, Fraction(0))
    with pytest.raises(BrokenError, match="FY2026: expected 1000000000 nano, found 0"):
        prove_result(company.store, 2026, Fraction(1))
