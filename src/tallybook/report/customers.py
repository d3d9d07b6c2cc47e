"""For whom the calls of a month were made: cost by customer, cohort or plan of their origin.

Computed from the sealed events when it is asked for, by the walk and the rating of a run: no run
and no cost sheet is grouped by customers, of whom there may be a million. It comes to what the
month's cost sheet comes to, or says that it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tallybook.attribute.behalf import Behalf
from tallybook.attribute.lines import paths_of
from tallybook.attribute.path import Paths
from tallybook.attribute.walk import walk
from tallybook.clock import Period
from tallybook.errors import CorruptedError
from tallybook.meter.subjects import names_of
from tallybook.money import PICO_SCALE, format_units
from tallybook.post.basis import Basis
from tallybook.post.breakdown import standing_basis
from tallybook.post.compute import graph_session, metering_of, price_rows
from tallybook.post.sheet import latest_sheet
from tallybook.rate.rating import rate_events
from tallybook.store import Store, sql_text
from tallybook.store.lake import Session, Snapshot

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls with their tokens and cost at the rate card, in pico.

    ``unpriced`` calls have no cost that is known, of ``unknown`` ones not all usage is; of the
    ``costed`` ones both are.
    """

    calls: int = 0
    tokens: int = 0
    cost_pico: int = 0
    unpriced: int = 0
    unknown: int = 0
    costed: int = 0

    @property
    def is_counted(self) -> bool:
        """Whether anybody knows of any tokens, if there are calls."""
        return self.unknown < self.calls or bool(self.tokens) or not self.calls

    @property
    def is_costed(self) -> bool:
        """Whether anybody knows of any cost, if there are calls."""
        return bool(self.costed) or bool(self.cost_pico) or not self.calls


@dataclass(frozen=True, slots=True)
class Row:
    """One customer, cohort or plan; ``name`` is who stands behind the id of a customer, or ''."""

    id: str
    tally: Tally
    name: str = ""


@dataclass(frozen=True, slots=True)
class Customers:
    """A month by for whom its calls were made, the dearest first.

    ``unstated`` are the calls of which nobody who is believed said it. ``team`` and ``feature`` are
    those of the origin that was asked for, '' for all.
    """

    period: str
    currency: str
    by: str
    team: str
    feature: str
    rows: tuple[Row, ...]
    unstated: Tally

    @property
    def total(self) -> Tally:
        """All rows and what nobody stated."""
        return together((self.unstated, *(row.tally for row in self.rows)))


def together(tallies: Sequence[Tally]) -> Tally:
    """Several tallies as one."""
    return Tally(
        calls=sum(one.calls for one in tallies),
        tokens=sum(one.tokens for one in tallies),
        cost_pico=sum(one.cost_pico for one in tallies),
        unpriced=sum(one.unpriced for one in tallies),
        unknown=sum(one.unknown for one in tallies),
        costed=sum(one.costed for one in tallies),
    )


def customers(
    store: Store,
    period: Period,
    by: str = CUSTOMER,
    *,
    team: str = "",
    feature: str = "",
    names: bool = False,
) -> Customers:
    """A month by the customer, cohort or plan of the origin of each call.

    Args:
        store: open books.
        period: an open one as its next run sees it, a closed one as its last run did.
        by: ``customer``, ``cohort`` or ``plan``.
        team: only calls that this team started; '' means all.
        feature: only calls that this feature started; '' means all.
        names: tell who stands behind the ids of customers, but for those that were erased.

    Raises:
        BooksError: no policy files were applied.
        CorruptedError: the sealed events do not come to what the cost sheet says.
    """
    basis = standing_basis(store, period)
    if basis.beside is None:  # every call stands alone, and is walked as such
        basis = replace(basis, beside=Snapshot(basis.snapshot.version, ()))
    found = _read(store, basis, by, team, feature)
    unstated = next((tally for said, tally in found if said is None), Tally())
    known = {}
    if names and by == CUSTOMER:
        with store.read() as tx:
            known = names_of(tx, "customer")
    made = Customers(
        period=str(period),
        currency=basis.books.org.company.currency,
        by=by,
        team=team,
        feature=feature,
        rows=tuple(Row(said, one, known.get(said, "")) for said, one in found if said is not None),
        unstated=unstated,
    )
    if not team and not feature:
        _require_tied(store, basis, made.total)
    return made


def customers_values(found: Customers) -> dict[str, Any]:
    """The machine form; amounts are exact text, and null where nobody knows any of it.

    Returns:
        ``period``, ``currency``, ``by``, ``team``, ``feature``, ``total``, ``rows`` (``id``,
        ``name`` or null, ``calls``, ``tokens``, ``cost``, ``unpriced``, ``unknown``) and
        ``unstated``.
    """
    return {
        "period": found.period,
        "currency": found.currency,
        "by": found.by,
        "team": found.team,
        "feature": found.feature,
        "total": _values(found.total),
        "rows": [
            {"id": one.id, "name": one.name or None, **_values(one.tally)} for one in found.rows
        ],
        "unstated": _values(found.unstated),
    }


def _values(tally: Tally) -> dict[str, Any]:
    return {
        "calls": tally.calls,
        "tokens": tally.tokens if tally.is_counted else None,
        "cost": format_units(tally.cost_pico, PICO_SCALE) if tally.is_costed else None,
        "unpriced": tally.unpriced,
        "unknown": tally.unknown,
    }


def _read(
    store: Store, basis: Basis, by: str, team: str, feature: str
) -> list[tuple[str | None, Tally]]:
    metering = metering_of(basis)
    paths = paths_of(metering, basis.books.org)
    by_place = replace(metering, carried=(), placed=True, for_whom=True, has_capacity=False)
    place, behalf = by_place.columns
    with graph_session(store, basis) as session:
        walk(session, metering, paths, Behalf(session, paths, by))
        rate_events(session, by_place, price_rows(basis))
        wanted = ""
        if team or feature:
            _open_wanted(session, paths, place, team, feature)
            wanted = f"SEMI JOIN wanted w ON r.{place} = w.place"
        statement = sql_text(__package__, "customers").format(wanted=wanted, behalf=behalf)
        return [
            (said, Tally(*(int(value or 0) for value in sums)))
            for said, *sums in session.rows(statement)
        ]


def _open_wanted(session: Session, paths: Paths, place: str, team: str, feature: str) -> None:
    """The table ``wanted`` of the places whose origin is asked for."""
    wanted = []
    for (at,) in session.rows(f"SELECT DISTINCT {place} FROM rated"):
        origin = paths.decisions[at].owner.started_by
        if team in ("", origin[0]) and feature in ("", origin[1]):
            wanted.append((at,))
    session.table("wanted", {"place": "whole"}, wanted)


def _require_tied(store: Store, basis: Basis, total: Tally) -> None:
    """Require that a month comes to what its cost sheet says, if that stands on the same events."""
    with store.read() as tx:
        sheet = latest_sheet(tx, str(basis.period))
    if sheet is None or sheet.versions != basis.versions:
        return
    sums = sheet.sums.lines
    booked = (sum(one.calls for one in sums), sum(one.card_pico for one in sums))
    if booked != (total.calls, total.cost_pico):
        raise CorruptedError(
            f"by {total.calls} calls {basis.period} costs {total.cost_pico} pico, by its cost"
            f" sheet of {booked[0]} calls {booked[1]}",
            where=f"sheet {sheet.number}",
            next_step="tallybook check INV-11",
        )
