"""Foreign balances: only what contracts in that currency price, at the closing rate."""

from company import usage
from tallybook.clock import Period
from tallybook.post.basis import read_basis
from tallybook.reconcile.accrue import accruals, accrue
from tallybook.reconcile.revalue import foreign_accrued

EURO = """  - {contract: E, provider: E, model: e, currency: EUR, from: 2026-10-01, to: 2026-10-20,
     per_million_tokens: {output: "50"}}
  - {contract: E2, provider: E, model: e, from: 2026-10-20, per_million_tokens: {output: "60"}}
rates:
  - {currency: EUR, date: 2026-10-01, rate: "1.1"}
  - {currency: EUR, date: 2026-10-10, rate: "1.3"}
"""
OCTOBER = Period.parse("2026-10")


def test_a_balance_is_what_euro_contracts_priced_and_nothing_else(company):
    company.apply(prices=company._files["prices"] + EURO)
    used = {"provider": "E", "model": "e", "tokens": {"output": 20_000}}  # 1.00 EUR each
    days = ("2026-10-03", "2026-10-12", "2026-10-25")
    company.ingest(
        *(usage(day, started_at=f"{day}T10:00:00Z", **used) for day in days), usage("dollars")
    )
    company.run()
    (one,) = foreign_accrued(company.store, read_basis(company.store, OCTOBER))
    assert (one.provider, one.currency, one.own_pico) == ("E", "EUR", 2 * 10**12)
    assert one.recognised_pico == 2_400_000_000_000  # 1.10 and 1.30
    (moved,) = accruals(company.store, OCTOBER).revaluations
    assert moved.difference_nano == 200_000_000  # 2 EUR at 1.30 are 2.60
    assert "2 EUR of 2026-10 at the closing rate 1.3 of 2026-10-10" in moved.text
    accrue(company.store, OCTOBER, clock=company.clock, actor="fin")
    assert company.balances()["Variance:fx"] == "0.20"
    assert company.failing() == {}


def test_books_without_rates_read_no_event_for_it(company):
    company.ingest(usage())
    company.run()
    assert foreign_accrued(company.store, read_basis(company.store, OCTOBER)) == []
