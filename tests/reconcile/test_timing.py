"""Days that explain each other: the smaller of two opposite differences moves, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from invoice_parts import DAY, PRICE, billed, cell
from tallybook.reconcile.match import match
from tallybook.reconcile.timing import Difference, pair_days


def differences(quantities, offs):
    cells = [cell(quantity=n, day=day) for day, n in enumerate(quantities)]
    lines = [
        billed(c, quantity=c.quantity + off, amount_pico=c.amount_pico + off * PRICE)
        for c, off in zip(cells, offs, strict=True)
    ]
    return [Difference.of(slot) for slot in match(lines, cells).slots]


def test_the_smaller_of_two_opposite_days_moves():
    days = differences([100, 100, 100], [30, -50, 0])
    moved = pair_days(days, 1)
    assert [(m.difference.day_us // DAY, m.quantity, m.amount_pico) for m in moved] == [
        (1, -30, -30 * PRICE), (0, 30, 30 * PRICE),
    ]  # fmt: skip
    assert [one.quantity for one in days] == [0, -20, 0]


def test_days_too_far_apart_and_of_one_sign_stay():
    assert pair_days(differences([9, 9, 9], [5, 0, -5]), 1) == []
    assert len(pair_days(differences([9, 9, 9], [5, 0, -5]), 2)) == 2
    assert pair_days(differences([9, 9], [5, 4]), 1) == []


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=12), st.integers(1, 3))
def test_pairs_sum_to_zero_and_only_make_differences_smaller(offs, reach):
    days = differences([100] * len(offs), offs)
    moved = pair_days(days, reach)
    assert sum(m.amount_pico for m in moved) == sum(m.quantity for m in moved) == 0
    for one, off in zip(days, offs, strict=True):
        assert abs(one.quantity) <= abs(off)
        assert one.quantity * off >= 0
