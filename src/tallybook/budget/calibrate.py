"""Which budgets do no work: one that is never near is a blank check, one that always acts a brake.

A month counts if it was run. What was used is what its last run booked, what was acted is what its
gateways noted. The bounds are conventions of this report, not of any standard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tallybook.budget.carried import Earlier, with_all_grants
from tallybook.budget.estimate import HEADROOM
from tallybook.budget.overview import BudgetState, overview, used_share
from tallybook.budget.used import used_in_sheet
from tallybook.clock import Period
from tallybook.money import (
    NANO_SCALE,
    PICO_PER_NANO,
    PICO_SCALE,
    format_units,
    nano_covering,
    proportional,
)
from tallybook.post.basis import latest_books
from tallybook.post.sheet import latest_sheet
from tallybook.store import Store

Finding = Literal["blank check", "growth brake", "in use", "too new"]

UNTOUCHED: Final = (1, 10)
"""A month in which less than this share of a budget was used did not touch it."""
MONTHS_LEAST: Final = 2
"""Fewer months than these tell nothing."""
BRAKES: Final = frozenset({"stop", "approval", "throttle", "downgrade", "busy"})


@dataclass(frozen=True, slots=True)
class Calibration:
    """One budget over some months, the oldest first: what it was, what was used, what it did."""

    budget: str
    team: str
    finding: Finding
    months: tuple[BudgetState, ...]

    @property
    def suggested_nano(self) -> int | None:
        """The most that a month used, and a quarter, where another amount a month would fit."""
        if self.finding not in ("blank check", "growth brake") or self.months[-1].since:
            return None
        most = max((state.used_pico or 0) for state in self.months)
        return nano_covering(proportional(most, HEADROOM.numerator, HEADROOM.denominator))


def calibrated(store: Store, now_us: int, months: int) -> list[Calibration]:
    """The budgets of the last whole months, those that do no work first.

    Args:
        store: open books.
        now_us: the months before that of this instant are looked at.
        months: how many.
    """
    with store.read() as tx:
        books, _ = latest_books(tx)
        period = books.calendar.period_of(now_us)
        found: dict[str, list[BudgetState]] = {}
        earlier = Earlier()
        for month in _before(period, months):
            sheet = latest_sheet(tx, str(month))
            if sheet is None:
                continue
            then = with_all_grants(tx, books, month)
            used = used_in_sheet(sheet, then, month)
            end_us = books.calendar.bounds_us(month)[1] - 1
            before = earlier.used(tx, books, month)
            for state in overview(then, month, end_us, used, earlier=before):
                found.setdefault(state.budget, []).append(state)
    order: tuple[Finding, ...] = ("growth brake", "blank check", "in use", "too new")
    made = [
        Calibration(name, states[-1].team, _finding(states), tuple(states))
        for name, states in found.items()
    ]
    return sorted(made, key=lambda one: (order.index(one.finding), one.budget))


def _before(period: Period, months: int) -> list[Period]:
    found = []
    for _ in range(months):
        period = period.previous()
        found.append(period)
    return found[::-1]


def _finding(states: Sequence[BudgetState]) -> Finding:
    if len(states) < MONTHS_LEAST:
        return "too new"
    if all(BRAKES & state.calls_acted.keys() for state in states):
        return "growth brake"
    if all(_is_untouched(state) for state in states):
        return "blank check"
    return "in use"


def _is_untouched(state: BudgetState) -> bool:
    """Nobody can say of a key or a customer; nothing is said of those."""
    if state.used_pico is None:
        return False
    part, whole = UNTOUCHED
    left_pico = state.limit_nano * PICO_PER_NANO - state.used_before_pico
    return (state.used_pico - state.used_before_pico) * whole < left_pico * part


def calibration_values(one: Calibration) -> dict[str, Any]:
    """The machine form."""
    fits = one.suggested_nano
    return {
        "budget": one.budget,
        "team": one.team,
        "finding": one.finding,
        "suggested": None if fits is None else format_units(fits, NANO_SCALE),
        "months": [
            {
                "period": str(state.period),
                "in_force": format_units(state.limit_nano, NANO_SCALE),
                "used": None
                if state.used_pico is None
                else format_units(state.used_pico, PICO_SCALE),
                "used_share": used_share(state),
                "calls_acted": dict(state.calls_acted),
            }
            for state in one.months
        ],
    }
