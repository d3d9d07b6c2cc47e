"""Which chargeback model suits the company, from its own month, with the reasons.

Three questions are asked, and each points to the models that its answer supports: how large the use
is, how the company budgets, and how different the use cases are. The model with the most support is
recommended; of equals, the fairest. Nothing is weighed in secret: where the three disagree, it says
so, and the figures are there to be argued with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from tallybook.allocate.compare import CURRENT, MODELS, Comparison
from tallybook.allocate.model import CostCell, Month
from tallybook.books.model import Budgeting, Model
from tallybook.money import (
    NANO_PER_UNIT,
    cents_of_nano,
    format_cents,
    format_percent,
    format_ratio,
    format_share,
)

FEW_USE_CASES = 3
MANY_USE_CASES = 10
SMALL_BILL_NANO = 10_000 * NANO_PER_UNIT
LARGE_BILL_NANO = 50_000 * NANO_PER_UNIT
"""Bounds of the size: up to few and under small, showing is enough; from many on, or over large,
each use case has to answer for itself."""

ALIKE_UP_TO = Fraction(5, 100)
"""How much of the usage may sit with another team before use cases count as different: half of the
lowest usual markup (10 %). Up to there a team cannot tell the error of the split from what the
service itself costs it; beyond, it pays for somebody else's model, and can show it."""

