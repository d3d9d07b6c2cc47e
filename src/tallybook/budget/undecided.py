"""Requests about a month that nobody decided: an item of its close, handed in by whoever closes."""

from __future__ import annotations

from tallybook.budget.ask import requests
from tallybook.clock import Period
from tallybook.close.checklist import Item
from tallybook.money import NANO_SCALE, format_units
from tallybook.store import Tx

_SHOWN_MAX = 4


def undecided_item(tx: Tx, period: Period) -> Item:
    """Whoever asked for more of a budget is owed an answer before the month is fixed."""
    found = requests(tx, period, every=False)
    told = ", ".join(
        f"{one.id} {one.scope} {one.subject} {format_units(one.amount_nano, NANO_SCALE)}"
        for one in found[:_SHOWN_MAX]
    )
    return Item(
        "budgets",
        ok=not found,
        evidence=f"{len(found)} requests are not decided: {told}"
        if found
        else "every request is decided",
        next_step=f"tallybook budget deny {found[0].id} --reason WHY, or sign: tallybook waive"
        f" {period} budgets --estimate AMOUNT --reason WHY"
        if found
        else "",
        waivable=True,
        figure=sum(one.amount_nano for one in found),
        look="tallybook budget requests",
    )
