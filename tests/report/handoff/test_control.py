"""The neutral journal as CSV, and control totals that a controller can tie."""

import csv
import io
import json
from decimal import Decimal
from hashlib import sha256

from tallybook.report.handoff.control import control_text, control_totals, neutral_csv


def test_the_neutral_journal_sums_to_zero_and_names_its_accounts(handed, accounts):
    journal = handed(accounts)
    rows = list(csv.DictReader(io.StringIO(neutral_csv(journal, accounts))))
    assert sum(Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0) for row in rows) == 0
    assert {row["reverses_on"] for row in rows if row["kind"] == "accrual"} == {"2026-11-01"}
    assert rows[0] == {
        "external_id": "acme-2026-10-accrual-acme-us-v1", "kind": "accrual", "entity": "acme-us",
        "date": "2026-10-31", "reverses_on": "2026-11-01", "period": "2026-10", "currency": "USD",
        "line": "1", "account": "5100", "cost_center": "4700", "team": "", "feature": "",
        "service_period": "2026-10", "debit": "760.00", "credit": "",
        "text": "AI inference 2026-10, cost of revenue",
    }  # fmt: skip


def test_control_totals_tie_the_platforms_cost_center(handed):
    journal = handed()
    totals = control_totals(journal, journal.vouchers, {"a.csv": b"x"})
    assert json.loads(control_text(totals)) == totals
    assert totals["platform"] == {
        "cost_center": "4700", "held_by_erp": "160.00", "accrued": "910.00", "billed": "0.00",
        "recharged": "-1020.00", "stays": "50.00", "rounding": "0.00", "central": "50.00",
    }  # fmt: skip
    assert totals["totals"] == {
        "vouchers": 2,
        "lines": 13,
        "debit": "1930.00",
        "credit": "1930.00",
    }
    assert totals["files"] == {"a.csv": sha256(b"x").hexdigest()}
    assert (totals["statements"], totals["status"]) == ("S-2026-10 v1", "issued")
