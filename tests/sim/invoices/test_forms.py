"""What a provider's file says, read by our own readers, is what it was written from."""

from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tallybook.clock import Period
from tallybook.reconcile.read.plain_map import MapForm
from tallybook.reconcile.read.registry import read_files
from tallybook.reconcile.read.told import Ask
from tallybook.sim.invoices.company import CHANGES, PROVIDERS, daily_prices, prices_file
from tallybook.sim.invoices.forms import PLAIN_MAP, suffix, written
from tallybook.sim.invoices.inject import injected, month_bill, possible
from tallybook.sim.invoices.model import MonthBill

MARCH = Period.parse("2026-03")


def told(bill: MonthBill, folder):
    path = folder / f"bill{suffix(bill)}"
    path.write_text(written(bill))
    mapping = msgspec.convert(PLAIN_MAP, MapForm) if bill.sold.form == "plain-invoice" else None
    return read_files([path], Ask(bill.sold.name, MARCH.bounds_us(ZoneInfo("UTC"))), mapping)


@pytest.mark.parametrize("sold", PROVIDERS, ids=lambda sold: sold.name)
def test_a_file_adds_up_to_its_bill_and_names_every_class(sold, tmp_path):
    bill = month_bill(Random(1), sold, MARCH)
    injected(Random(2), bill, iter(k for k in possible(sold) if k != "ratio"))
    found = told(bill, tmp_path)
    assert sum(line.own_pico for line in found.lines) == sum(map(bill.own_pico, bill.lines))
    usage = [line for line in found.lines if str(line.kind) == "usage"]
    assert {line.token_class for line in usage} == set(sold.prices)
    assert all((line.quantity is not None) is sold.counted for line in usage)


def test_prices_are_cut_four_times_and_rise_once():
    parts = [1, *(part for _, part in CHANGES)]
    turns = [after < before for before, after in pairwise(parts)]
    assert turns == [True, True, True, True, False]
    for sold in PROVIDERS:
        prices = daily_prices(sold, MARCH)
        assert prices[8, "output"] > prices[9, "output"]
    assert len(prices_file()["contracts"]) == len(PROVIDERS) * 6
