"""A month of metered events against 100,000 lines of provider invoices, beside the bare scan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.company import PERIOD
from bench.figures import Figure
from bench.measure import measure_in_turn
from tallybook.clock import Period
from tallybook.post.basis import read_basis
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.metered import metered
from tallybook.reconcile.model import DAY_US, Cell, LineKind, Told, ToldLine
from tallybook.reconcile.reconcile import reconcile
from tallybook.store import Store
from tallybook.store.commands import Command

LINES = 100_000
OFF_EVERY = 50
HOUR_US = 3_600_000_000
NOW_US = 1_790_900_000_000_000
MEGABYTE = 1_000_000
Act = Callable[[], dict[str, int]]


def matched(home: Path, _stack: ExitStack, _number: int) -> Act:
    """Reconcile the month of a home that `bill` was called on."""
    store = Store.open(home)

    def act() -> dict[str, int]:
        found = reconcile(store, Period.parse(PERIOD))
        return {
            "lines": sum(each.lines for each in found.providers),
            "matched": sum(each.matched_lines for each in found.providers),
            "calls": sum(each.calls for each in found.providers),
            "pico": sum(each.metered_pico for each in found.providers),
        }

    return act


def bill(home: Path, lines: int = LINES) -> None:
    """Bring in an invoice of each provider, hour by hour, one line in fifty off."""
    store = Store.open(home)
    with store.read() as tx:
        if tx.scalar("SELECT COUNT(*) FROM provider_invoice"):
            return
    basis = read_basis(store, Period.parse(PERIOD))
    found = metered(store, basis, basis.start_us, basis.end_us, by_key=False)
    cells = [cell for cell in found.cells if cell.amount_pico]
    hours = max(1, min(24, round(lines / len(cells))))
    told: dict[str, list[ToldLine]] = defaultdict(list)
    for number, cell in enumerate(cells):
        off = number % OFF_EVERY == 0
        told[cell.provider] += _lines(cell, hours, off=off)
    for provider, mine in sorted(told.items()):
        form = Told("bench", tuple(mine), ((basis.start_us, basis.end_us),))
        command = Command("invoice import", {}, "bench")
        bring_in(store, form, Terms(provider, (("bench", ""),), {}), command, NOW_US)


def _lines(cell: Cell, hours: int, *, off: bool) -> list[ToldLine]:
    """The hours of a cell; what they hold sums to it, but for a line that is off."""
    parts = []
    quantity, pico = cell.quantity, cell.amount_pico
    for hour in range(hours):
        last = hour == hours - 1
        part = quantity if last else cell.quantity // hours
        amount = pico if last else cell.amount_pico // hours
        quantity, pico = quantity - part, pico - amount
        parts.append(_line(cell, hour, part, amount))
    if off:
        parts[0] = replace(parts[0], own_pico=parts[0].own_pico + 1_000_000)
    return parts


def _line(cell: Cell, hour: int, quantity: int, pico: int) -> ToldLine:
    start = cell.day_us + hour * HOUR_US % DAY_US
    return ToldLine(
        place="bench",
        kind=LineKind.USAGE,
        start_us=start,
        end_us=start + HOUR_US,
        own_pico=pico,
        places=12,
        currency="USD",
        raw={},
        number="bench",
        model=cell.model,
        token_class=cell.token_class,
        tier=cell.tier,
        quantity=quantity,
    )


def figures(home: Path, rows: int, repeat: int) -> list[Figure]:
    """The bare scan, and the reconciliation as a multiple of it."""
    bill(home)
    took = measure_in_turn(("bare", "matched"), home, repeat)
    bare, mine = took["bare"], took["matched"]
    if mine.result["calls"] != rows:
        raise AssertionError(f"of {rows} calls {mine.result['calls']} were metered")
    lines, agreed = mine.result["lines"], mine.result["matched"]
    return [
        Figure(f"bare: {rows:,} events", bare.cpu_s, "CPU s"),
        Figure(f"reconcile with {lines:,} lines, {agreed:,} agree", mine.cpu_s, "CPU s"),
        Figure("  as a multiple of bare", mine.cpu_s / bare.cpu_s, "x", most=2),
        Figure("  waiting", mine.wall_s, "s"),
        Figure("  peak memory", mine.peak_bytes / MEGABYTE, "MB", most=1500),
    ]
