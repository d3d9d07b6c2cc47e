"""The one crossing to cents: charged + central = ledger cost, and shown = central's line for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallybook.money import NANO_PER_CENT, cents_of_nano
from tallybook.report.central import CentralKey
from tallybook.report.cents import to_cents
from tallybook.report.lines import LineFigures, LineKey

amounts = st.integers(-(10**13), 10**13)


@given(st.lists(amounts, max_size=8), st.lists(amounts, max_size=4), st.lists(amounts, max_size=4))
def test_every_line_crosses_once_and_the_total_is_that_of_the_exact_amounts(charged, shown, other):
    figures = {
        LineKey("a", f"f{i}", "", "usage", ""): LineFigures(nano) for i, nano in enumerate(charged)
    } | {
        LineKey("s", f"f{i}", "", "usage", ""): LineFigures(x, shown=True)
        for i, x in enumerate(shown)
    }
    central = {CentralKey("variance", str(i)): nano for i, nano in enumerate(other)}
    if shown:
        central[CentralKey("showback", "s")] = sum(shown)
    cents, rest = to_cents("2026-10", figures, central)
    borne = sum(amount for key, amount in cents.items() if key.team == "a") + sum(rest.values())
    assert borne == cents_of_nano(sum(charged) + sum(shown) + sum(other))
    for key, line in figures.items():
        assert abs(cents[key] * NANO_PER_CENT - line.nano) < NANO_PER_CENT
    if shown:
        assert rest[CentralKey("showback", "s")] == sum(
            amount for key, amount in cents.items() if key.team == "s"
        )


def test_an_empty_month_has_no_cents():
    assert to_cents("2026-10", {}, {}) == ({}, {})
