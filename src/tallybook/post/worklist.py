"""Usage that has no price or no owner: what somebody has to look at before the month closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallybook.attribute.lines import decide
from tallybook.clock import Period
from tallybook.post.basis import Basis, read_basis
from tallybook.post.compute import metering_of, price_rows
from tallybook.rate.rating import (
    CORRECTIONS,
    PRICE_JOIN,
    Metering,
    carried_sql,
    open_prices,
    quantity_sql,
    unpriced_sql,
)
from tallybook.store import Store, sql_text


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls of one model and tier that nothing prices. ``used`` names the meters that they used."""

    period: str
    provider: str
    model: str
    tier: str
    region: str
    calls: int
    tokens: int
    used: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unallocated:
    """Calls that only the fallback gave an owner, with what they carried that might name one."""

    period: str
    carried: Mapping[str, str]
    calls: int
    tokens: int


def unpriced_usage(store: Store, period: Period) -> list[Unpriced]:
    """What no price covers in a period, the most tokens first."""
    basis = read_basis(store, period)
    metering = metering_of(basis)
    used = "".join(f", SUM({quantity_sql(meter)})" for meter in metering.meters)
    with store.lake.session(basis.snapshot, basis.corrections) as session:
        rows = price_rows(basis)
        meters = open_prices(session, metering, rows)
        statement = sql_text(__package__, "unpriced").format(
            unpriced=unpriced_sql(meters, rows),
            price_join=PRICE_JOIN,
            corrections=_corrections(metering),
            used=used,
        )
        found = session.rows(statement, _bounds(basis))
    return [_unpriced(str(period), row, metering.meters) for row in found]


def unallocated_usage(store: Store, period: Period) -> list[Unallocated]:
    """What only the fallback owns in a period, the most calls first."""
    basis = read_basis(store, period)
    metering = metering_of(basis)
    names = ", ".join(f"c{i}" for i in range(len(metering.carried)))
    with store.lake.session(basis.snapshot, basis.corrections) as session:
        statement = sql_text(__package__, "carried").format(
            names=names, carried=carried_sql(metering), corrections=_corrections(metering)
        )
        found = session.rows(statement, _bounds(basis))
    owners, decided = decide(
        metering, basis.books.org, [(i, *row[:-2]) for i, row in enumerate(found)]
    )
    rows = [found[i] for i, owner in decided if owners[owner].is_fallback]
    waiting = [_unallocated(str(period), row, metering.carried) for row in rows]
    return sorted(waiting, key=lambda one: -one.calls)


def _unpriced(period: str, row: Sequence[object], meters: Sequence[str]) -> Unpriced:
    provider, model, tier, region, calls, tokens, *sums = row
    return Unpriced(
        period=period,
        provider=str(provider),
        model=str(model),
        tier=str(tier),
        region=str(region),
        calls=int(str(calls)),
        tokens=int(str(tokens)),
        used=tuple(meter for meter, total in zip(meters, sums, strict=True) if total),
    )


def _unallocated(period: str, row: Sequence[object], carried: Sequence[str]) -> Unallocated:
    _, *values, calls, tokens = row
    named = zip(carried, map(str, values), strict=True)
    return Unallocated(
        period=period,
        carried={name: value for name, value in named if value},
        calls=int(str(calls)),
        tokens=int(str(tokens)),
    )


def _corrections(metering: Metering) -> str:
    return CORRECTIONS if metering.has_corrections else ""


def _bounds(basis: Basis) -> dict[str, object]:
    return {"start_us": basis.start_us, "end_us": basis.end_us}
