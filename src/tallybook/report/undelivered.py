"""What was billed and never delivered: the calls whose callers left while the provider went on.

A provider bills an answer to its end whoever still listens. How much of the output reached the
caller is on the event (``output_delivered``: of the gateway by the share of bytes, of the SDK by
what it was given); the rest, at the rate card of the run, is the price of having left. Input was
used either way, so the whole call is told beside it. Reads, and posts nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tallybook.attribute.lines import decide_all
from tallybook.attribute.path import Decision
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.money import PICO_SCALE, format_share, format_units
from tallybook.post.basis import Basis, basis_at
from tallybook.post.compute import graph_session, metering_of, placed_in, price_rows
from tallybook.post.sheet import latest_sheet
from tallybook.rate.rating import (
    CORRECTIONS,
    PLACED,
    PRICE_JOIN,
    Metering,
    carried_sql,
    event_amount_sql,
    open_prices,
    unpriced_sql,
)
from tallybook.store import Store, sql_text
from tallybook.store.lake import ColumnType, Session

_LEFT: Final = "e.status = 'client_aborted'"
_OUTPUT: Final = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Calls whose callers left, added up. Amounts are pico at the rate card.

    Attributes:
        calls: all of them.
        unknown: of which nobody told what they used; what is known of them is in the sums.
        unpriced: whose model has no price: nobody knows what they cost, and no amount holds them.
        untold: of which nobody told how much arrived, sound and pictures among them; they are in
            ``cost_pico`` alone.
        measured: of which the part that did not arrive has a cost; ``costed``: that have one whole.
        output: output tokens that were billed; ``delivered`` of them reached the caller.
        undelivered_pico: what the output that did not arrive cost.
        cost_pico: what the calls cost whole.
    """

    calls: int = 0
    unknown: int = 0
    unpriced: int = 0
    untold: int = 0
    measured: int = 0
    costed: int = 0
    output: int = 0
    delivered: int = 0
    undelivered_pico: int = 0
    cost_pico: int = 0

    @property
    def is_measured(self) -> bool:
        """Whether anybody knows what any of it cost that did not arrive, if there are calls."""
        return bool(self.measured) or not self.calls

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            **{name: getattr(self, name) + getattr(other, name) for name in Tally.__slots__}
        )


@dataclass(frozen=True, slots=True)
class Row:
    """Of one team's feature, by model (``provider/model``). Where several pay: who started it."""

    team: str
    feature: str
    model: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A month's calls whose callers left, the dearest row first.

    ``month_pico`` is what all calls of the month were rated at, of the same teams.
    """

    period: str
    currency: str
    rows: tuple[Row, ...]
    month_pico: int

    @property
    def total(self) -> Tally:
        """All rows together."""
        return sum((row.tally for row in self.rows), Tally())


def undelivered(store: Store, period: Period, team: str = "") -> Undelivered:
    """What of a month was billed and not delivered, as its latest run rated and attributed it.

    Args:
        store: open books.
        period: which month.
        team: only what this team answers for; '' means all.

    Raises:
        PeriodError: the month was not run.
    """
    with store.read() as tx:
        sheet = latest_sheet(tx, str(period))
    if sheet is None:
        raise PeriodError(f"nothing is booked in {period}", next_step=f"tallybook run {period}")
    basis = basis_at(store, period, sheet.versions)
    rows = (row for row in _rows(store, basis) if team in ("", row.team))
    return Undelivered(
        period=str(period),
        currency=basis.books.org.company.currency,
        rows=tuple(sorted(rows, key=_dearest)),
        month_pico=sum(
            line.card_pico for line in sheet.sums.lines if team in ("", line.owner.team)
        ),
    )


def _rows(store: Store, basis: Basis) -> list[Row]:
    with graph_session(store, basis) as session:
        metering = metering_of(basis)
        if basis.beside is not None:  # whose such a call is stands in its trace, and in no other
            session.run(sql_text(__package__, "call_traces").format(tagged=_LEFT))
            metering = replace(metering, only_touched=True)
        metering, paths, _ = placed_in(session, basis, metering)
        placed = PLACED if metering.placed else ""
        bounds = {"start_us": basis.start_us, "end_us": basis.end_us}
        found = session.rows(
            sql_text(__package__, "call_combos").format(
                events="events",
                names=", ".join(metering.columns),
                carried=carried_sql(metering),
                placed=placed,
                tagged=f"AND {_LEFT}",
            ),
            bounds,
        )
        numbered = [(number, *row) for number, row in enumerate(found)]
        decisions, decided = decide_all(metering, paths, numbered)
        _open_wanted(session, metering, [(*found[number], at) for number, at in decided])
        meters = open_prices(session, metering, rows := price_rows(basis))
        price = f"p.card_{meters.index(_OUTPUT)}" if _OUTPUT in meters else "0"
        added = session.rows(
            sql_text(__package__, "undelivered").format(
                carried=carried_sql(metering),
                placed=placed,
                same=" AND ".join(f"e.{name} = w.{name}" for name in metering.columns),
                price_join=PRICE_JOIN,
                corrections=CORRECTIONS if metering.has_corrections else "",
                unpriced=unpriced_sql(meters, rows),
                price=f"CAST({price} AS HUGEINT)",
                card=event_amount_sql("card", meters),
            ),
            bounds,
        )
    return _by_owner(added, decisions)


def _open_wanted(session: Session, metering: Metering, rows: Sequence[Sequence[object]]) -> None:
    types: dict[str, ColumnType] = {"epoch": "whole"}
    types |= dict.fromkeys(metering.columns, "text")
    if metering.placed:
        types[metering.columns[-1]] = "whole"
    session.table("wanted", {**types, "decided": "whole"}, rows)


def _by_owner(added: Iterable[Sequence[Any]], decisions: Sequence[Decision]) -> list[Row]:
    """Decisions that differ in the rule or the purpose alone are of one owner."""
    tallies: defaultdict[tuple[str, str, str], Tally] = defaultdict(Tally)
    for at, provider, model, *figures in added:
        owner = decisions[int(at)].owner
        told = dict(zip(Tally.__slots__, map(int, figures), strict=True))
        tallies[owner.team, owner.feature, f"{provider}/{model}"] += Tally(**told)
    return [Row(*names, tally) for names, tally in tallies.items()]


def _dearest(row: Row) -> tuple[object, ...]:
    tally = row.tally
    return (-tally.undelivered_pico, -tally.cost_pico, row.team, row.feature, row.model)


def undelivered_values(found: Undelivered) -> dict[str, Any]:
    """The machine form. An amount or a count that nobody knows any of is null."""
    total = found.total
    return {
        "period": found.period,
        "currency": found.currency,
        **_values(total),
        "month_cost": format_units(found.month_pico, PICO_SCALE),
        "undelivered_share": format_share(total.undelivered_pico, found.month_pico)
        if total.is_measured
        else None,
        "rows": [
            {"team": row.team, "feature": row.feature, "model": row.model, **_values(row.tally)}
            for row in found.rows
        ],
    }


def _values(tally: Tally) -> dict[str, Any]:
    nothing = not tally.calls
    is_told = nothing or tally.untold < tally.calls
    return {
        "calls": tally.calls,
        "calls_unknown": tally.unknown,
        "calls_unpriced": tally.unpriced,
        "calls_untold": tally.untold,
        "output_billed": tally.output if is_told else None,
        "output_delivered": tally.delivered if is_told else None,
        "undelivered_cost": format_units(tally.undelivered_pico, PICO_SCALE)
        if tally.is_measured
        else None,
        "cost": format_units(tally.cost_pico, PICO_SCALE) if nothing or tally.costed else None,
    }
