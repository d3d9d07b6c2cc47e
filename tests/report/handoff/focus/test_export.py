"""FOCUS files tie to the ledger, name every token once, and pass the referees."""

import csv
import json
import os
import re
import subprocess
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from company import usage
from environment import environment
from tallybook.clock import Period
from tallybook.errors import CorruptedError, HandoffError, PeriodError
from tallybook.ledger.append import append_entry
from tallybook.ledger.balance import booked_into
from tallybook.ledger.chart import check_account
from tallybook.ledger.model import Entry, Posting, Reason
from tallybook.report.handoff.accrual import LEDGER_COST
from tallybook.report.handoff.focus import spell
from tallybook.report.handoff.focus import usage as usages
from tallybook.report.handoff.focus.export import write_focus
from tallybook.report.handoff.focus.month import MonthRows
from tallybook.report.handoff.focus.spell import VERSIONS, columns_of

from .conftest import cost

UNAVOIDABLE = {"InvoiceId-C-005-C"}
"""Fails wherever no provider invoice is named; its opposite fails where one is."""
OFFICIAL = Path(__file__).parents[3] / "focus_parts" / "official.py"


def ledger_cost(company, period):
    """In units, from the journal alone: every posting on a family that holds cost."""
    with company.store.read() as tx:
        held = booked_into(tx, period)
    nano = sum(n for key, n in held.items() if check_account(key.account) in LEDGER_COST)
    outside = -sum(n for key, n in held.items() if key.account.startswith(("Accrued", "Source")))
    assert nano == outside
    return Decimal(nano).scaleb(-9)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("period", ["2026-10", "2026-11"])
def test_the_rows_are_the_ledger_cost_to_the_last_unit(months, exported, period, version):
    rows = exported(period, version)
    for column in ("EffectiveCost", "BilledCost", "ContractedCost"):
        assert cost(rows, column) == ledger_cost(months, period)
    assert list(rows[0]) == list(columns_of(version))


def test_the_worked_example_is_1070_with_its_pools_split(exported, october):
    rows = exported("2026-10", company=october)
    assert cost(rows) == 1070
    of = defaultdict(Decimal)
    for row in rows:
        pool = row["ResourceName"] or ("quality" if row["AllocatedMethodId"] else "")
        of[pool, row["AllocatedResourceId"] or row["SubAccountId"]] += Decimal(row["EffectiveCost"])
    assert of == {
        ("", "A"): 560, ("", "B"): 200, ("", "platform"): 50,
        ("quality", "A"): 75, ("quality", "B"): 25,
        ("gateway", "A"): 100, ("gateway", "B"): 50, ("gateway", "platform"): 10,
    }  # fmt: skip


def test_quantity_times_price_is_the_cost_of_every_row_with_a_price(exported):
    priced = [row for row in exported("2026-10") + exported("2026-11") if row["ListUnitPrice"]]
    assert len(priced) > 20
    for row in priced:
        quantity = Decimal(row["PricingQuantity"])
        assert quantity * Decimal(row["ListUnitPrice"]) == Decimal(row["ListCost"])
        assert quantity * Decimal(row["ContractedUnitPrice"]) == Decimal(row["ContractedCost"])
        if row["PricingUnit"] == "1000000 Tokens":
            assert Decimal(row["ConsumedQuantity"]) == quantity * 1_000_000


def test_each_token_is_counted_once_by_class_with_list_and_contract_apart(exported):
    rows = [row for row in exported("2026-10") if row["ServiceProviderName"] == "openai"]
    assert {row["SkuMeter"]: row["ConsumedQuantity"] for row in rows if row["SkuMeter"]} == {
        "Input Uncached Tokens": "100", "Cache Read Tokens": "77", "Output Tokens": "3",
    }  # fmt: skip
    details = {row["SkuMeter"]: json.loads(row["SkuPriceDetails"]) for row in rows if row["SkuId"]}
    said = {
        meter: (found["x_TokenDirection"], found.get("x_TokenCacheAction"))
        for meter, found in details.items()
    }
    assert said == {
        "Input Uncached Tokens": ("Input", "Uncached"),
        "Cache Read Tokens": ("Input", "Read"),
        "Output Tokens": ("Output", None),
    }
    for row in rows:
        if row["SkuId"]:
            assert Decimal(row["ContractedCost"]) == Decimal(row["ListCost"]) * Decimal("0.9")


