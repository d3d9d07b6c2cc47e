"""Our usage in the grain that a rival figure may have: one scan for each month that it touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from tallybook.attribute.lines import decide_all, decided_groups, sums_of
from tallybook.attribute.path import Decision
from tallybook.attribute.transfer import Users, joint_users, payers_of, targets_of
from tallybook.clock import Period
from tallybook.clock.period import day_start_us
from tallybook.post.basis import Basis
from tallybook.post.breakdown import standing_basis
from tallybook.post.compute import graph_session, metering_of, placed_in
from tallybook.rate.compile import compile_prices
from tallybook.rate.model import PriceKey, PriceRow
from tallybook.rate.publish import price_books
from tallybook.rate.rating import (
    PRICE_JOIN,
    Metering,
    beside_sql,
    carried_sql,
    lacks_price_sql,
    open_prices,
    quantity_sql,
    rate_events,
)
from tallybook.report.why.model import UsageCell
from tallybook.store import Store, sql_text
from tallybook.store.lake import Session

PricesOf = Mapping[tuple[str, int], PriceRow]
"""by month and number of the row"""
_LOOK_BACK_US: Final = 400 * 86_400_000_000
"""how far back prices are looked up, for figures made with old ones: a year and a month"""
_SLOT_TYPES: Final = {"slot": "whole", "from_us": "whole", "to_us": "whole"}


@dataclass(frozen=True, slots=True)
class OurUsage:
    """What we metered: cells, what prices them, and what was in force before.

    Args:
        cells: in no order.
        prices: the rows that price the cells.
        earlier: per key, all price rows of a year before and of the period, by time.
        unpriced_calls: calls of the period without a price.
    """

    cells: tuple[UsageCell, ...]
    prices: PricesOf
    earlier: Mapping[PriceKey, Sequence[PriceRow]]
    unpriced_calls: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time in which neither their day nor our month changes."""

    from_us: int
    to_us: int
    day: str
    inside: bool


def slots_of(first: date, last: date, zone: ZoneInfo, bounds_us: tuple[int, int]) -> list[Slot]:
    """The days of a zone from first to last, cut where our month begins and ends."""
    start_us, end_us = bounds_us
    found = []
    day = first
    while day <= last:
        from_us, to_us = day_start_us(day, zone), day_start_us(day + timedelta(1), zone)
        cuts = sorted({from_us, to_us, *(us for us in bounds_us if from_us < us < to_us)})
        for low, high in pairwise(cuts):
            found.append(Slot(low, high, day.isoformat(), start_us <= low < end_us))
        day += timedelta(1)
    return found


def our_usage(store: Store, period: Period, slots: Sequence[Slot]) -> OurUsage:
    """Usage in slots of time, of the period and of the months beside it that they touch.

    Args:
        store: open books.
        period: ours.
        slots: of `slots_of`, in order; they may reach into the months beside the period.

    Raises:
        BooksError: no policy files were applied.
        CorruptedError: a sealed file is not what was written.
    """
    cells: list[UsageCell] = []
    prices: dict[tuple[str, int], PriceRow] = {}
    earlier: dict[PriceKey, list[PriceRow]] = {}
    unpriced = 0
    for basis in _touched(store, period, slots):
        month = basis.period
        store.lake.verify(basis.snapshot)
        rows = _rows(basis, basis.start_us, basis.end_us)
        prices |= {(str(month), row.price_id): row for row in rows}
        found = list(_month_cells(store, basis, rows, slots))
        cells += found
        unpriced += sum(cell.calls for cell in found if cell.inside and not cell.price_id)
        if month == period:
            for row in _rows(basis, basis.start_us - _LOOK_BACK_US, basis.end_us):
                earlier.setdefault(row.key, []).append(row)
    return OurUsage(summed(cells), prices, earlier, unpriced)


def _touched(store: Store, period: Period, slots: Sequence[Slot]) -> Iterator[Basis]:
    """The period and the months beside it, where slots reach into them and calls are in.

    Before the first policy nothing is in force, so nothing of those months is ours.
    """
    own = standing_basis(store, period)
    for month in (period.previous(), period, period.next()):
        from_us, to_us = own.books.calendar.bounds_us(month)
        is_touched = slots[0].from_us < to_us and slots[-1].to_us > from_us
        if is_touched and own.books.policy.versions[0].effective_from <= month:
            basis = own if month == period else standing_basis(store, month)
            if basis.snapshot.files:
                yield basis


