"""What a pool really cost: entered, entered again, refused."""

import pytest

from tallybook.errors import AllocationError, MoneyError, PeriodError


def test_a_later_amount_replaces_an_earlier_one(company):
    assert company.pool("2026-10", "gateway", "31.5") == 31_500_000_000
    company.run()
    company.pool("2026-10", "gateway", "29.00")
    company.run()
    held = company.balances()
    assert (held["Source:gateway"], held["Variance:pool"]) == ("-29.00", "-1.00")
    assert company.failing() == {}


@pytest.mark.parametrize(
    ("pool", "amount", "error", "words"),
    [
        ("nonsense", "1.00", AllocationError, "declares no pool 'nonsense'"),
        ("quality", "1.00", AllocationError, "pooled evaluation fills it"),
        ("gateway", "1,00", MoneyError, "1,00"),
        ("gateway", "1.0000000001", MoneyError, "1.0000000001"),
        ("gateway", "9" * 20, MoneyError, "is too large: an amount is at most 1,000,000,000"),
    ],
)
def test_what_is_wrong_is_refused(company, pool, amount, error, words):
    with pytest.raises(error, match=words):
        company.pool("2026-10", pool, amount)


def test_a_soft_closed_period_takes_none(company):
    """Seed 155: an actual that came after the cutoff was taken, and nothing of the month saw it."""
    company.soft_close()
    with pytest.raises(PeriodError, match="2026-10 is soft-closed; what its pools cost"):
        company.pool("2026-10", "gateway", "1.00")


def test_a_closed_period_takes_none(company):
    company.close()
    with pytest.raises(PeriodError, match="enter the difference in the next period, 2026-11"):
        company.pool("2026-10", "gateway", "1.00")
