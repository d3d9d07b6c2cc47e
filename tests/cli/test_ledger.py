"""`balance`, `trial-balance`, `journal`, `export`."""

from decimal import Decimal

import pytest

from company import usage
from tallybook.cli.ledger import exact


@pytest.fixture
def month(company):
    company.ingest(usage("1"), usage("2", started_at="2026-11-01T00:00:00Z"))
    company.run()
    company.run("2026-11")
    return company


def test_the_trial_balance_has_the_published_shape_and_sums_to_zero(month, call):
    for args in ((), ("2026-10",), ("2026-11",)):
        value = call("trial-balance", *args, "--json").value
        assert value.keys() == {"accounts", "sum"}
        assert value["sum"] == "0"
        for row in value["accounts"]:
            assert set(row) == {
                "account", "team", "feature", "opening", "debit", "credit", "closing",
            }  # fmt: skip
            opening, debit, credit, closing = (
                Decimal(row[name]) for name in ("opening", "debit", "credit", "closing")
            )
            assert opening + debit - credit == closing
        assert sum(Decimal(row["closing"]) for row in value["accounts"]) == 0


def test_november_opens_where_october_ended(month, call):
    def rows(period, column):
        value = call("trial-balance", period, "--json").value
        return {
            (r["account"], r["team"], r["feature"]): r[column]
            for r in value["accounts"]
            if r[column] != "0"
        }

    assert rows("2026-11", "opening") == rows("2026-10", "closing")


def test_balances_are_found_by_prefix(month, call):
    (row,) = call("balance", "Charge:a:usage", "--period", "2026-10", "--json").value
    assert row == {"account": "Charge:a:usage", "team": "a", "feature": "bot", "balance": "1.00"}
    assert call("balance", "Nothing", "--json").value == []


def test_the_journal_shows_entries_with_their_versions(month, call):
    value = call("journal", "2026-10", "--json").value
    assert value[0]["versions"]["prices"] == "2026-10-01.1"
    for entry in value:
        assert sum(Decimal(p["amount"]) for p in entry["postings"]) == 0
    assert "E-000001" in call("journal").out


def test_an_export_loads_in_beancount(month, call, tmp_path):
    from beancount.loader import load_file  # noqa: PLC0415

    out = tmp_path / "october.beancount"
    assert call("export", "beancount", "2026-10", "--out", str(out)).code == 0
    _, errors, _ = load_file(str(out))
    assert errors == []
    assert call("export", "stone", "2026-10").code == 2


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "0"), (10**9, "1.00"), (-1, "-0.000000001"), (1_500_000_000, "1.50"), (10**7, "0.01")],
)
def test_amounts_keep_every_digit_they_have(nano, text):
    assert exact(nano) == text