def test_what_is_unpriced_or_unknown_is_there_and_says_so(exported):
    rows = {row["x_UsageState"]: row for row in exported("2026-10")}
    unpriced, unknown = rows["unpriced"], rows["unknown"]
    assert (unpriced["ConsumedQuantity"], unpriced["ListUnitPrice"]) == ("5", "")
    assert unpriced["ChargeDescription"] == "input uncached, X, without a price"
    assert (unknown["ConsumedQuantity"], unknown["ConsumedUnit"]) == ("1", "Requests")
    assert unknown["ChargeDescription"] == "Calls of X whose usage is not known"


def test_who_pays_who_ran_and_what_for_is_on_the_row(exported):
    (row, _) = [row for row in exported("2026-10") if row["x_Service"]]
    named = ("SubAccountId", "SubAccountName", "x_FeatureId", "x_Purpose", "x_RunByTeam")
    assert [row[name] for name in named] == ["a", "Team A", "bot", "production", "b"]
    assert json.loads(row["Tags"]) == {"feature": "bot", "purpose": "production", "team": "a"}


def test_the_parts_of_a_split_add_up_to_it_and_their_ratios_to_one(exported):
    for period in ("2026-10", "2026-11"):
        found = defaultdict(list)
        for row in exported(period):
            if row["x_SplitOriginId"]:
                found[row["x_SplitOriginId"]].append(row)
        assert found
        for parts in found.values():
            assert cost(parts) == Decimal(parts[0]["x_SplitOriginCost"])
            ratios = re.findall(r'"AllocatedRatio": ([0-9.]+)', "".join(
                row["AllocatedMethodDetails"] for row in parts))  # fmt: skip
            assert sum(map(Decimal, ratios)) == 1


def test_late_usage_reverses_and_books_again_in_the_month_that_it_posts_into(months, exported):
    rows = exported("2026-11")
    late = [row for row in rows if row["ChargeClass"] == "Correction"]
    assert {row["ChargePeriodStart"] for row in late} == {"2026-10-01T00:00:00Z"}
    assert {row["BillingPeriodStart"] for row in rows} == {"2026-11-01T00:00:00Z"}
    assert {row["x_CorrectionStep"] for row in late} == {"reversal", "rebooked"}
    before = exported("2026-10")
    closed = {tuple(row[name] for name in ("SkuId", "SubAccountId", "x_Purpose", "EffectiveCost"))
              for row in before}  # fmt: skip
    for row in late:
        if row["x_CorrectionStep"] == "reversal" and row["SkuId"] and not row["x_SplitOriginId"]:
            taken = str(-Decimal(row["EffectiveCost"]))
            assert (row["SkuId"], row["SubAccountId"], row["x_Purpose"], taken) in closed
    assert not [row for row in before if row["ChargeClass"]]


