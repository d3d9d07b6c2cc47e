"""INV-13: what providers bill is metered usage plus named differences, to the last pico."""

from __future__ import annotations

from tallybook.check.model import Finding, finding
from tallybook.post.basis import latest_books
from tallybook.reconcile.days import period_of_span
from tallybook.reconcile.invoices import latest, standing_lines, versions
from tallybook.reconcile.reconcile import reconcile
from tallybook.store import Store


def bills_reconcile(store: Store) -> Finding:
    """INV-13: invoices add up as they did when they came in, and each month's identity is exact."""
    faults: list[str] = []
    with store.read() as tx:
        every = latest(versions(tx))
        lines = standing_lines(tx)
        calendar = latest_books(tx)[0].calendar if every else None
    sums = dict.fromkeys((version.id for version in every), 0)
    for line in lines:
        sums[line.invoice] += line.amount_pico
    faults += [
        f"{version.id}: its lines add up to {sums[version.id]}, they came in with"
        f" {version.total_pico} pico"
        for version in every
        if sums[version.id] != version.total_pico
    ]
    periods = sorted({period_of_span(calendar, x.start_us, x.end_us) for x in lines if calendar})
    for period in periods:
        for each in reconcile(store, period).providers:
            named = sum(one.amount_pico for one in each.variances)
            if each.invoiced_pico != each.metered_pico + named:
                faults.append(
                    f"{period}: {each.provider} bills {each.invoiced_pico}, metered"
                    f" {each.metered_pico} and named {named} pico"
                )
    proven = f"{len(every)} invoices of {len(periods)} months reconcile"
    return finding("INV-13", len(lines), faults, proven)
