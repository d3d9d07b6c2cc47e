"""INV-14: one price per moment; published prices are superseded, never edited."""

import pytest

from company import PRICES, usage
from tallybook.errors import BooksError

CUT = """
currency: USD
contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10", output: "50"}, to: 2026-10-16}
  - {contract: C2, provider: X, model: x-1, per_million_tokens: {input_uncached: "5", output: "25"}, from: 2026-10-16}
"""
BEFORE, AFTER = "2026-10-15T23:59:59.999999Z", "2026-10-16T00:00:00Z"


def test_a_price_change_in_mid_month_holds_from_its_instant(found_company):
    company = found_company(prices=CUT)
    company.ingest(usage("1", started_at=BEFORE), usage("2", started_at=AFTER))
    company.run()
    held = company.balances()
    # Contract 1.00 and 0.50; the card keeps the price of the 1st for both.
    assert held["Accrued:X"] == "-1.50"
    assert held["Charge:a:usage"] == "2.00"
    assert held["Variance:rate_card"] == "-0.50"


def test_a_changed_price_posts_the_difference_under_both_versions(company):
    company.ingest(usage())
    company.run()
    company.apply(prices=PRICES.replace('"10"', '"20"'))
    company.run()
    meter = [e for e in company.journal() if e.reason == "meter"]
    moved = {
        (p.account, p.price_version): p.amount_nano for entry in meter[1:] for p in entry.postings
    }
    assert moved == {
        ("Cost:X", "2026-10-01.1"): -1_000_000_000,
        ("Accrued:X", "2026-10-01.1"): 1_000_000_000,
        ("Cost:X", "2026-10-01.2"): 1_000_000_000,  # the published card stays frozen
        ("Variance:rate_card", "2026-10-01.2"): 500_000_000,
        ("Accrued:X", "2026-10-01.2"): -1_500_000_000,
    }
    assert company.balances()["Charge:a:usage"] == "1.00"
    assert company.statements().versions.prices == "2026-10-01.2"
    assert company.failing() == {}


def test_putting_the_old_price_back_gives_the_old_amounts(company):
    company.ingest(usage())
    company.run()
    before = company.balances()
    company.apply(prices=PRICES.replace('"10"', '"20"'))
    company.run()
    company.apply(prices=PRICES)
    company.run()
    assert company.balances() == before
    assert company.run().entries == ()


def test_what_is_priced_later_takes_its_first_price(company):
    company.ingest(usage(), usage("new", model="x-2"))
    company.run()
    assert company.statements().unpriced.calls == 1
    company.apply(
        prices=PRICES + "  - {contract: C3, provider: X, model: x-2, per_million_tokens:"
        ' {input_uncached: "1", output: "2"}}\n'
    )
    company.run()
    assert company.statements().unpriced.calls == 0
    assert company.balances()["Charge:a:usage"] == "1.07"
    assert company.failing() == {}


def test_two_prices_for_one_moment_are_refused(company):
    twice = PRICES + PRICES.splitlines()[3].replace("C1", "C9") + "\n"
    with pytest.raises(BooksError, match="prices the same calls as the row at line 4"):
        company.apply(prices=twice)


@pytest.mark.parametrize(
    ("change", "also"),
    [
        ("UPDATE publication SET digest = '00'", set()),
        ("UPDATE publication SET label = '2026-10-01.9' WHERE period = '2026-10'",
         {"INV-10"}),
        ("DELETE FROM publication WHERE period = '2026-10'",
         {"INV-09", "INV-10", "INV-11", "INV-12"}),
    ],
)  # fmt: skip
def test_an_edited_publication_is_seen(lived, damage, change, also):
    damage(change)
    assert set(lived.failing()) == {"INV-14", *also}


def test_postings_under_prices_never_published_are_seen(lived, damage):
    damage("UPDATE posting SET price_version = '2026-11-01.7' WHERE service_period = '2026-11'")
    assert "never published" in lived.failing("INV-14")["INV-14"]
