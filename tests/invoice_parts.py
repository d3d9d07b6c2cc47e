"""Lines and cells for tests of pure functions, with as little said as possible."""

import itertools
from dataclasses import replace

from tallybook.reconcile.classify import Scope, classify
from tallybook.reconcile.model import DAY_US as DAY
from tallybook.reconcile.model import Cell, InvoiceLine, LineKind

PRICE = 2_000_000
"""pico per token: 2.00 per million"""
_numbers = itertools.count(1)


class Line(InvoiceLine):
    """An invoice line whose own reference is at hand as slots tell it."""

    __slots__ = ()

    @property
    def ref_tuple(self):
        return (self.ref,)


def line(**changes):
    plain = {
        "invoice": "P-1", "version": 1, "line": next(_numbers), "provider": "x",
        "kind": LineKind.USAGE, "start_us": 0, "end_us": DAY, "product": "", "model": "",
        "token_class": "", "tier": "", "region": "", "key_id": "", "project": "",
        "quantity": None, "own_pico": 0, "currency": "USD", "rate": "", "rate_date": "",
        "amount_pico": 0, "fx_pico": 0, "places": 12, "covered": False, "note": "",
    }  # fmt: skip
    return Line(**{**plain, **changes})


def cell(model="m", token_class="output", quantity=1, *, day=0, tier="standard", key="", **more):
    price = more.pop("price", PRICE)
    amount = quantity * (price or 0)
    plain = {
        "day_us": day * DAY, "provider": "x", "model": model, "tier": tier,
        "token_class": token_class, "key_id": key, "quantity": quantity, "amount_pico": amount,
        "inside_pico": amount, "price": price, "unpriced": 0, "calls": 1, "open_calls": 0,
    }  # fmt: skip
    return Cell(**{**plain, **more})


def billed(metered, **changes):
    """The line of the day, model, class and key of a cell that agrees with it."""
    agreed = line(
        start_us=metered.day_us, end_us=metered.day_us + DAY, model=metered.model,
        token_class=metered.token_class, tier=metered.tier, key_id=metered.key_id,
        quantity=metered.quantity, amount_pico=metered.amount_pico,
        own_pico=metered.amount_pico,
    )  # fmt: skip
    return agreed._replace(**changes)


def changed(whole, **changes):
    """A line or a cell with other fields."""
    return whole._replace(**changes) if isinstance(whole, tuple) else replace(whole, **changes)


def named(lines, cells, *, days=31, told=None, **more):
    """(kind, cause) to amount of what the classifier finds, in a period of days from 0."""
    scope = Scope(
        "x", 0, days * DAY, {n * DAY for n in (range(days) if told is None else told)}, **more
    )
    found = classify(scope, lines, cells)
    sums = {}
    for item in found.items:
        key = (str(item.kind), item.cause)
        sums[key] = sums.get(key, 0) + item.amount_pico
    mine = [one for one in lines if scope.holds(one.start_us, one.end_us)]
    inside = sum(one.inside_pico for one in cells)
    assert sum(x.amount_pico for x in mine) == inside + sum(sums.values()), "the identity"
    return {key: amount for key, amount in sums.items() if amount}