def test_the_same_books_have_the_same_bytes(months, tmp_path):
    for name in ("one", "two"):
        write_focus(months.store, Period(2026, 10), "1.4", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_page_is_read_at_a_time_and_changes_nothing(months, exported, monkeypatch):
    whole = exported("2026-10")
    monkeypatch.setattr(usages, "PAGE", 2)
    monkeypatch.setattr(spell, "LINES_PER_WRITE", 3)
    assert exported("2026-10") == whole


def test_whatever_else_is_booked_as_cost_is_there_too(company, tmp_path, exported):
    """A variance that no run made, as an invoice brings it: its account is on no list."""
    company.ingest(usage())
    company.run()
    entry = Entry(
        Reason.METER, "2026-10", "2026-09", "text",
        (Posting("Variance:never_seen", 7_000_000_001, source="invoice:X"),
         Posting("Charge:a:variance", 5, team="a", source="invoice:X"),
         Posting("Payable:X", -7_000_000_006, source="invoice:X")),
    )  # fmt: skip
    with company.store.write() as tx:
        append_entry(tx, entry, "tester", 1)
    rows = [row for row in exported("2026-10", company=company) if row["x_LedgerAccount"]]
    assert [
        (row["x_LedgerAccount"], row["EffectiveCost"], row["SubAccountId"], row["ChargeClass"])
        for row in rows
    ] == [
        ("Charge:a:variance", "0.000000005", "a", "Correction"),
        ("Variance:never_seen", "7.000000001", "", "Correction"),
    ]


def test_a_file_that_does_not_tie_is_not_written(company, tmp_path, monkeypatch):
    company.ingest(usage())
    company.run()
    monkeypatch.setattr(MonthRows, "_pools", lambda self: iter(()))
    path = tmp_path / "focus.csv"
    with pytest.raises(
        HandoffError, match=r"about 2026-10 add up to 1\.0+, the ledger cost is 31\.0+"
    ):
        write_focus(company.store, Period(2026, 10), "1.4", path)
    assert not list(tmp_path.glob("*focus*"))


def test_nothing_booked_and_a_damaged_file_are_refused(company, tmp_path):
    with pytest.raises(PeriodError, match="nothing is booked in 2026-10"):
        write_focus(company.store, Period(2026, 10), "1.4", tmp_path / "f")
    company.ingest(usage())
    company.run()
    (sealed,) = company.home.glob("lake/**/*.parquet")
    sealed.write_bytes(sealed.read_bytes() + b" ")
    with pytest.raises(CorruptedError):
        write_focus(company.store, Period(2026, 10), "1.4", tmp_path / "f")
    assert not (tmp_path / "f").exists()


def referee(*command, cwd=None):
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=cwd,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    return done.stdout + done.stderr


def official(path, *options):
    """The rules of 1.2 that fail and how many pass, by focus-validator; it always exits with 0."""
    python = environment("focus", "--ignore-requires-python")
    said = referee(
        python, OFFICIAL, path, "--validate-version", "1.2", "--block-download", *options
    )
    found = re.search(r"Total: (\d+) \| Pass: (\d+) \| Fail: (\d+)", said)
    assert found, said[-2000:]
    failing = set(re.findall(r"^- (\S+): violations", said, re.MULTILINE))
    assert len(failing) == int(found[3])
    return failing, int(found[2])


def test_the_official_rules_of_1_2_pass_but_for_the_one_that_never_can(months, tmp_path):
    path = tmp_path / "focus.csv"
    write_focus(months.store, Period(2026, 11), "1.2", path)
    assert official(path) == (UNAVOIDABLE, 136)
    broken = tmp_path / "broken.csv"
    head, first, *_ = csv.reader(path.read_text(encoding="utf-8").splitlines())
    first[head.index("BilledCost")] = "abc"
    with broken.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, first])
    failing, _ = official(broken, "--filter-rules", "BilledCost")
    assert "BilledCost-C-002-M" in failing


def test_the_toolkit_of_1_4_finds_nothing(months, tmp_path):
    toolkit = environment("focus", "--ignore-requires-python").with_name("focus-toolkit")
    for period in (Period(2026, 10), Period(2026, 11)):
        path = tmp_path / f"{period}.csv"
        write_focus(months.store, period, "1.4", path)
        said = referee(toolkit, "validate", "--dataset", "cost-and-usage", path)
        assert "structural+semantic lint OK" in said, said
        said = referee(toolkit, "validate-bundle", "--cost-and-usage", path)
        assert "bundle validation: OK" in said, said
    broken = tmp_path / "broken.csv"
    text = path.read_text(encoding="utf-8")
    ratio = re.search(r'AllocatedRatio"": (0\.[0-9]+)', text)[1]
    broken.write_text(text.replace(ratio, "0.5", 1), encoding="utf-8")
    said = referee(toolkit, "validate-bundle", "--cost-and-usage", broken)
    assert "FDT-ALLOC-001" in said