THRESHOLD_CURRENCY = "USD"
_TOKENS_PER_PRICE = 10**6
_PRICE_PLACES = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """One answer: the figure behind it, the models it supports (none if unanswered), and why."""

    name: str
    figure: str
    points_to: tuple[Model, ...]
    says: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The model for all teams, with its reasons.

    Attributes:
        agree: whether one model is supported by every reason that supports any.
        tied: other models with as much support, none of them fairer in this month.
        moves_nano: per team, what it would bear more than under the policy as it stands; with
            ``central_nano`` it sums to zero.
        caution: what has to come first; empty if nothing does.
    """

    model: Model
    reasons: tuple[Reason, ...]
    agree: bool
    tied: tuple[Model, ...]
    moves_nano: Mapping[str, int]
    central_nano: int
    caution: str = ""


def recommend(
    month: Month, found: Comparison, budgeting: Budgeting | None, currency: str
) -> Recommendation:
    """Weigh the three reasons over a month.

    Args:
        month: the month that was compared.
        found: the four models over it.
        budgeting: how the company budgets, if it is stated.
        currency: of the books; the bounds of the bill are read in it.
    """
    reasons = (
        _size(month, found.ledger_cost_nano, currency),
        _budgeting(month, budgeting),
        _difference(month, currency),
    )
    support = {model: sum(model in each.points_to for each in reasons) for model in MODELS}
    most = [model for model in MODELS if support[model] == max(support.values())]
    model = min(most, key=lambda each: found.outcomes[each].unfairness)
    now, then = found.outcomes[CURRENT], found.outcomes[model]
    unplanned = model == "use_case_budget" and not month.budgets
    return Recommendation(
        model=model,
        reasons=reasons,
        agree=support[model] == sum(bool(each.points_to) for each in reasons),
        tied=tuple(each for each in most if each != model),
        moves_nano={
            team: then.borne_nano[team] - nano for team, nano in sorted(now.borne_nano.items())
        },
        central_nano=then.central_nano - now.central_nano,
        caution="No use case has a budget yet: state them in budgets.yaml." if unplanned else "",
    )


def use_cases(month: Month) -> int:
    """How many features had production calls."""
    return len(
        {
            cell.feature
            for cell in month.cells
            if cell.feature and cell.purpose == "production" and cell.calls
        }
    )


def misplaced_share(cells: Iterable[CostCell]) -> Fraction:
    """Which share of the usage would sit with another team if tokens split it; exact.

    Half the sum over teams of |usage by tokens - usage at rate card|, divided by the usage. Usage
    without any token cannot be split by tokens: all of it counts. No usage: nothing does.
    """
    groups = _by((cell.team, cell) for cell in cells)
    card, tokens = _sums(groups.values())
    if card <= 0:
        return Fraction(0)
    if not tokens:
        return Fraction(1)
    return Fraction(_apart(groups.values()), 2 * card)


@dataclass(frozen=True, slots=True)
class PriceSpread:
    """Average prices of use cases in nano per token; ``spread`` is a share of their mean.

    It is the mean distance from the mean price, both weighted by tokens.
    """

    lowest: Fraction
    highest: Fraction
    spread: Fraction


def price_spread(cells: Iterable[CostCell]) -> PriceSpread | None:
    """How far the average prices of features lie apart; None if no usage is priced by token.

    What no feature is named for counts per team, as a use case of its own.
    """
    groups = _by(((cell.feature, "" if cell.feature else cell.team), cell) for cell in cells)
    priced = [(own, used) for own, used in groups.values() if used]
    card, _ = _sums(priced)
    if card <= 0:
        return None
    prices = [Fraction(own, used) for own, used in priced]
    return PriceSpread(min(prices), max(prices), Fraction(_apart(priced), card))


def _size(month: Month, bill_nano: int, currency: str) -> Reason:
    count = use_cases(month)
    small, large = (_whole(currency, nano) for nano in (SMALL_BILL_NANO, LARGE_BILL_NANO))
    points_to: tuple[Model, ...]
    if count >= MANY_USE_CASES or bill_nano > LARGE_BILL_NANO:
        points_to = ("real_cost", "use_case_budget")
        says = (
            f"{MANY_USE_CASES} use cases or more, or over {large}: each use case has to answer for"
            " what it costs."
        )
    elif count <= FEW_USE_CASES and bill_nano < SMALL_BILL_NANO:
        points_to = ("showback",)
        says = f"Up to {FEW_USE_CASES} use cases and under {small}: showing the cost is enough."
    else:
        points_to = ("proportional", "real_cost", "use_case_budget")
        says = (
            f"Between small (up to {FEW_USE_CASES} use cases and under {small}) and large"
            f" ({MANY_USE_CASES} or more, or over {large}): any model that charges will do."
        )
    if currency != THRESHOLD_CURRENCY:
        says += f" The bounds are in {currency}, the currency of the books."
    noun = "use case" if count == 1 else "use cases"
    bill = format_cents(cents_of_nano(bill_nano), grouped=True)
    figure = f"{count} {noun} with production calls, a bill of {currency} {bill}"
    return Reason("size", figure, points_to, says)


def _budgeting(month: Month, stated: Budgeting | None) -> Reason:
    if stated == "cloud_finops":
        says = "The bill is followed month by month: a charge that moves with usage fits."
        return Reason("budgeting", stated, ("proportional", "real_cost"), says)
    if stated == "annual_capex":
        says = "An amount is approved for the year: a budget for each use case fits."
        return Reason("budgeting", stated, ("use_case_budget",), says)
    says = (
        "How the company budgets is not stated, so it supports no model. State it once: in"
        f" policy.yaml, in the version in force in {month.period}, add budgeting: cloud_finops (the"
        " bill is followed month by month) or budgeting: annual_capex (an amount is approved for"
        " the year), and apply."
    )
    return Reason("budgeting", "Not stated", (), says)


def _difference(month: Month, currency: str) -> Reason:
    cells = [
        cell for cell in month.cells if cell.team != month.unowned and not month.is_pooled(cell)
    ]
    share = misplaced_share(cells)
    bound = format_percent(ALIKE_UP_TO)
    moved = format_share(share.numerator, share.denominator)
    figure = f"By tokens, {moved} of usage would sit with another team"
    spread = price_spread(cells)
    if spread:
        lowest, highest = (_per_million(each) for each in (spread.lowest, spread.highest))
        figure += (
            f"; a million tokens cost {currency} {lowest} to {highest} by use case, spread"
            f" {format_share(spread.spread.numerator, spread.spread.denominator)} of the average"
        )
    if share <= ALIKE_UP_TO:
        says = f"Up to {bound}, use cases are alike: a split by tokens is fair, and the simplest."
        return Reason("difference", figure, ("proportional",), says)
    says = (
        f"Over {bound}, use cases differ: only real cost is fair, and so are budgets, which follow"
        " it."
    )
    return Reason("difference", figure, ("real_cost", "use_case_budget"), says)


_Sums = tuple[Fraction, Fraction]
"""Value at rate card in nano, and tokens."""


def _by(keyed: Iterable[tuple[Hashable, CostCell]]) -> dict[Hashable, _Sums]:
    groups: dict[Hashable, _Sums] = defaultdict(lambda: (Fraction(0), Fraction(0)))
    for key, cell in keyed:
        card, tokens = groups[key]
        groups[key] = (card + cell.card_nano, tokens + cell.tokens)
    return groups


def _sums(groups: Collection[_Sums]) -> _Sums:
    zero = Fraction(0)
    return sum((own for own, _ in groups), zero), sum((used for _, used in groups), zero)


def _apart(groups: Collection[_Sums]) -> Fraction:
    """The sum of |value by tokens - value at rate card|; the groups have tokens."""
    card, tokens = _sums(groups)
    price = Fraction(card, tokens)
    return sum((abs(own - price * used) for own, used in groups), Fraction(0))


def _per_million(nano_per_token: Fraction) -> str:
    price = nano_per_token * Fraction(_TOKENS_PER_PRICE, NANO_PER_UNIT)
    return format_ratio(price.numerator, price.denominator, _PRICE_PLACES)


def _whole(currency: str, nano: int) -> str:
    return f"{currency} {nano // NANO_PER_UNIT:,}"
