"""The completeness accrual: an exact share of what past months left unmetered, and no more."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.terms import CAUSES, Completeness
from tallybook.reconcile.completeness import estimate, targets
from tallybook.reconcile.history import History, Standing

RULE = Completeness(3, Fraction(1), CAUSES, "owner")
NOW = "2026-12"


def month(period, metered, *volumes):
    yield Standing(period, "X", "Accrued:X", "meter:X", "", -metered)
    yield Standing(period, "X", "Payable:X", "true_up:X", "", -1)
    for name, nano in volumes:
        yield Standing(period, "X", "Variance:volume", "true_up:X", name, nano)


def history(*months, now=1000):
    rows = [row for one in months for row in one]
    return History((*rows, Standing(NOW, "X", "Accrued:X", "meter:X", "", -now)))


def test_only_named_causes_of_the_last_months_count():
    found = history(
        month("2026-08", 1, ("outside_gateway", 1000)),
        month("2026-09", 100, ("outside_gateway", 10)),
        month("2026-10", 100, ("unmetered_key: k", 20), ("not_billed", -50)),
        month("2026-11", 100, ("aborted_streams", 3)),
    )
    one = estimate(found, "X", NOW, RULE)
    assert (one.months, one.share) == (("2026-11", "2026-10", "2026-09"), Fraction(33, 300))
    assert dict(one.parts) == {
        "aborted_streams": 10, "outside_gateway": 33, "unmetered_key: k": 67,
    }  # fmt: skip
    last = Completeness(1, Fraction(1), ("aborted_streams",), "central")
    assert estimate(found, "X", NOW, last).amount_nano == 30


def test_a_month_whose_invoice_is_in_accrues_nothing():
    found = history(month("2026-11", 100, ("outside_gateway", 10)), month(NOW, 0))
    one = estimate(found, "X", NOW, RULE)
    assert (one.released, one.amount_nano, targets(one, RULE, lambda _: "")) == (True, 0, [])


def test_without_reconciled_months_nothing_is_known():
    one = estimate(history(), "X", NOW, RULE)
    assert (one.months, one.share, one.parts) == ((), 0, ())


@given(
    metered=st.integers(0, 10**12),
    volumes=st.lists(st.integers(-(10**9), 10**12), min_size=1, max_size=4),
    now=st.integers(0, 10**12),
    cap=st.fractions(0, 1),
)
def test_it_is_capped_balances_and_is_never_negative(metered, volumes, now, cap):
    named = [(f"unmetered_key: k{n}", nano) for n, nano in enumerate(volumes)]
    found = history(month("2026-11", metered, *named), now=now)
    rule = Completeness(3, cap, CAUSES, "owner")
    one = estimate(found, "X", NOW, rule)
    assert 0 <= one.share <= cap
    assert abs(one.amount_nano - now * one.share) <= Fraction(1, 2)
    wanted = targets(one, rule, lambda key: "b" if key == "k0" else "")
    assert sum(nano for _, nano in wanted) == 0
    assert {key.account for key, _ in wanted} <= {
        "Charge:b:variance", "Variance:completeness", "Accrued:X",
    }  # fmt: skip
