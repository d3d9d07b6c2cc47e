"""What was put in has the names that the books give it."""

from random import Random

from tallybook.clock import Period
from tallybook.sim.invoices.company import MISTRAL
from tallybook.sim.invoices.inject import month_bill
from tallybook.sim.invoices.proofs import truth_of


def test_causes_count_for_price_volume_and_timing_and_exchange_is_worked_out():
    bill = month_bill(Random(1), MISTRAL, Period.parse("2026-01"))
    for kind, cause in (("volume", "not_billed"), ("volume", "outside_gateway"), ("tax", "vat")):
        bill.put(kind, cause, 7)
    found = truth_of(bill)
    # In January a euro is 1.15 dollars, and 1.26 on the invoice.
    fx = found.pop(("fx", ""))
    assert found == {("volume", "not_billed"): 7, ("volume", "outside_gateway"): 7, ("tax", ""): 7}
    assert fx * 115 == bill.total_pico * 11
