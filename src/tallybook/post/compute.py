"""From a basis to a month's attributed lines and allocation; reads, never writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from tallybook.allocate.model import Month, PoolAmount
from tallybook.attribute.lines import decided_groups, paths_of, sums_of
from tallybook.attribute.model import AttributedLine, Attribution, Transferred, TransferUse
from tallybook.attribute.owner import carried_fields, epochs_us
from tallybook.attribute.path import Paths
from tallybook.attribute.transfer import transferred
from tallybook.attribute.walk import Walk, walk
from tallybook.books.model import Books
from tallybook.clock import Period
from tallybook.post.basis import Basis
from tallybook.post.capacity import capacity_costs, capacity_use, standing_capacity
from tallybook.post.sheet import cost_cells
from tallybook.rate.compile import compile_prices
from tallybook.rate.model import PriceKey, PriceRow
from tallybook.rate.publish import price_books
from tallybook.rate.rating import Metering, rate_events
from tallybook.store import Store, Tx
from tallybook.store.lake import Session


def metering_of(basis: Basis) -> Metering:
    """How the period's events are grouped."""
    org = basis.books.org
    meters = sorted({meter for file in basis.snapshot.files for meter in file.meters})
    return Metering(
        start_us=basis.start_us,
        end_us=basis.end_us,
        carried=carried_fields(org),
        epochs_us=epochs_us(org, basis.start_us, basis.end_us),
        meters=tuple(meters),
        has_corrections=bool(basis.corrections.files),
        has_capacity=any(one.serves for one in standing_capacity(basis)),
    )


def price_rows(basis: Basis, providers: Collection[str] | None = None) -> list[PriceRow]:
    """The period's elementary price intervals, for the keys that its events carry.

    Args:
        basis: what the run stands on.
        providers: only what these price; None means all.
    """
    keys = {
        PriceKey(*key)
        for file in basis.snapshot.files
        for key in file.price_keys
        if providers is None or key[0] in providers
    }
    published = price_books(basis.published, basis.prices, basis.books.org.company.currency)
    rows, _ = compile_prices(
        sorted(keys), published, basis.policy.rate_card.basis, basis.start_us, basis.end_us
    )
    return rows


def charged(store: Store, basis: Basis) -> Transferred:
    """Rate and attribute the period's events, with each payer's part and what is owed."""
    return transferred(attributed(store, basis))


def attributed(
    store: Store,
    basis: Basis,
    rows: Sequence[PriceRow] | None = None,
    traces: Sequence[str] | None = None,
) -> Attribution:
    """Rate and attribute the period's events, as it adds up: one scan.

    Args:
        store: open books.
        basis: what the run stands on.
        rows: its price rows, if the caller has them; they may price more than the events carry.
        traces: only the calls of these; '' is that of calls that name none. None means all.
    """
    rows = price_rows(basis) if rows is None else rows
    return _sums(store, basis, metering_of(basis), rows, traces)


def netted(
    store: Store, basis: Basis, rows: Sequence[PriceRow], traces: Sequence[str] | None = None
) -> Attribution:
    """The same of the events that the basis's corrections supersede, and of no others."""
    return _sums(store, basis, replace(metering_of(basis), only_netted=True), rows, traces)


def _sums(
    store: Store,
    basis: Basis,
    metering: Metering,
    rows: Sequence[PriceRow],
    traces: Sequence[str] | None,
) -> Attribution:
    with graph_session(store, basis) as session:
        if traces is not None:
            session.table("touched", {"trace_id": "text"}, [(trace,) for trace in traces])
            metering = replace(metering, only_touched=True)
        metering, paths, walked = placed_in(session, basis, metering)
        rate_events(session, metering, rows)
        decisions = decided_groups(session, metering, paths)
        return sums_of(session, metering, paths, decisions, walked)


def graph_session(store: Store, basis: Basis) -> AbstractContextManager[Session]:
    """The engine on a basis's events and on what tells of their traces."""
    return store.lake.session(basis.snapshot, basis.corrections, beside=basis.beside)


def placed_in(
    session: Session, basis: Basis, metering: Metering
) -> tuple[Metering, Paths, Walk | None]:
    """Walk the traces of a basis where its calls do not all stand alone.

    Args:
        session: of `graph_session`.
        basis: what the run stands on.
        metering: how its events would be grouped if they did.

    Returns:
        how they are grouped, what decides them, and the walk; afterwards the session has the table
        ``placed`` if there was one.
    """
    paths = paths_of(metering, basis.books.org)
    if basis.beside is None:
        return metering, paths, None
    walked = walk(session, metering, paths)
    return replace(metering, placed=True), paths, walked


def month_of(
    basis: Basis,
    lines: Sequence[AttributedLine],
    actuals: Mapping[str, int],
    uses: Sequence[TransferUse] = (),
) -> Month:
    """The month as allocation sees it.

    Args:
        basis: what the run stands on.
        lines: the attributed lines, one payer to each.
        actuals: what each pool really cost, in nano; a pool that is missing stands at policy.
        uses: what is owed at transfer prices.
    """
    org = basis.books.org
    last_us = basis.end_us - 1
    teams = {
        t.id for t in org.teams if t.span.from_us < basis.end_us and t.span.to_us > basis.start_us
    }
    features = {feature.id: feature.team for feature in org.features if feature.span.holds(last_us)}
    budgets = {
        feature: nano
        for feature in features
        if (nano := basis.books.budgets.in_force(feature, basis.period)) is not None
    }
    return Month(
        period=str(basis.period),
        cells=cost_cells(lines),
        policy=basis.policy,
        pools=_pool_amounts(basis, actuals),
        budgets=budgets,
        teams=tuple(sorted(teams)),
        unowned=org.unowned_team,
        owner_of=features,
        headcounts={team.id: team.headcount for team in org.teams if team.span.holds(last_us)},
        uses=tuple(uses),
        feature_of=features_of_services(basis.books, basis.period),
        capacity=capacity_costs(basis),
        capacity_use=capacity_use(basis, lines),
    )


def features_of_services(books: Books, period: Period) -> dict[tuple[str, str], str]:
    """The feature on which a team pays and earns with a service of its own, in a period."""
    start_us, end_us = books.calendar.bounds_us(period)
    return {
        (service.id, service.team): service.feature
        for service in books.org.services
        if service.span.from_us < end_us and service.span.to_us > start_us
    }


def pool_actuals(tx: Tx, period: str, upto: int | None = None) -> dict[str, int]:
    """What each pool really cost: the latest amount entered, or the latest up to a number."""
    rows = tx.rows(
        "SELECT pool, amount_nano FROM pool_actual WHERE period = :period"
        " AND (:every OR seq <= :upto) ORDER BY seq",
        period=period,
        every=upto is None,
        upto=upto or 0,
    )
    return {str(row.pool): int(row.amount_nano) for row in rows}


def _pool_amounts(basis: Basis, actuals: Mapping[str, int]) -> tuple[PoolAmount, ...]:
    return tuple(
        PoolAmount(pool.id, pool.monthly_nano or 0, actuals.get(pool.id, pool.monthly_nano or 0))
        for pool in basis.policy.pools
        if pool.monthly_nano is not None or pool.id in actuals
    )
