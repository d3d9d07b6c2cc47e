"""A month with the token classes and prices behind its cells, from one scan; reads, posts nothing.

An open period is seen as its next run would see it, a closed one as its last run did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tallybook.allocate.model import Month
from tallybook.allocate.subsidy import NO_CLASS, ClassUsage
from tallybook.attribute.lines import decided_groups, sums_of
from tallybook.attribute.model import AttributedLine, Attribution
from tallybook.attribute.path import Decision
from tallybook.attribute.transfer import Users, joint_users, payers_of, targets_of, transferred
from tallybook.books.meters import TOKEN_CLASSES
from tallybook.books.model import Policy
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.ledger.state import CLOSED, SOFT_CLOSED, period_state
from tallybook.post.basis import Basis, basis_at, latest_books, read_basis
from tallybook.post.compute import (
    graph_session,
    metering_of,
    month_of,
    placed_in,
    pool_actuals,
    price_rows,
)
from tallybook.post.frozen import frozen_sheet
from tallybook.post.run import seal_inbox
from tallybook.post.sheet import latest_sheet
from tallybook.rate.model import PriceRow
from tallybook.rate.rating import Metering, open_prices, rate_events
from tallybook.store import Store, sql_text
from tallybook.store.lake import Session


@dataclass(frozen=True, slots=True)
class MonthBreakdown:
    """A month, what it stands on, and the usage that teams bear directly, by token class.

    ``policy`` is the one last applied, even where the month is closed under an earlier one.
    """

    basis: Basis
    month: Month
    usage: tuple[ClassUsage, ...]
    policy: Policy


def month_breakdown(store: Store, period: Period) -> MonthBreakdown:
    """Read a month for comparison.

    Raises:
        BooksError: no policy files were applied.
        PeriodError: the period has neither usage nor cost pools.
        CorruptedError: a sealed file is not what was written.
    """
    basis = standing_basis(store, period)
    store.lake.verify(basis.snapshot)
    metering, rows = metering_of(basis), price_rows(basis)
    with graph_session(store, basis) as session:
        metering, paths, walked = placed_in(session, basis, metering)
        rate_events(session, metering, rows)
        decisions = decided_groups(session, metering, paths)
        sums = sums_of(session, metering, paths, decisions, walked)
        usage = _usage_by_class(session, basis, metering, rows, decisions, sums)
    made = transferred(sums)
    usage = _tied(usage, made.lines, basis)
    with store.read() as tx:
        month = month_of(basis, made.lines, pool_actuals(tx, str(period)), made.uses)
        books, _ = latest_books(tx)
    if not month.cells and not month.pools:
        raise PeriodError(
            f"{period} has neither usage nor cost pools",
            next_step="import usage: tallybook ingest",
        )
    return MonthBreakdown(basis, month, tuple(usage), books.policy)


def standing_basis(store: Store, period: Period) -> Basis:
    """What a period stands on: an open one as its next run sees it, a closed one as its last did.

    A soft-closed one stands as its cutoff froze it.

    Raises:
        BooksError: no policy files were applied.
    """
    with store.read() as tx:
        state = period_state(tx, str(period))
        sheet = latest_sheet(tx, str(period)) if state == CLOSED else None
        if state == SOFT_CLOSED:
            sheet = frozen_sheet(tx, str(period))
    if sheet:
        return basis_at(store, period, sheet.versions)
    seal_inbox(store)
    return read_basis(store, period)


def _usage_by_class(
    session: Session,
    basis: Basis,
    metering: Metering,
    rows: Sequence[PriceRow],
    decisions: Sequence[Decision],
    sums: Attribution,
) -> list[ClassUsage]:
    """Usage by team, price and token class, after `rate_events` and `decided_groups`."""
    is_pooled = basis.policy.evaluation.funding == "pooled"
    unowned = basis.books.org.unowned_team
    bearing = []
    for number, one in enumerate(decisions):
        if is_pooled and one.owner.purpose == "evaluation":
            continue
        shared = bool(one.payers or one.joint)
        if shared or one.owner.team != unowned:
            bearing.append((number, "" if shared else one.owner.team, number if shared else -1))
    session.table("bearing", {"owner": "whole", "team": "text", "shared": "whole"}, bearing)
    meters = open_prices(session, metering, rows)
    figures = ",\n  ".join(
        f"SUM(m.q{i}), SUM(CASE WHEN m.unpriced THEN 0"
        f" ELSE CAST(COALESCE(m.q{i}, 0) AS HUGEINT) * p.card_{i} END)"
        for i in range(len(meters))
    )
    if not figures:
        return []
    same = " AND ".join(f"m.{name} = c.{name}" for name in metering.columns)
    statement = sql_text(__package__, "breakdown").format(figures=figures, same=same)
    prices = _numbered(rows)
    users = joint_users(sums)
    return [
        use
        for team, shared, *row in session.rows(statement)
        for one in _classes((team, *row), meters, prices)
        for use in (_shares(one, decisions[shared], users) if shared >= 0 else (one,))
        if (use.tokens or use.card_pico) and use.team != unowned
    ]


def _tied(
    usage: Sequence[ClassUsage], lines: Sequence[AttributedLine], basis: Basis
) -> list[ClassUsage]:
    """Usage by class that adds up to each team's lines to the unit.

    Lines and classes are shared among payers each by itself; what the two differ by, a few units,
    goes to the team's largest class.
    """
    left: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    is_pooled = basis.policy.evaluation.funding == "pooled"
    for line in lines:
        if line.owner.team != basis.books.org.unowned_team and not (
            is_pooled and line.owner.purpose == "evaluation"
        ):
            left[line.provider, line.owner.team][0] += line.tokens
            left[line.provider, line.owner.team][1] += line.card_pico
    largest: dict[tuple[str, str], int] = {}
    for at, one in enumerate(usage):
        key = (one.provider, one.team)
        left[key][0] -= one.tokens
        left[key][1] -= one.card_pico
        held = largest.setdefault(key, at)
        if (one.card_pico, one.tokens) > (usage[held].card_pico, usage[held].tokens):
            largest[key] = at
    tied = list(usage)
    for key, at in largest.items():
        tokens, card_pico = left[key]
        if tokens or card_pico:
            one = tied[at]
            tied[at] = replace(one, tokens=one.tokens + tokens, card_pico=one.card_pico + card_pico)
    return tied


def _shares(one: ClassUsage, decision: Decision, users: Users) -> Iterator[ClassUsage]:
    """The part of each payer."""
    payers = payers_of(decision.owner, decision.payers, decision.joint, users)
    salt = repr((one, decision.owner))
    share = targets_of(payers).parts
    parts = [share(int(n), salt) for n in (one.tokens, one.card_pico)]
    for payer, tokens, card_pico in zip(payers, *parts, strict=True):
        yield replace(one, team=payer.team, tokens=tokens, card_pico=card_pico)


@dataclass(frozen=True, slots=True)
class _Price:
    model: str
    tier: str
    region: str
    card: int


_NO_PRICE = _Price("", "", "", 0)
_UNPRICED = -1


def _numbered(rows: Sequence[PriceRow]) -> dict[int, _Price]:
    """Each price row's model, with the distinct cards numbered."""
    cards: dict[tuple[tuple[str, int], ...], int] = {}
    found = {}
    for row in rows:
        vector = {**(row.contract or {}), **(row.card or {})}
        number = cards.setdefault(tuple(sorted(vector.items())), len(cards))
        found[row.price_id] = _Price(row.model, row.tier, row.region, number)
    return found


def _classes(
    row: tuple[object, ...], meters: Sequence[str], prices: Mapping[int, _Price]
) -> list[ClassUsage]:
    team, provider, price_id, unpriced, *figures = row
    whole = [int(str(figure)) if figure is not None else 0 for figure in figures]
    price = prices[int(str(price_id))] if price_id is not None else _NO_PRICE
    return [
        ClassUsage(
            team=str(team),
            provider=str(provider),
            model=price.model,
            tier=price.tier,
            region=price.region,
            card=_UNPRICED if unpriced else price.card,
            token_class=meter if meter in TOKEN_CLASSES else NO_CLASS,
            tokens=quantity if meter in TOKEN_CLASSES else 0,
            card_pico=amount_pico,
        )
        for meter, quantity, amount_pico in zip(meters, whole[::2], whole[1::2], strict=True)
    ]
