"""The cost of capacity in a month, by hand: October has 31 days, 744 hours."""

from fractions import Fraction

import pytest

from tallybook.sim.oracle.books import read_books
from tallybook.sim.oracle.capacity import cost_of_capacity

ORG = 'company: {name: A, currency: USD, fiscal_year_start: "2026-01", timezone: UTC}'
POLICY = 'versions: [{effective_from: "2026-01"}]'


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        ({"monthly": "310.00", "count": "2", "from": "2026-10-16"}, 320),
        ({"hourly": "0.50", "count": "3", "from": "2026-10-31", "to": "2026-11-02"}, 36),
        ({"once": "5.00", "from": "2026-10-31"}, 5),
        ({"once": "5.00", "from": "2026-09-30"}, 0),
        ({"monthly": "1.00", "from": "2026-01-01", "to": "2026-11-01"}, 1),
    ],
)
def test_capacity_costs_what_it_stands(row, cost):
    books = read_books({"org": ORG, "policy": POLICY}, "2026-10")
    assert cost_of_capacity(books, row) == Fraction(cost)
