"""Invoice Detail, Billing Period and Contract Commitment: they tie, and the referee agrees."""

import csv
from decimal import Decimal

import pytest

from company import PRICES, Company, org, policy, usage
from environment import environment
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.report.handoff.focus.datasets import DATASETS, write_dataset
from tallybook.report.handoff.focus.export import write_focus

from .test_export import referee

COMMITMENTS = """
commitments:
  - {id: c-1, provider: X, amount: "1000.00", from: 2026-01, to: 2027-01}
  - {id: c-2, provider: Y, amount: "50.00", from: 2027-01, to: 2027-02}
"""
OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)


@pytest.fixture
def lived(tmp_path):
    """October closed, reopened and closed again; November open."""
    company = Company(tmp_path / "books", "2026-12-05T09:00:00Z")
    company.apply(org=org(), policy=policy("2026-01"), prices=PRICES)
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.close()
    company.reopen()
    company.ingest(usage("3"), name="more")
    company.close()
    company.ingest(usage("n", started_at="2026-11-03T10:00:00Z"), name="november")
    company.run("2026-11")
    company.apply(prices=PRICES + COMMITMENTS)
    yield company
    company.store.close()


def rows(company, name, period, folder):
    path = folder / f"{name}-{period}.csv"
    count = write_dataset(company.store, name, period, path)
    found = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(found) == count
    return found


def test_invoices_add_up_to_the_statements_and_old_versions_are_voided(lived, tmp_path):
    found = rows(lived, "invoice-detail", OCTOBER, tmp_path)
    billed = {}
    for row in found:
        status = row["InvoiceIssueStatus"]
        billed[status] = billed.get(status, 0) + Decimal(row["BilledCost"])
    issue = lived.statements("2026-10")
    assert issue.version == 2
    assert billed["Issued"] * 100 == issue.charged_total_cents
    assert set(billed) == {"Issued", "Voided"}
    new = [row for row in found if row["InvoiceIssueStatus"] == "Issued"]
    assert {row["ReferenceInvoiceId"] for row in new} >= {"S-2026-10-a v1"}
    assert len({(row["InvoiceId"], row["InvoiceDetailId"]) for row in found}) == len(found)


def test_an_open_month_is_an_open_invoice_without_a_date(lived, tmp_path):
    found = rows(lived, "invoice-detail", NOVEMBER, tmp_path)
    assert {(row["InvoiceIssueStatus"], row["InvoiceIssueDate"]) for row in found} == {("Open", "")}


def test_months_are_periods_and_promises_are_commitments(lived, tmp_path):
    found = rows(lived, "billing-period", NOVEMBER, tmp_path)
    assert [(row["InvoiceIssuerName"], row["BillingPeriodStatus"]) for row in found] == [
        ("Acme", "Closed"), ("X", "Closed"), ("Acme", "Open"), ("X", "Open"),
    ]  # fmt: skip
    found = rows(lived, "contract-commitment", OCTOBER, tmp_path)
    assert [(row["ContractCommitmentId"], row["ContractCommitmentLifecycleStatus"],
             row["ContractCommitmentDurationType"]) for row in found] == [
        ("c-1", "Active", "12 Months"), ("c-2", "Pending", "1 Month"),
    ]  # fmt: skip


def test_nothing_to_write_is_said(company, tmp_path):
    with pytest.raises(PeriodError, match="no contract commitment of 2026-10"):
        write_dataset(company.store, "contract-commitment", OCTOBER, tmp_path / "c.csv")
    assert not (tmp_path / "c.csv").exists()


def test_the_toolkit_finds_nothing(lived, tmp_path):
    toolkit = environment("focus", "--ignore-requires-python").with_name("focus-toolkit")
    for name in DATASETS:
        for period in (OCTOBER, NOVEMBER):
            path = tmp_path / f"{name}-{period}.csv"
            write_dataset(lived.store, name, period, path)
            said = referee(toolkit, "validate", "--dataset", name, path)
            assert "structural+semantic lint OK" in said, said
    usage_path, files = tmp_path / "usage.csv", {}
    write_focus(lived.store, OCTOBER, "1.4", usage_path)
    for name in ("invoice-detail", "billing-period"):
        files[f"--{name}"] = tmp_path / f"{name}-{OCTOBER}.csv"
    bundle = [part for pair in files.items() for part in pair]
    said = referee(toolkit, "validate-bundle", "--cost-and-usage", usage_path, *bundle)
    assert "bundle validation: OK" in said, said
    broken = tmp_path / "broken.csv"
    broken.write_text(path.read_text().replace("Active", "Alive"))
    said = referee(toolkit, "validate", "--dataset", "contract-commitment", broken)
    assert "structural+semantic lint OK" not in said