def _rows(basis: Basis, start_us: int, end_us: int) -> list[PriceRow]:
    keys = {PriceKey(*key) for file in basis.snapshot.files for key in file.price_keys}
    published = price_books(basis.published, basis.prices, basis.books.org.company.currency)
    rows, _ = compile_prices(
        sorted(keys), published, basis.policy.rate_card.basis, start_us, end_us
    )
    return rows


def _month_cells(
    store: Store, basis: Basis, rows: Sequence[PriceRow], slots: Sequence[Slot]
) -> Iterator[UsageCell]:
    metering = metering_of(basis)
    with graph_session(store, basis) as session:
        metering, paths, walked = placed_in(session, basis, metering)
        rate_events(session, metering, rows)
        shared = decided_groups(session, metering, paths)
        users = joint_users(sums_of(session, metering, paths, shared, walked))
        groups, meters = _groups(session, metering, rows, slots)
    width = len(metering.columns) + 1  # what was carried, then the epoch
    combos: dict[tuple[Any, ...], int] = {}
    for group in groups:
        combos.setdefault(tuple(group[6 : 6 + width]), len(combos))
    numbered = [(n, carried[-1], *carried[:-1]) for carried, n in combos.items()]
    decisions, owners = decide_all(metering, paths, numbered)
    decided = {combo: decisions[owner] for combo, owner in owners}
    for slot, price_id, provider, model, key, lacks, *rest in groups:
        decision = decided[combos[tuple(rest[:width])]]
        calls, *figures = rest[width:]
        counts = {
            meter: int(told) for meter, told in zip(meters, figures, strict=True) if told
        } or {"request": 0}
        yield from _cells(
            slots[slot],
            str(basis.period),
            (str(provider), str(model), str(key)),
            0 if price_id is None or lacks else int(price_id),
            int(calls),
            counts,
            decision,
            users,
        )


def _groups(
    session: Session, metering: Metering, rows: Sequence[PriceRow], slots: Sequence[Slot]
) -> tuple[list[tuple[Any, ...]], Sequence[str]]:
    session.table(
        "slot",
        _SLOT_TYPES,  # type: ignore[arg-type]
        [(number, slot.from_us, slot.to_us) for number, slot in enumerate(slots)],
    )
    meters = open_prices(session, metering, rows)
    statement = sql_text(__package__, "usage").format(
        lacks_price=lacks_price_sql(meters, rows),
        carried=carried_sql(metering),
        quantities="".join(
            f",\n  SUM({quantity_sql(meter)}) AS q{i}" for i, meter in enumerate(meters)
        ),
        price_join=PRICE_JOIN,
        beside=beside_sql(metering),
    )
    bounds = {"start_us": metering.start_us, "end_us": metering.end_us}
    return session.rows(statement, bounds), meters


def _cells(
    slot: Slot,
    period: str,
    named: tuple[str, str, str],
    price_id: int,
    calls: int,
    counts: Mapping[str, int],
    decision: Decision,
    users: Users,
) -> Iterator[UsageCell]:
    """The classes of one group, shared among its payers."""
    owner = decision.owner
    provider, model, key = named
    cell = UsageCell(
        slot.day, slot.inside, period, provider, model, key, owner.team, owner.executor,
        owner.started_by[0], owner.feature, owner.purpose, "", 0, 0, price_id,
    )  # fmt: skip
    payers = payers_of(owner, decision.payers, decision.joint, users)
    share = targets_of(payers).parts
    for number, (meter, quantity) in enumerate(counts.items()):
        counted = calls if number == 0 else 0
        whole = cell._replace(token_class=meter, quantity=quantity, calls=counted)
        if not payers:
            yield whole
            continue
        salt = repr((whole, owner))
        parts = [share(total, salt) for total in (quantity, counted)]
        for payer, part, part_calls in zip(payers, *parts, strict=True):
            yield whole._replace(
                payer=payer.team, feature=payer.feature, quantity=part, calls=part_calls
            )


def summed(cells: Sequence[UsageCell]) -> tuple[UsageCell, ...]:
    """Cells that differ in nothing but how much, as one."""
    sums: dict[UsageCell, list[int]] = defaultdict(lambda: [0, 0])
    for cell in cells:
        held = sums[cell._replace(quantity=0, calls=0)]
        held[0] += cell.quantity
        held[1] += cell.calls
    return tuple(cell._replace(quantity=q, calls=n) for cell, (q, n) in sums.items())
