"""A period reconciled: metered and rated at contract against what providers bill, name by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tallybook.books.globs import glob_matches
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.meter.providers import provider_of
from tallybook.post.basis import Basis
from tallybook.post.breakdown import standing_basis
from tallybook.post.capacity import standing_capacity
from tallybook.reconcile.classify import CUTOFF_DAYS, Scope, classify
from tallybook.reconcile.days import billing_days
from tallybook.reconcile.history import beside_of, history
from tallybook.reconcile.invoices import speaking, standing_lines, versions
from tallybook.reconcile.metered import Metered, metered
from tallybook.reconcile.model import (
    DAY_US,
    Cell,
    InvoiceLine,
    LineKind,
    ProviderInvoice,
    ProviderResult,
    Reconciliation,
)
from tallybook.reconcile.read.told import in_units
from tallybook.reconcile.variances import (
    Decision,
    OwnerOf,
    Tolerance,
    decided,
    decisions_of,
    owner_by,
    variances_of,
)
from tallybook.store import Store


@dataclass(frozen=True, slots=True)
class _Bills:
    lines: Sequence[InvoiceLine]
    invoices: Sequence[ProviderInvoice]


def reconcile(
    store: Store, period: Period, *, provider: str = "", tolerance: Tolerance | None = None
) -> Reconciliation:
    """Reconcile a period; reads, posts nothing.

    Args:
        store: open books.
        period: which.
        provider: only this one; '' means all that were metered or that bill.
        tolerance: up to where a variance is routed to ``accept``; else as the policy says, else
            one unit of the currency.

    Raises:
        PeriodError: the period has neither usage nor invoices.
        CorruptedError: a sealed file cannot be read.
    """
    only = provider_of(provider)
    basis = standing_basis(store, period)
    first, last = billing_days(basis.start_us, basis.end_us)
    margin = CUTOFF_DAYS * DAY_US
    with store.read() as tx:
        bills = _Bills(
            standing_lines(tx, (first - margin, last + margin), provider=only),
            versions(tx, provider=only),
        )
        decisions = decisions_of(tx, str(period))
        told = history(tx, str(period))
    start, end = _looked_at(bills.lines, first - margin, last + margin)
    found = metered(store, basis, start, end, by_key=any(line.key_id for line in bills.lines))
    cells: dict[str, list[Cell]] = defaultdict(list)
    for cell in found.cells:
        cells[provider_of(cell.provider)].append(cell)
    mine: dict[str, list[InvoiceLine]] = defaultdict(list)
    is_capacity = _capacity_of(basis)
    for line in bills.lines:
        kept = line._replace(kind=LineKind.COMMITMENT) if is_capacity(line) else line
        mine[line.provider].append(kept)
    holds = Scope("", first, last, ()).holds
    billed = {name for name, held in mine.items() if any(holds(x.start_us, x.end_us) for x in held)}
    used = {provider_of(name) for name in found.inside_pico}
    booked = {provider_of(name) for name in told.trued_up(str(period))}
    names = sorted(name for name in billed | used | booked if only in ("", name))
    if not names:
        raise PeriodError(
            f"{period} has neither usage nor provider invoices{f' of {only}' if only else ''}",
            next_step="import usage with tallybook ingest, invoices with tallybook invoice import",
        )
    chart = owner_by(basis.books.org, basis.end_us - 1)
    stated = basis.policy.tolerance
    limits = tolerance or (Tolerance.parse(stated) if stated else Tolerance())
    accrued = {provider_of(spelt): spelt for spelt in told.providers()}
    results = tuple(
        _provider(str(period), name, (first, last), mine[name], cells[name], bills.invoices, found,
                  chart, limits, decisions, accrued)
        for name in names
    )  # fmt: skip
    results = tuple(
        replace(each, beside=beside_of(told, each.provider, str(period))) for each in results
    )
    return Reconciliation(
        period=str(period),
        currency=basis.books.org.company.currency,
        period_state=basis.state,
        providers=results,
        tolerance=in_units(limits.amount_pico),
    )


def _capacity_of(basis: Basis) -> Callable[[InvoiceLine], bool]:
    """Whether a usage line bills capacity of the books, which no call was metered for."""
    named = [
        (provider_of(one.provider), one.product) for one in standing_capacity(basis) if one.product
    ]

    def holds(line: InvoiceLine) -> bool:
        return line.kind is LineKind.USAGE and any(
            provider == line.provider and glob_matches(product, line.product)
            for provider, product in named
        )

    return holds


def _looked_at(lines: Iterable[InvoiceLine], start_us: int, end_us: int) -> tuple[int, int]:
    """The days that must be metered: those of the period, its margin, and of the lines in it."""
    spans = [(line.start_us, line.end_us) for line in lines]
    start = min([start_us, *(span[0] for span in spans)])
    end = max([end_us, *(span[1] for span in spans)])
    return start - start % DAY_US, end + -end % DAY_US


def _provider(
    period: str,
    name: str,
    days: tuple[int, int],
    lines: Sequence[InvoiceLine],
    cells: Sequence[Cell],
    invoices: Sequence[ProviderInvoice],
    found: Metered,
    chart: OwnerOf,
    tolerance: Tolerance,
    decisions: dict[str, Decision],
    accrued: Mapping[str, str],
) -> ProviderResult:
    own = [invoice for invoice in speaking(invoices) if invoice.provider == name]
    scope = Scope(
        name,
        *days,
        days_told=_days_told(own),
        forms={invoice.form for invoice in own},
    )
    made = classify(scope, lines, cells)
    spellings = [told for told in found.inside_pico if provider_of(told) == name]
    # What is billed and not metered has the name under which something was accrued for it.
    shown = spellings[0] if len(spellings) == 1 else accrued.get(name, name)
    mine = [line for line in lines if scope.holds(line.start_us, line.end_us)]
    invoiced = sum(line.amount_pico for line in mine)
    metered_pico = sum(found.inside_pico[told] for told in spellings)
    named = sum(item.amount_pico for item in made.items)
    assert invoiced == metered_pico + named, (
        f"{period} {name}: {invoiced} invoiced, {metered_pico} metered, {named} named"
    )
    items = [replace(item, provider=shown) for item in made.items]
    variances = decided(variances_of(period, items), chart, tolerance, decisions)
    return ProviderResult(
        provider=shown,
        metered_pico=metered_pico,
        invoiced_pico=invoiced,
        variances=tuple(variances),
        invoices=tuple(sorted({line.invoice for line in mine})),
        lines=len(mine),
        matched_lines=made.matched_lines,
        calls=sum(found.calls[told] for told in spellings),
        unpriced_calls=sum(found.unpriced_calls[told] for told in spellings),
    )


def _days_told(invoices: Iterable[ProviderInvoice]) -> set[int]:
    """The UTC days that standing invoices speak for."""
    last = {invoice.id: invoice.version for invoice in invoices}
    days: set[int] = set()
    for invoice in invoices:
        if invoice.by_day or invoice.version == last[invoice.id]:
            for start, end in invoice.windows:
                days.update(range(start - start % DAY_US, end, DAY_US))
    return days
