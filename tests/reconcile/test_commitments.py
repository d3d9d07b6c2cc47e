"""Commitments: the shortfall that is accrued month by month is in the end what is owed."""

from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.terms import Commitment
from tallybook.clock import Period
from tallybook.reconcile.commitments import burn_down, months_between, targets
from tallybook.reconcile.history import History, Standing

FIRST = Period.parse("2026-11")


def spent(*amounts):
    month, rows = FIRST, []
    for nano in amounts:
        rows.append(Standing(str(month), "X", "Accrued:X", "meter:X", "", -nano))
        month = month.next()
    return rows


def deal(amount, months):
    until = FIRST
    for _ in range(months):
        until = until.next()
    return Commitment("deal", "X", amount, FIRST, until)


def test_months_across_a_year():
    assert months_between(Period.parse("2026-11"), Period.parse("2027-02")) == 3


def test_a_burn_down_says_what_is_left_and_needed():
    found = burn_down(History(tuple(spent(200, 500))), deal(1200, 4), Period.parse("2026-12"))
    assert (found.elapsed, found.term, found.spent_nano, found.expected_nano) == (2, 4, 700, 600)
    assert (found.forecast_nano, found.needed_nano, found.left_nano) == (1400, 250, 500)
    assert [month.shortfall_nano for month in found.months] == [100, -100]


def test_before_the_term_nothing_has_elapsed():
    found = burn_down(History(()), deal(1200, 4), Period.parse("2026-10"))
    assert (found.elapsed, found.spent_nano, found.shortfall_nano, found.months) == (0, 0, 0, ())


@given(
    amount=st.integers(0, 10**12),
    months=st.lists(st.integers(0, 10**11), min_size=1, max_size=14),
)
def test_what_is_accrued_adds_up_to_what_is_owed(amount, months):
    one, rows, month = deal(amount, len(months)), spent(*months), FIRST
    for number in range(1, len(months) + 1):
        found = burn_down(History(tuple(rows)), one, month)
        wanted = targets(found, History(tuple(rows)), str(month))
        assert sum(nano for _, nano in wanted) == 0
        rows += [
            Standing(str(month), "X", key.account, key.source, key.detail, nano)
            for key, nano in wanted
        ]
        booked = -sum(r.nano for r in rows if r.family == "commitment" and r.side == "Accrued")
        assert booked == found.shortfall_nano == sum(x.shortfall_nano for x in found.months)
        assert found.shortfall_nano >= 0
        assert found.elapsed == number
        month = month.next()
    assert booked == max(amount - sum(months), 0)
