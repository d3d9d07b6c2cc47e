"""Parts of a voucher: each balances and fits, and together they are the voucher."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import HandoffError
from tallybook.report.handoff.model import JournalLine, Voucher
from tallybook.report.handoff.split import parts_of


def line(number, cents):
    return JournalLine(
        "allocated_ai", str(number), "4711", "", "", "2026-10", cents, f"line {number}"
    )


def voucher(*amounts):
    lines = tuple(line(number, cents) for number, cents in enumerate(amounts))
    return Voucher("acme-1", "recharge", "us", "2026-10-31", "2026-10", "USD", "", "text", lines)


CENTS = st.integers(-(10**13), 10**13).filter(bool)


@st.composite
def balanced(draw):
    amounts = draw(st.lists(CENTS, min_size=1, max_size=40))
    rest = -sum(amounts)
    return voucher(*amounts, *([rest] if rest else []))


@given(balanced(), st.integers(2, 9))
def test_parts_balance_fit_and_add_up_to_the_whole(whole, lines_max):
    parts = parts_of(whole, lines_max)
    added = Counter()
    for part in parts:
        assert len(part.lines) <= lines_max
        assert sum(each.amount_cents for each in part.lines) == 0
        for each in part.lines:
            added[each.text] += each.amount_cents
            of = whole.lines[int(each.detail)].amount_cents
            assert 0 < each.amount_cents <= of or of <= each.amount_cents < 0
    assert added == {each.text: each.amount_cents for each in whole.lines}
    assert len({part.external_id for part in parts}) == len(parts)


def test_one_credit_against_many_debits_goes_along_into_every_part():
    parts = parts_of(voucher(*[100] * 7, -700), 4)
    assert [[x.amount_cents for x in part.lines] for part in parts] == [
        [100, 100, 100, -300], [100, 100, 100, -300], [100, -100],
    ]  # fmt: skip
    assert [part.external_id for part in parts] == ["acme-1-1of3", "acme-1-2of3", "acme-1-3of3"]
    assert parts[1].text == "text (2 of 3)"


def test_a_voucher_that_fits_stays_as_it_is():
    whole = voucher(5, -5)
    assert parts_of(whole, 2) == [whole]


def test_nothing_balances_in_one_line():
    with pytest.raises(HandoffError, match="no voucher balances in 1 lines"):
        parts_of(voucher(5, -5), 1)


@pytest.mark.parametrize(
    ("amounts", "what"), [((5, -4), "out of balance by 0.01"), ((0, 5, -5), "zero")]
)
def test_a_voucher_that_does_not_balance_cannot_be_made(amounts, what):
    with pytest.raises(HandoffError, match=what):
        voucher(*amounts)
