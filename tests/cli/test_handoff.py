"""`export` for other systems: what it writes, what it says, what it refuses."""

import csv
import io
import json
from decimal import Decimal

import pytest

from company import usage

ACCOUNTS = """
accounts:
  inference_expense: "5100"
  allocated_ai: "5190"
  accrued_liabilities: "2150"
  due_from: "1310"
  due_to: "2310"
fields: {tax_rate: Tax Exempt}
"""
CHART = """kind,code,status
account,5100,active
account,5190,active
account,2150,active
entity,acme-us,active
cost_center,1,active
cost_center,9,active
period,2026-10,open
period,2026-11,open
"""


@pytest.fixture
def month(company):
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.run()
    company.close()
    (company.home / "accounts.yaml").write_text(ACCOUNTS)
    (company.home / "chart.csv").write_text(CHART + "cost_center,2,active\n")
    return company


def journal(call, month, *more, erp="xero"):
    files = (
        "--accounts",
        str(month.home / "accounts.yaml"),
        "--chart",
        str(month.home / "chart.csv"),
    )
    return call("export", "journal", "2026-10", "--erp", erp, *files, *more)


def test_the_neutral_journal_is_on_standard_output(month, call):
    rows = list(csv.DictReader(io.StringIO(call("export", "journal", "2026-10").out)))
    assert {row["account"] for row in rows} == {
        "inference_expense:cost_of_revenue", "accrued_liabilities:X", "allocated_ai:cost_of_revenue",
    }  # fmt: skip
    assert sum(Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0) for row in rows) == 0
    totals = call("export", "journal", "2026-10", "--json").value
    assert totals["platform"]["central"] == totals["platform"]["stays"]


def test_an_erps_files_and_control_totals_go_into_a_folder(month, call, tmp_path):
    done = journal(call, month, "--out", str(tmp_path / "out"))
    assert done.code == 0
    assert "acme-2026-10-recharge-acme-us-v1" in done.out
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["xero-2026-10-1.csv", "xero-2026-10.control.json"]
    totals = json.loads((tmp_path / "out" / "xero-2026-10.control.json").read_text())
    assert totals == journal(call, month, "--out", str(tmp_path / "out"), "--json").value


def test_what_the_erp_would_refuse_leaves_nothing_behind(month, call, tmp_path):
    (month.home / "chart.csv").write_text(CHART)
    done = journal(call, month, "--out", str(tmp_path / "out"))
    assert done.code == 1
    assert "TrackingOption1: cost_center '2' is not in the chart" in done.err
    assert not (tmp_path / "out").exists()


def test_a_template_says_on_standard_error_what_it_does_not_vouch_for(month, call, tmp_path):
    done = journal(call, month, "--out", str(tmp_path), erp="quickbooks-online")
    assert done.code == 0
    assert "not verified: the limit of lines of one import" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("journal", "2026-10", "--erp", "xero"), "go into a folder"),
        (("focus", "2026-10"), "needs a name"),
    ],
)
def test_wrong_usage_is_told(month, call, arguments, said):
    done = call("export", *arguments)
    assert (done.code, said in done.err) == (2, True)


def test_an_erp_needs_accounts_and_chart_and_a_closed_period(month, call, tmp_path):
    out = ("--out", str(tmp_path))
    done = call("export", "journal", "2026-10", "--erp", "xero", *out)
    assert done.code == 1
    assert "needs an accounts file" in done.err
    month.ingest(usage("3", started_at="2026-11-02T00:00:00Z"), name="november")
    month.run("2026-11")
    assert "2026-11 has no statements" in call("export", "journal", "2026-11").err
    assert "-v1-draft" in call("export", "journal", "2026-11", "--draft").out


def test_focus_says_what_its_rows_add_up_to(month, call, tmp_path):
    path = tmp_path / "focus.csv"
    value = call("export", "focus", "2026-10", "--out", str(path), "--json").value
    assert value["effective_cost"] == "32.000000000000"
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert (value["rows"], value["version"]) == (len(rows), "1.4")
    assert (
        call("export", "focus", "2026-10", "--out", str(path), "--focus-version", "1.2").code == 0
    )
    assert "x_AllocatedMethodId" in path.read_text().partition("\n")[0]


def test_hledger_goes_to_a_file_or_to_standard_output(month, call, tmp_path):
    path = tmp_path / "october.journal"
    assert call("export", "hledger", "2026-10", "--out", str(path)).code == 0
    assert path.read_text() == call("export", "hledger", "2026-10").out
    assert "account expenses  ; type: X" in path.read_text()


def test_a_workbook_is_written_into_a_folder(month, call, tmp_path):
    done = call("statement", "2026-10", "--format", "xlsx", "--out", str(tmp_path))
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "statements-2026-10.xlsx").read_bytes().startswith(b"PK")
    assert call("statement", "2026-10", "--format", "xlsx").code == 2
