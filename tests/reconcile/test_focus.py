"""FOCUS of any provider: billed cost, coverage by commitments, units."""

from pathlib import Path

import pytest

from report_files import FOCUS, brief, read, table
from tallybook.errors import InvoiceError
from tallybook.reconcile.read import focus


def test_focus_of_any_provider(tmp_path):
    covered = {**FOCUS, "BilledCost": "0", "EffectiveCost": "31.5"}
    millions = {
        **FOCUS,
        "ConsumedQuantity": "",
        "SkuPriceDetails": "",
        "ChargeDescription": "m-2 output",
    }
    bought = {**FOCUS, "ChargeCategory": "Purchase", "CommitmentDiscountId": "c-1"}
    taxed = {**FOCUS, "ChargeCategory": "Tax", "BilledCost": "5.985"}
    told = read(table(tmp_path / "f.csv", FOCUS, covered, millions, bought, taxed))
    assert brief(told) == [
        ("usage", "m-1", "cache_read", "", 10_500_000, 31_500_000_000_000, "USD"),
        ("usage", "m-1", "cache_read", "", 10_500_000, 0, "USD"),
        ("usage", "m-2", "output", "", 10_500_000, 31_500_000_000_000, "USD"),
        ("commitment", "", "", "", None, 31_500_000_000_000, "USD"),
        ("tax", "", "", "", None, 5_985_000_000_000, "USD"),
    ]
    assert [x.covered for x in told.lines[:2]] == [False, True]


def test_our_own_small_focus_files(tmp_path):

    folder = Path(__file__).parents[3] / "shared" / "data" / "focus"
    if not folder.is_dir():
        pytest.skip("../shared/data/focus is not here")
    for name in ("focus_min.csv", "focus_min_1_4.csv"):
        assert read(folder / name).form == "focus"


def test_a_category_that_focus_does_not_have_is_refused(tmp_path):
    with pytest.raises(InvoiceError, match='ChargeCategory is "Gift"'):
        read(table(tmp_path / "f.csv", {**FOCUS, "ChargeCategory": "Gift"}))
    assert focus.is_export({"billedcost": "", "chargecategory": ""})
