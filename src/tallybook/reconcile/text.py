"""A reconciliation as text that a controller reads: what was metered, what bridges it, the bill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tallybook.clock import Period
from tallybook.money import PICO_PER_NANO, format_share
from tallybook.reconcile.classify import day_text
from tallybook.reconcile.model import ProviderResult, Reconciliation, Variance, VarianceKind
from tallybook.reconcile.read.told import in_units

LABELS: Final = {
    VarianceKind.PRICE: "Price",
    VarianceKind.VOLUME: "Volume",
    VarianceKind.TIMING: "Timing, stays accrued",
    VarianceKind.CREDIT: "Credits",
    VarianceKind.DISCOUNT: "Discounts",
    VarianceKind.COMMITMENT: "Commitments",
    VarianceKind.MINIMUM: "Minimum",
    VarianceKind.FREE_QUOTA: "Free quota",
    VarianceKind.FEE: "Fees",
    VarianceKind.TAX: "Tax",
    VarianceKind.FX: "Exchange rate",
    VarianceKind.ROUNDING: "Rounding",
    VarianceKind.SUSPENSE: "Not explained: suspense",
}
CAUSES: Final = {
    "outside_gateway": "calls outside the gateway",
    "unmetered_key": "a key that is not metered",
    "aborted_streams": "streams that were cut off",
    "not_billed": "metered and not billed",
    "contract": "not the contract price",
    "tier": "billed at another tier",
    "unpriced": "no price in the books",
    "day": "billed on another day",
    "not_invoiced": "not invoiced yet",
    "cut_off": "cut-off, next invoice awaited",
    "month_edge": "the month begins inside a UTC day",
    "priority_tier": "Priority Tier, not in this report",
    "covered": "covered by a commitment",
    "billed_at_nothing": "billed at nothing",
    "last_decimals": "decimals of the invoice",
    "rate": "our rate against the provider's",
    "unexplained": "no reason found",
}
BESIDE: Final = {
    "capacity": "Capacity, accrued",
    "completeness": "Expected and not metered, accrued",
    "commitment": "Shortfall of commitments, accrued in the month",
    "prepaid": "Paid by prepaid credits",
    "revaluation": "Foreign balances at the closing rate, added",
    "prepaid_balance": "Prepaid credits left, at cost",
}
_NAME: Final = 52
_AMOUNT: Final = 22
_GAP: Final = "  "


def reconciliation_text(found: Reconciliation) -> str:
    """The bridge of each provider, then what the tolerance did."""
    title = Period.parse(found.period).label()
    head = f"Reconciliation {title}, {found.period_state}, {found.currency}"
    blocks = [_block(each) for each in found.providers]
    note = (
        f"Up to {found.tolerance} {found.currency} a variance is routed to accept; it is listed and"
        " booked all the same."
    )
    return "\n\n".join([head, *blocks, note])


def _block(each: ProviderResult) -> str:
    lines = [each.provider.upper(), _line("Metered, at contract", each.metered_pico)]
    for kind in VarianceKind:
        mine = [one for one in each.variances if one.kind is kind]
        if not mine:
            continue
        lines.append(_line(LABELS[kind], sum(one.amount_pico for one in mine), "  "))
        lines += [_line(_told(one), one.amount_pico, "    ", _mark(one)) for one in mine]
    lines.append(f"{'':<{_NAME}}{'-' * _AMOUNT:>{_AMOUNT}}")
    lines.append(_line(_bill(each), each.invoiced_pico))
    lines.append(
        f"{each.matched_lines:,} of {each.lines:,} lines agree to the last digit"
        f" ({format_share(each.matched_lines, each.lines) if each.lines else 'none'});"
        f" {each.calls:,} calls metered"
        + (f", {each.unpriced_calls:,} without a price" if each.unpriced_calls else "")
    )
    if each.beside:
        lines.append("In the books beside it:")
        lines += [
            _line(BESIDE[told.what], told.amount_nano * PICO_PER_NANO, "  ") for told in each.beside
        ]
    return "\n".join(lines)


def _bill(each: ProviderResult) -> str:
    return f"Invoiced ({', '.join(each.invoices)})" if each.invoices else "Invoiced: nothing yet"


def _line(name: str, pico: int, indent: str = "", mark: str = "") -> str:
    shown = f"{indent}{name}"
    if len(shown) >= _NAME:
        shown = f"{shown[: _NAME - 3]}.. "
    return f"{shown:<{_NAME}}{in_units(pico):>{_AMOUNT}}{_GAP + mark if mark else ''}"


def _told(one: Variance) -> str:
    cause = CAUSES.get(one.cause, one.cause)
    about = ", ".join(part for part in (one.model, one.key_id) if part)
    return f"{cause}: {about}" if about else cause


def _mark(one: Variance) -> str:
    return f"{one.id} {one.status}, {one.owner}, {one.route}"


def variance_text(one: Variance, calls: Sequence[str]) -> str:
    """One variance down to days, classes and invoice lines, with a sample of its calls."""
    head = [
        f"{one.id}  {one.provider}  {LABELS[one.kind]}: {_told(one)}",
        f"amount {in_units(one.amount_pico)}"
        + (f", quantity {one.quantity:,}" if one.quantity is not None else ""),
        f"owner {one.owner}, {one.status}"
        + (f" by {one.decided_by}: {one.reason}" if one.decided_by else "")
        + f", routed to {one.route}",
        "",
    ]
    rows = [_item_row(one, n) for n in range(len(one.items))]
    sample = ["", "Metered calls of these days, the dearest first:", *calls] if calls else []
    return "\n".join([*head, *rows, *sample])


def _item_row(one: Variance, number: int) -> str:
    item = one.items[number]
    days = day_text(item.day_us) + (f" +{item.days - 1}d" if item.days > 1 else "")
    told = " ".join(part for part in (item.model, item.token_class, item.tier, item.key_id) if part)
    count = "" if item.quantity is None else f"{item.quantity:,}"
    lines = _first(item.lines)
    return (
        f"{days:<15}{told:<44}{count:>16}{in_units(item.amount_pico):>20}  {item.evidence}{lines}"
    )


def _first(lines: Iterable[str], most: int = 3) -> str:
    listed = list(lines)
    if not listed:
        return ""
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f" [{', '.join(listed[:most])}{more}]"
