"""What allocation refuses, and what it says of a month, word by word."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tallybook.allocate.compare import compare
from tallybook.allocate.flows import pool_flows
from tallybook.allocate.model import Month, PoolAmount
from tallybook.allocate.pools import driver_weights, pool_shares
from tallybook.allocate.recommend import Recommendation, recommend
from tallybook.books.model import CostPool, Evaluation
from tallybook.errors import AllocationError

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law


def pool(name: str, driver: str = "equal", serves: dict[str, Fraction] | None = None) -> CostPool:
    return CostPool(name, 100, driver, {}, 0, "driver", serves=serves or {})  # type: ignore[arg-type]


def with_pools(*pools: CostPool, amounts: tuple[str, ...] = (), **policy: object) -> Month:
    month = law.month("budget_actual")
    changed = replace(month.policy, pools=pools, evaluation=Evaluation(), **policy)
    held = tuple(PoolAmount(name, 100, 100) for name in amounts)
    return replace(month, policy=changed, pools=held)


WHOLE = Fraction(1)
TRAPPED = (
    "policy.yaml: what stands on pool {} can never reach a team: pools serve only each other\n"
    "  next: lower a share under serves, or change pool_order, and apply"
)
REFUSALS: dict[str, Callable[[], object]] = {
    "2026-10: pool 'gone' has an amount but the policy does not declare it\n"
    "  next: declare the pool in policy.yaml and apply": lambda: pool_shares(
        with_pools(pool("p"), amounts=("p", "lost", "gone"))
    ),
    TRAPPED.format("q"): lambda: pool_flows(
        with_pools(
            pool("p", serves={"q": WHOLE}),
            pool("q", serves={"p": WHOLE}),
            amounts=("p", "q"),
            pool_method="step_down",
            pool_order=("p", "q"),
        )
    ),
    TRAPPED.format("q") + " ": lambda: pool_flows(
        with_pools(
            pool("p", serves={"q": WHOLE}),
            pool("q", serves={"p": WHOLE}),
            amounts=("p", "q"),
            pool_method="reciprocal",
        )
    ),
    "org.yaml, 2026-10: team 'A' states no headcount, and pool 'p' is spread by headcount\n"
    "  next: add headcount: to the row of A that holds at month end, and apply": lambda: (
        pool_shares(
            replace(with_pools(pool("p", "headcount"), amounts=("p",)), headcounts={"A": None})
        )
    ),
    "there is no cost driver 'mood'": lambda: driver_weights(law.month("mixed"), pool("p"), "mood"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("said", "refused"), REFUSALS.items())
def test_a_policy_that_cannot_be_carried_out_says_why(
    said: str, refused: Callable[[], object]
) -> None:
    with pytest.raises(AllocationError) as error:
        refused()
    assert str(error.value) == said.strip()


def says(found: object) -> dict[str, str]:
    assert isinstance(found, Recommendation)
    return {each.name: each.says for each in found.reasons}


def test_a_recommendation_says_its_reasons() -> None:
    month = law.month("mixed")
    few = [replace(cell, tokens=cell.card_nano) for cell in month.cells]
    alike = replace(month, cells=tuple(few))
    found = recommend(alike, compare(alike), None, "USD")
    assert found.reasons[-1].figure.startswith("By tokens, 0.0 % of usage would sit with another")
    assert says(found) == {
        "size": "Up to 3 use cases and under USD 10,000: showing the cost is enough.",
        "budgeting": "How the company budgets is not stated, so it supports no model. State it"
        " once: in policy.yaml, in the version in force in 2026-10, add budgeting: cloud_finops"
        " (the bill is followed month by month) or budgeting: annual_capex (an amount is approved"
        " for the year), and apply.",
        "difference": "Up to 5 %, use cases are alike: a split by tokens is fair, and the"
        " simplest.",
    }


def scaled(times: int) -> Month:
    """The worked example with every amount so many times as large."""
    month = law.month("mixed")
    cells = tuple(
        replace(cell, card_nano=cell.card_nano * times, card_pico=cell.card_pico * times)
        for cell in month.cells
    )
    return replace(month, cells=cells)


@pytest.mark.parametrize(
    ("times", "budgeting", "size", "followed"),
    [
        (
            20,
            "cloud_finops",
            (
                "Between small (up to 3 use cases and under EUR 10,000) and large (10 or more, or over"
                " EUR 50,000): any model that charges will do. The bounds are in EUR, the currency of"
                " the books."
            ),
            "The bill is followed month by month: a charge that moves with usage fits.",
        ),
        (
            200,
            "annual_capex",
            (
                "10 use cases or more, or over EUR 50,000: each use case has to answer for what it"
                " costs. The bounds are in EUR, the currency of the books."
            ),
            "An amount is approved for the year: a budget for each use case fits.",
        ),
    ],
)
def test_a_larger_bill_says_so_in_the_currency_of_the_books(
    times: int, budgeting: str, size: str, followed: str
) -> None:
    month = scaled(times)
    found = recommend(month, compare(month), budgeting, "EUR")  # type: ignore[arg-type]
    assert says(found) == {
        "size": size,
        "budgeting": followed,
        "difference": "Over 5 %, use cases differ: only real cost is fair, and so are budgets,"
        " which follow it.",
    }


def test_budgets_that_are_not_there_come_first() -> None:
    month = replace(scaled(200), budgets={})
    found = recommend(month, compare(month), "annual_capex", "USD")
    assert found.model == "use_case_budget"
    assert found.caution == "No use case has a budget yet: state them in budgets.yaml."
    stated = replace(month, budgets={"bot": 1})
    assert recommend(stated, compare(stated), "annual_capex", "USD").caution == ""
