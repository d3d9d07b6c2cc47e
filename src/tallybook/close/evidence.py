"""What finance has to show before a month closes: items of the books beside those of usage.

Each item has its figures, the command that shows them line by line, and what to do. A limit that
the policy names stops the close; without one an item is shown and stops nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from tallybook.books.closing import Closing
from tallybook.clock import Period
from tallybook.close.adjust import adjustings
from tallybook.close.checklist import Item
from tallybook.close.dispute import disputes
from tallybook.close.open_items import OpenItem
from tallybook.ledger.chart import Family
from tallybook.meter.resolve.decide import suspects
from tallybook.money import NANO_SCALE, format_cents, format_share, format_units, nano_of_pico
from tallybook.reconcile.invoices import latest, versions
from tallybook.reconcile.model import ProviderInvoice
from tallybook.store import Tx, sql_text

_SHOWN_MAX: Final = 4


def suspects_item(
    tx: Tx, period: Period, start_us: int, end_us: int, calls: int, closing: Closing
) -> Item:
    """Pairs of calls that may be one call and both bill, until somebody decides."""
    found = [one for one in suspects(tx) if start_us <= one.started_us < end_us]
    share = format_share(len(found), max(calls, 1))
    limit = closing.suspects
    return Item(
        "suspects",
        ok=not found or limit is None or Fraction(len(found), max(calls, 1)) <= limit,
        evidence=f"{len(found)} pairs of calls may be one call, {share} of all calls"
        f"{_limit_text(limit)}",
        next_step="decide: tallybook decide same|different SUSPECT --reason WHY, or sign: tallybook"
        f" waive {period} suspects --estimate AMOUNT --reason WHY"
        if found
        else "",
        waivable=True,
        figure=len(found),
        look="tallybook worklist suspects",
    )


def accrued_item(due: str, period: Period) -> Item:
    """What the books ask to be accrued beside metered usage is accrued, on the figures of today."""
    return Item(
        "accrued",
        ok=not due,
        evidence=due or "what the books ask to be accrued is accrued",
        next_step=f"tallybook accrue {period}" if due else "",
        look=f"tallybook accrue {period}",
    )


def invoices_item(tx: Tx, period: Period, closing: Closing) -> Item:
    """Provider invoices that are in and not booked: invoiced against metered is not settled."""
    waiting = _unbooked(tx, str(period))
    total = sum(abs(nano_of_pico(each.total_pico)) for each in waiting)
    limit = closing.unreconciled_nano
    names = _some([f"{each.provider} {each.number or each.period}" for each in waiting])
    return Item(
        "unreconciled",
        ok=limit is None or total <= limit,
        evidence=f"{len(waiting)} invoices of {_units(total)} are in and not booked: {names}"
        if waiting
        else "every invoice that is in is booked",
        next_step=f"book them: tallybook true-up {waiting[0].period}, or sign: tallybook waive"
        f" {period} unreconciled --estimate AMOUNT --reason WHY"
        if waiting
        else "",
        waivable=True,
        figure=total,
        look=f"tallybook reconcile {waiting[0].period if waiting else period}",
    )


def suspense_item(tx: Tx, period: Period, closing: Closing) -> Item:
    """What invoices booked in the month could not explain, of all that they bill (INV-13)."""
    into = _into(tx, str(period))
    invoiced = -sum(nano for name, nano in into.items() if name.startswith(f"{Family.PAYABLE}:"))
    suspense = {name: nano for name, nano in into.items() if _is_suspense(name) and nano}
    total = sum(abs(nano) for nano in suspense.values())
    limit = closing.suspense
    allowed = limit is None or total <= limit * abs(invoiced)
    parts = _some([f"{name.partition(':')[2]} {_units(nano)}" for name, nano in suspense.items()])
    return Item(
        "suspense",
        ok=not total or allowed,
        evidence=f"{_units(total)} of {_units(invoiced)} invoiced is not explained: {parts}"
        f"{_limit_text(limit)}"
        if total
        else f"all of {_units(invoiced)} invoiced in {period} is explained",
        next_step="explain it: tallybook reconcile PERIOD --variance ID, tallybook adjust, or sign:"
        f" tallybook waive {period} suspense --estimate AMOUNT --reason WHY"
        if total
        else "",
        waivable=True,
        figure=total,
        look="tallybook open-items",
    )


def accruals_item(items: Sequence[OpenItem], period: Period) -> Item:
    """What is accrued and not invoiced: the close needs the accrual, the invoice comes later."""
    mine = [one for one in items if one.kind == "accrual" and one.service_period == str(period)]
    older = [one for one in items if one.kind == "accrual" and one.service_period < str(period)]
    told = _some([f"{one.what.partition(':')[2]} {_units(-one.amount_nano)}" for one in mine])
    rest = _units(-sum(one.amount_nano for one in older))
    return Item(
        "accruals",
        ok=True,
        evidence=(f"accrued without an invoice: {told}" if mine else "nothing waits for an invoice")
        + (f"; of earlier months {rest}" if older else ""),
        look="tallybook open-items",
    )


def open_items_item(items: Sequence[OpenItem], period: Period, closing: Closing) -> Item:
    """Open items older and larger than the policy lets them be."""
    over = [one for one in items if one.over]
    limit = closing.open_items
    told = _some(
        [f"{one.what} of {one.service_period} {_units(one.amount_nano)}, {one.days} days"
         for one in over]
    )  # fmt: skip
    allowed = f"; the limit is {limit.days} days above {_units(limit.amount_nano)}" if limit else ""
    return Item(
        "open_items",
        ok=not over,
        evidence=(f"over the limit: {told}" if over else f"{len(items)} open items") + allowed,
        next_step=f"{over[0].next_step}, or sign: tallybook waive {period} open_items"
        " --estimate AMOUNT --reason WHY"
        if over
        else "",
        waivable=True,
        figure=sum(abs(one.amount_nano) for one in over),
        look="tallybook open-items",
    )


def disputes_item(tx: Tx) -> Item:
    """Lines that teams dispute; they age as open items."""
    open_ones = [each for each in disputes(tx) if each.is_open]
    told = _some(
        [f"{one.id} {one.team} {format_cents(one.amount_cents)} of {one.period}"
         for one in open_ones]
    )  # fmt: skip
    return Item(
        "disputes",
        ok=True,
        evidence=f"{len(open_ones)} lines are disputed: {told}" if open_ones else "none is open",
        look="tallybook open-items",
    )


def adjustments_item(tx: Tx, period: Period) -> Item:
    """Adjusting entries that somebody prepared: a month does not close over a draft."""
    every = adjustings(tx, str(period))
    pending = [each for each in every if each.is_pending]
    posted = sum(each.state == "posted" for each in every)
    told = _some([f"{each.id} {each.state}" for each in pending])
    return Item(
        "adjustments",
        ok=not pending,
        evidence=f"not decided: {told}" if pending else f"{posted} adjusting entries are posted",
        next_step=f"tallybook adjust {period} --approve {pending[0].id}, then --post; or --reject"
        if pending
        else "",
        look=f"tallybook adjust {period}",
    )


def _unbooked(tx: Tx, period: str) -> list[ProviderInvoice]:
    """The newest versions of invoices up to a month that no true-up names, with entries or without.

    Of one that is withdrawn it is the version whose lines are booked still.
    """
    named = {
        name
        for row in tx.rows(
            "SELECT versions FROM chain WHERE kind = 'entry' AND reason = 'true_up'"
            " UNION SELECT versions FROM command WHERE name = 'true-up'"
        )
        for name in _invoices_named(str(row.versions))
    }
    every = versions(tx)
    booked = {each.id: each for each in every if f"{each.id}.{each.version}" in named}
    return [
        waiting
        for each in latest(every)
        if each.period <= period and (waiting := _waiting(each, booked.get(each.id)))
    ]


def _waiting(now: ProviderInvoice, booked: ProviderInvoice | None) -> ProviderInvoice | None:
    if now.is_withdrawn:
        return None if booked is None or booked.is_withdrawn else booked
    return None if booked == now else now


def _invoices_named(text: str) -> list[str]:
    return str(json.loads(text).get("invoices", "")).split()


def _into(tx: Tx, period: str) -> Mapping[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in tx.rows(sql_text(__package__, "booked_bills"), period=period):
        found[str(row.account)] += int(row.nano)
    return dict(sorted(found.items()))


def _is_suspense(account: str) -> bool:
    return account.startswith(f"{Family.SUSPENSE}:")


def _limit_text(limit: Fraction | None) -> str:
    if limit is None:
        return ""
    return f"; the limit is {format_share(limit.numerator, limit.denominator)}"


def _units(nano: int) -> str:
    whole, _, places = format_units(nano, NANO_SCALE).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_MAX
    return ", ".join(names[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
