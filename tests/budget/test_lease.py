"""The law of leases, whatever is drawn, told, given back and lost, in whatever order."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tallybook.budget.lease import Account, Lease, level_of, levels_passed

HOLDERS = st.sampled_from(["a", "b", "c"])
AMOUNTS = st.integers(1, 10**12)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("draw"), HOLDERS, AMOUNTS, st.integers(0, 5)),
        st.tuples(st.just("use"), HOLDERS, AMOUNTS, st.just(0)),
        st.tuples(st.just("back"), HOLDERS, AMOUNTS, st.just(0)),
        st.tuples(st.just("close"), HOLDERS, st.just(0), st.just(0)),
    ),
    max_size=60,
)


@given(ACTS, AMOUNTS)
def test_what_holders_use_of_what_they_drew_never_passes_the_ceiling(acts, ceiling):
    account, used = Account(), {}
    for word, holder, nano, halvings in acts:
        if word == "draw":
            granted = account.draw(holder, ceiling, nano, halvings)
            assert granted == 0 or granted >= nano
        elif word == "use":  # an honest holder uses no more than it drew
            drawn = account.leases.get(holder, Lease()).drawn_nano
            used[holder] = min(drawn, used.get(holder, 0) + nano)
            account.tell(holder, used[holder])
        elif word == "back":
            account.give_back(holder, nano)
        else:
            account.close(holder, used.pop(holder, 0))
        assert account.spent_nano <= account.taken_nano <= ceiling
        assert account.spent_nano == account.closed_nano + sum(used.values())


@given(ACTS, AMOUNTS)
def test_a_refused_draw_means_that_so_much_is_not_free(acts, ceiling):
    account = Account()
    for word, holder, nano, halvings in acts:
        if word == "draw" and not account.draw(holder, ceiling, nano, halvings):
            assert ceiling - account.taken_nano < nano


def test_a_call_that_cost_more_than_was_held_is_told_as_it_is():
    account = Account()
    account.draw("a", 100, 10, 3)
    account.tell("a", 140)
    assert (account.spent_nano, account.taken_nano) == (140, 140)
    assert account.draw("b", 100, 1, 0) == 0


def test_a_report_that_comes_late_or_twice_changes_nothing():
    account = Account()
    account.draw("a", 100, 50, 0)
    account.tell("a", 30)
    account.tell("a", 20)
    account.tell("a", 30)
    assert account.spent_nano == 30


def test_a_lost_holder_keeps_what_it_drew_until_it_is_closed():
    account = Account()
    assert account.draw("lost", 100, 10, 1) == 50
    account.tell("lost", 20)
    assert account.draw("b", 100, 51, 0) == 0
    account.close("lost", 25)
    assert account.draw("b", 100, 75, 0) == 75


def test_an_account_that_forgot_learns_again_what_a_holder_drew():
    forgot = Account()
    forgot.announce("a", 60, 20)
    forgot.announce("a", 60, 20)
    assert (forgot.taken_nano, forgot.spent_nano) == (60, 20)
    assert forgot.draw("b", 100, 41, 0) == 0


def test_slices_shrink_with_what_is_free():
    account = Account()
    drawn = [account.draw(f"h{n}", 1 << 40, 1, 3) for n in range(200)]
    assert drawn == sorted(drawn, reverse=True)
    assert account.taken_nano > (1 << 40) * 99 // 100


def test_each_level_of_an_amount_is_passed_once():
    levels = (Fraction(1, 2), Fraction(4, 5))
    given_ = set()
    seen = []
    for spent in (10, 50, 79, 80, 100, 120):
        for share in levels_passed(spent, 100, levels, given_):
            given_.add(level_of(share, 100))
            seen.append((spent, share))
    assert seen == [(50, Fraction(1, 2)), (80, Fraction(4, 5))]
    assert levels_passed(100, 200, levels, given_) == [Fraction(1, 2)]
