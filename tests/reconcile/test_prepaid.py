"""Prepaid credits: what expires first pays first, and every unit is bought, used, expired or left."""

from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.terms import Credit
from tallybook.reconcile.history import History, Standing
from tallybook.reconcile.prepaid import credit_months, targets, used_by_day

DAY = 86_400_000_000


def credit(name, amount, cost, bought, expires):
    return Credit(name, "X", amount, cost, bought * DAY, expires * DAY, "", "")


def test_what_expires_first_pays_first_and_only_while_it_holds():
    gift, pack = credit("gift", 30, 0, 0, 15), credit("pack", 100, 80, 2, 60)
    days = [(1 * DAY, 50), (3 * DAY, 20), (20 * DAY, 40)]
    # On day 1 only the gift is there: 20 of the 50 are not prepaid.
    assert used_by_day([gift, pack], {}, days) == {"gift": 30, "pack": 60}


@st.composite
def worlds(draw):
    made = []
    for number in range(draw(st.integers(1, 3))):
        bought = draw(st.integers(0, 50))
        amount = draw(st.integers(1, 1000))
        expires = bought + draw(st.integers(1, 60))
        made.append(credit(f"c{number}", amount, draw(st.integers(0, amount)), bought, expires))
    made.sort(key=lambda one: (one.expires_us, one.bought_us, one.id))
    use = draw(st.lists(st.tuples(st.integers(0, 89), st.integers(0, 400)), max_size=12))
    return made, sorted(use)


@given(worlds())
def test_over_three_months_nothing_is_lost(world):
    made, use = world
    rows, face, cost = [], {}, {}
    for month in range(3):
        bounds = (month * 30 * DAY, (month + 1) * 30 * DAY)
        days = [(day * DAY, nano) for day, nano in use if bounds[0] <= day * DAY < bounds[1]]
        period = f"2026-{month + 1:02}"
        found = credit_months(made, History(tuple(rows)), period, bounds, days)
        assert sum(one.used_nano for one in found) <= sum(nano for _, nano in days)
        for one in found:
            assert one.closing_nano >= 0
            assert sum(nano for _, nano in targets(one, period)) == 0
            name = one.credit.id
            face[name] = face.get(name, 0) + one.used_nano + one.expired_nano
            cost[name] = cost.get(name, 0) + one.used_cost_nano + one.expired_cost_nano
            assert face[name] + one.closing_nano == one.credit.amount_nano
            assert cost[name] + one.balance_nano == one.credit.cost_nano
            rows += [
                Standing(period, "X", key.account, key.source, key.detail, nano)
                for key, nano in targets(one, period)
            ]
