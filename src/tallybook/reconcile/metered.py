"""What was metered, at contract, in the grain of provider invoices: one scan of sealed events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallybook.post.basis import Basis
from tallybook.post.compute import metering_of
from tallybook.rate.compile import compile_prices
from tallybook.rate.model import PriceKey, PriceRow
from tallybook.rate.publish import price_books
from tallybook.rate.rating import (
    CORRECTIONS,
    PRICE_JOIN,
    lacks_price_sql,
    open_prices,
    quantity_sql,
)
from tallybook.rate.resolve import tier_name
from tallybook.reconcile.model import Cell
from tallybook.store import Store, sql_text
from tallybook.store.lake import Snapshot

CellKey = tuple[int, str, str, str, str, str]
"""day, provider, model, tier, class, key"""


@dataclass(slots=True)
class _Sum:
    quantity: int = 0
    amount: int = 0
    inside: int = 0
    unpriced: int = 0
    calls: int = 0
    open_calls: int = 0
    prices: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Metered:
    """The cells of a period and of the days around it.

    ``inside_pico`` is, per provider, what calls that began inside the period cost at contract;
    ``calls`` and ``unpriced_calls`` count those.
    """

    cells: tuple[Cell, ...]
    inside_pico: Mapping[str, int]
    calls: Mapping[str, int]
    unpriced_calls: Mapping[str, int]


def metered(store: Store, basis: Basis, first_us: int, last_us: int, *, by_key: bool) -> Metered:
    """Scan, rate and group.

    Args:
        store: open books.
        basis: what the period stands on.
        first_us: start of the first UTC day that is looked at; before the period's own start
            where days of the month before may settle its edge.
        last_us: end of the last.
        by_key: whether some invoice tells keys apart.
    """
    snapshot = _around(store, basis)
    metering = metering_of(basis)
    meters_used = sorted({meter for file in snapshot.files for meter in file.meters})
    metering = type(metering)(
        start_us=min(first_us, basis.start_us),
        end_us=max(last_us, basis.end_us),
        carried=(),
        epochs_us=(),
        meters=tuple(meters_used),
        has_corrections=metering.has_corrections,
    )
    rows = _price_rows(basis, snapshot, metering.start_us, metering.end_us)
    with store.lake.session(snapshot, basis.corrections) as session:
        meters = open_prices(session, metering, rows)
        statement = sql_text(__package__, "metered").format(
            key="e.key_id" if by_key else "''",
            lacks_price=lacks_price_sql(meters, rows),
            quantities="".join(
                f",\n  SUM({quantity_sql(meter)}) AS q{i}" for i, meter in enumerate(meters)
            ),
            price_join=PRICE_JOIN,
            corrections=CORRECTIONS if metering.has_corrections else "",
        )
        bounds = {
            "start_us": basis.start_us,
            "end_us": basis.end_us,
            "first_us": metering.start_us,
            "last_us": metering.end_us,
        }
        groups = session.rows(statement, bounds)
    return _folded(groups, meters, {row.price_id: row for row in rows})


def _around(store: Store, basis: Basis) -> Snapshot:
    """The files of the period as it stands, and the newest of the months beside it."""
    files = list(basis.snapshot.files)
    for period in (basis.period.previous(), basis.period.next()):
        files += store.lake.snapshot(str(period)).files
    return Snapshot(basis.snapshot.version, tuple(files))


def _price_rows(basis: Basis, snapshot: Snapshot, start_us: int, end_us: int) -> list[PriceRow]:
    keys: Collection[PriceKey] = {
        PriceKey(*key) for file in snapshot.files for key in file.price_keys
    }
    published = price_books(basis.published, basis.prices, basis.books.org.company.currency)
    rows, _ = compile_prices(
        sorted(keys), published, basis.policy.rate_card.basis, start_us, end_us
    )
    return rows


def _folded(
    groups: Iterable[Sequence[Any]], meters: Sequence[str], prices: Mapping[int, PriceRow]
) -> Metered:
    """Groups of the scan as cells, one for each class that was used."""
    sums: dict[CellKey, _Sum] = defaultdict(_Sum)
    inside_pico: dict[str, int] = defaultdict(int)
    calls: dict[str, int] = defaultdict(int)
    unpriced: dict[str, int] = defaultdict(int)
    for day, price_id, provider, model, tier, key, lacks, inside, count, cut, *figures in groups:
        row = prices.get(price_id) if price_id is not None else None
        contract = (row.contract or {}) if row and not lacks else None
        name = row.provider if row else provider
        place = (
            int(day), name, row.model if row else model, tier_name(row.tier if row else tier)
        )  # fmt: skip
        if inside:
            calls[name] += count
            unpriced[name] += count if contract is None else 0
            inside_pico[name] += 0
        for meter, told in zip(meters, figures, strict=True):
            quantity = int(told or 0)
            if not quantity or (contract is not None and meter == "request"
                                and not contract.get(meter)):  # fmt: skip
                continue
            held = sums[*place, meter, key]
            held.quantity += quantity
            held.calls += count
            held.open_calls += int(cut)
            if contract is None:
                held.unpriced += quantity
                continue
            price = contract.get(meter, 0)
            amount = quantity * price
            held.prices.add(price)
            held.amount += amount
            if inside:
                held.inside += amount
                inside_pico[name] += amount
    return Metered(
        tuple(_cell(key, held) for key, held in sorted(sums.items())),
        dict(inside_pico),
        dict(calls),
        dict(unpriced),
    )


def _cell(key: CellKey, held: _Sum) -> Cell:
    day, provider, model, tier, token_class, key_id = key
    one_price = next(iter(held.prices)) if len(held.prices) == 1 and not held.unpriced else None
    return Cell(
        day_us=day,
        provider=provider,
        model=model,
        tier=tier,
        token_class=token_class,
        key_id=key_id,
        quantity=held.quantity,
        amount_pico=held.amount,
        inside_pico=held.inside,
        price=one_price,
        unpriced=held.unpriced,
        calls=held.calls,
        open_calls=held.open_calls,
    )
