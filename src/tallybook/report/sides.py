"""The other side of a line: which team caused it, ran it, owes or is owed, and by which rule.

Amounts come from the ledger; who stands behind them is read from the lines and uses of the sheet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tallybook.allocate.transfers import EARNED, PAID_FOR
from tallybook.attribute.model import JOINT, AttributedLine
from tallybook.money import NANO_PER_UNIT, format_units
from tallybook.post.sheet import Sheet
from tallybook.report.lines import LineKey, ServiceFeatures, price_keys, transfer_key
from tallybook.report.model import Counterpart

PRICE = "transfer_price"
CALLER_PAYS = "caller_pays"
_NANO_SCALE = len(str(NANO_PER_UNIT)) - 1
_MONEY_PLACES = 2


@dataclass(frozen=True, slots=True)
class Side:
    """What stands opposite to a line.

    Attributes:
        counterpart: the other team.
        runners: the teams that ran what stands on the line.
        prices: the transfer prices behind it, each with what it is per; several if it changed.
    """

    counterpart: Counterpart
    runners: tuple[str, ...] = ()
    prices: tuple[tuple[int, str], ...] = ()


def sides_of(sheet: Sheet, feature_of: ServiceFeatures) -> dict[LineKey, Side]:
    """The other side of every line that is about a transfer, as if none were merged into usage."""
    behind: dict[LineKey, list[AttributedLine]] = defaultdict(list)
    for line in sheet.lines:
        if key := transfer_key(line):
            behind[key].append(line)
    return {key: _side(key, lines) for key, lines in behind.items()} | _prices(sheet, feature_of)


def side_words(key: LineKey, side: Side, name_of: Callable[[str], str]) -> str:
    """The words of a line: the other team, the service and the rule."""
    told = side.counterpart
    who = _names(told.team.split(", "), name_of)
    rule = rule_words(told.rule)
    if told.role == "owed":
        return f"Owed to {who}: {told.service}, {_price_words(side)}"
    if told.role == "earned":
        return f"Earned from {who}: {told.service}, {_price_words(side)}"
    if told.role == "joint":
        return f"Joint cost of {who}: {told.service}"
    if told.role == "paid_for":
        others = [runner for runner in side.runners if runner != key.team]
        by = f", run by {_names(others, name_of)}" if others else ""
        return f"Caused by {who}, paid by you{by}: {told.service} ({rule})"
    return f"Caused by you, run by {who}: {told.service} ({rule})"


def rule_words(rule: str) -> str:
    """A rule as people read it."""
    return rule.replace("_", " ")


def _side(key: LineKey, lines: list[AttributedLine]) -> Side:
    runners = tuple(sorted({line.owner.executor for line in lines}))
    rule = lines[0].owner.transfer or CALLER_PAYS
    if key.about == JOINT:
        role, teams = "joint", runners
    elif key.about.startswith(PAID_FOR):
        role, teams = "paid_for", (lines[0].owner.origin,)
    else:
        role, teams = "caused", runners
    return Side(Counterpart(role, ", ".join(teams), key.detail, rule), runners)


def _prices(sheet: Sheet, feature_of: ServiceFeatures) -> dict[LineKey, Side]:
    prices: dict[LineKey, set[tuple[int, str]]] = defaultdict(set)
    others: dict[LineKey, str] = {}
    for use in sheet.uses:
        teams = (use.executor, use.team)
        for key, other in zip(price_keys(use, feature_of), teams, strict=True):
            prices[key].add((use.price_nano, use.per))
            others[key] = other
    return {
        key: Side(
            Counterpart(
                "earned" if key.about.startswith(EARNED) else "owed", others[key], key.detail, PRICE
            ),
            prices=tuple(sorted(found)),
        )
        for key, found in prices.items()
    }


def _names(teams: list[str], name_of: Callable[[str], str]) -> str:
    return ", ".join(map(name_of, teams))


def _price_words(side: Side) -> str:
    """``transfer price 6.00 a call``; of several prices none is named."""
    if len(side.prices) != 1:
        return "transfer price"
    ((price_nano, per),) = side.prices
    return f"transfer price {price_text(price_nano)} {'an' if per == 'outcome' else 'a'} {per}"


def price_text(price_nano: int) -> str:
    """A price with the places that it has, two at least."""
    whole, _, places = format_units(price_nano, _NANO_SCALE).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(_MONEY_PLACES, '0')}"
