"""Usage that has no price or no owner: what somebody has to look at before the month closes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallybook.attribute.lines import decide_all
from tallybook.attribute.owner import OrgAt, carried_fields
from tallybook.clock import Period
from tallybook.money import format_units
from tallybook.post.basis import Basis, read_basis
from tallybook.post.compute import graph_session, metering_of, placed_in, price_rows
from tallybook.rate.rating import (
    CORRECTIONS,
    PRICE_JOIN,
    Metering,
    beside_sql,
    carried_sql,
    open_prices,
    quantity_sql,
    rate_events,
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


@dataclass(frozen=True, slots=True)
class RefusedClaim:
    """Calls of one key whose tags named a team for which the key or the source may not speak.

    ``cost`` is at rate card, in currency units.
    """

    period: str
    key_id: str
    source: str
    team: str
    calls: int
    tokens: int
    cost: str


_PICO_SCALE: Final = 12


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
    with graph_session(store, basis) as session:
        metering, paths, _ = placed_in(session, basis, replace(metering_of(basis), kept=True))
        statement = sql_text(__package__, "carried").format(
            names=", ".join(metering.columns),
            carried=carried_sql(metering),
            corrections=beside_sql(metering),
        )
        found = session.rows(statement, _bounds(basis))
    combos = [(i, *row[:-2]) for i, row in enumerate(found)]
    decisions, numbered = decide_all(metering, paths, combos)
    waiting: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0, 0])
    for i, number in numbered:
        if decisions[number].owner.is_fallback:
            _, *values, calls, tokens = found[i]
            held = waiting[tuple(values[: len(metering.carried)])]
            held[0] += int(calls)
            held[1] += int(tokens)
    rows = [
        _unallocated(str(period), values, metering.carried, *counts)
        for values, counts in waiting.items()
    ]
    return sorted(rows, key=lambda one: -one.calls)


def refused_claims(store: Store, period: Period) -> list[RefusedClaim]:
    """Tags of a period that spoke for a team and were not believed, the dearest first."""
    basis = read_basis(store, period)
    carried = dict.fromkeys((*carried_fields(basis.books.org), "source"))
    metering = replace(metering_of(basis), carried=tuple(carried))
    charts = [OrgAt(basis.books.org, at) for at in (metering.start_us, *metering.epochs_us)]
    with store.lake.session(basis.snapshot, basis.corrections) as session:
        rate_events(session, metering, price_rows(basis))
        names = ", ".join(metering.columns)
        found = session.rows(sql_text(__package__, "coverage").format(names=names))
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for epoch, *values in found:
        *said, _state, _unpriced, calls, tokens, card_pico = values
        named = dict(zip(metering.carried, map(str, said), strict=True))
        team = charts[int(str(epoch))].claimed(named)
        if team:
            held = sums[named["key_id"], named["source"], team]
            for place, count in enumerate((calls, tokens, card_pico)):
                held[place] += int(str(count))
    ordered = sorted(sums.items(), key=lambda one: (-one[1][2], one[0]))
    return [
        RefusedClaim(str(period), *key, calls, tokens, format_units(card_pico, _PICO_SCALE))
        for key, (calls, tokens, card_pico) in ordered
    ]


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


def _unallocated(
    period: str, values: Sequence[object], carried: Sequence[str], calls: int, tokens: int
) -> Unallocated:
    named = zip(carried, map(str, values), strict=True)
    said = {name: value for name, value in named if value}
    return Unallocated(period=period, carried=said, calls=calls, tokens=tokens)


def _corrections(metering: Metering) -> str:
    return CORRECTIONS if metering.has_corrections else ""


def _bounds(basis: Basis) -> dict[str, object]:
    return {"start_us": basis.start_us, "end_us": basis.end_us}
