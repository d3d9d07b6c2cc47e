"""Rates, commitments, credits and capacity: what is read, and what is refused."""

from fractions import Fraction

import pytest

from tallybook.clock import Period, parse_instant

EUR = """
rates:
  - {currency: EUR, date: 2026-10-01, rate: "1.10"}
  - {currency: EUR, date: 2026-10-15, rate: "1.2"}
contracts:
  - {contract: E, provider: p, model: m, currency: EUR, from: 2026-10-05, to: 2026-11-01,
     per_million_tokens: {input_uncached: "3.000001"}}
"""


def us(day):
    return parse_instant(f"{day}T00:00:00Z")


def test_a_contract_in_another_currency_is_a_row_for_each_rate(folder):
    made = folder.books(prices=EUR).prices
    first, second = made.contracts
    assert (first.from_us, first.to_us) == (us("2026-10-05"), us("2026-10-15"))
    assert (second.from_us, second.to_us) == (us("2026-10-15"), us("2026-11-01"))
    # 3,000,001 pico of a euro each, rounded once: 3,300,001.1 and 3,600,001.2.
    assert (first.prices["input_uncached"], second.prices["input_uncached"]) == (3300001, 3600001)
    assert first.own_prices["input_uncached"] == 3000001
    assert made.rate_at("EUR", us("2026-10-14")).rate == Fraction(11, 10)
    assert made.rate_at("EUR", us("2026-09-30")) is None


TERMS = """
commitments:
  - {id: y, provider: p, amount: "1200.00", from: 2026-01, to: 2027-01}
credits:
  - {id: late, provider: p, amount: "100.00", bought: 2026-10-01, expires: 2027-10-01}
  - {id: gift, provider: p, amount: "50.00", cost: "0", bought: 2026-10-01, expires: 2026-12-01}
capacity:
  - {id: ptu, kind: provisioned_throughput, pool: big, provider: p, model: "m*", hourly: "2.50",
     count: 100, full: 5000000, from: 2026-10-01}
  - {id: tune, kind: training, pool: big, once: "900.00", from: 2026-10-04}
"""


def test_terms_are_read(folder):
    made = folder.books(prices=TERMS).prices
    (commitment,) = made.commitments
    months = [Period.parse(text) for text in ("2025-12", "2026-01", "2026-12", "2027-01")]
    assert [commitment.holds(month) for month in months] == [False, True, True, False]
    assert [(credit.id, credit.cost_nano) for credit in made.credits] == [
        ("gift", 0), ("late", 100 * 10**9),
    ]  # fmt: skip
    ptu, tune = made.capacity
    assert (ptu.hourly_nano, ptu.count, ptu.serves, tune.serves) == (
        2_500_000_000,
        100,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('rates: [{currency: USD, date: 2026-10-01, rate: "1"}]', "a rate of USD, which the books"),
        ('rates: [{currency: EUR, date: 2026-10-01, rate: "0"}]', "is not above zero"),
        (EUR.replace("2026-10-15", "2026-10-01"), "two rates of EUR on 2026-10-01"),
        (EUR.replace("from: 2026-10-05", "from: 2026-09-05"), "with rates from 2026-10-01 on"),
        (TERMS.replace("to: 2027-01}", "to: 2026-01}"), "2026-01 is not after 2026-01"),
        (TERMS.replace("expires: 2026-12-01", "expires: 2026-10-01"), "2026-10-01 is not after"),
        (TERMS.replace('amount: "50.00"', 'amount: "0"'), "a credit of nothing"),
        (TERMS.replace("id: gift", "id: late"), '"late" stands twice'),
        (TERMS.replace('once: "900.00", ', ""), 'no price on capacity "tune"'),
        (TERMS.replace('once: "900.00"', 'once: "9", monthly: "9"'), "monthly and once on capacity"),
        (TERMS.replace("provider: p, model", "model"), 'calls run on "ptu" and it names no provider'),
        (TERMS.replace('once: "900.00"', 'once: "9", full: 4'), 'no call runs on "tune"'),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(folder, text, said):
    assert said in folder.fault(prices=text)


POOL = "pools: [{id: big, driver: capacity, reserved: {s: %s}, idle: q%s}]"


def test_a_pool_of_capacity(folder, policy_with, org_with):
    org = org_with(teams=["{id: s, unit: commerce}", "{id: q, unit: commerce}"])
    made = folder.books(policy=policy_with(POOL % ("60%", "")), org=org).policy
    (pool,) = made.versions[0].pools
    assert (pool.reserved["s"], pool.idle, pool.monthly_nano) == (Fraction(3, 5), "q", None)


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        (POOL % ("101%", ""), "out of range"),
        (POOL % ("60%, q: 60%", ""), '120 % of "big" is reserved'),
        (POOL.replace(", idle: q", "") % ("1%", ""), 'nobody answers for idle capacity of "big"'),
        (POOL.replace("capacity,", "calls,") % ("1%", ', monthly: "3"'), "reserved has no meaning"),
        (POOL % ("1%", ', monthly: "3"'), "monthly has no meaning under driver capacity"),
        (POOL % ("1%", ", recovered_by: markup"), "a markup recovers capacity"),
    ],
)
def test_a_pool_of_capacity_that_cannot_be_charged_is_refused(
    folder, policy_with, org_with, pool, said
):
    org = org_with(teams=["{id: s, unit: commerce}", "{id: q, unit: commerce}"])
    assert any(said in fault for fault in folder.faults(policy=policy_with(pool), org=org))
