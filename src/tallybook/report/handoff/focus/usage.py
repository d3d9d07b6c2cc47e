"""A month's usage as charges: one per owner, token class and price, read a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tallybook.attribute.lines import decided_groups
from tallybook.attribute.model import Attribution, Owner
from tallybook.attribute.path import Decision
from tallybook.attribute.transfer import Users, joint_users, owner_of, payers_of
from tallybook.books.meters import TOKEN_CLASSES
from tallybook.post.basis import Basis
from tallybook.post.compute import graph_session, metering_of, placed_in, price_rows
from tallybook.rate.model import PriceRow
from tallybook.rate.rating import REQUEST, Metering, open_prices, rate_events
from tallybook.report.handoff.focus.model import Bearer, Sku
from tallybook.store import Store, sql_text
from tallybook.store.lake import Session

PAGE = 20_000
UNPRICED, UNKNOWN = "unpriced", "unknown"


@dataclass(frozen=True, slots=True)
class Use:
    """One charge before it is split: a quantity of a meter, of an owner.

    ``bearers`` pairs who pays with weights; one alone bears it whole.
    """

    sku: Sku
    quantity: int
    state: str
    owner: Owner
    bearers: Sequence[tuple[Bearer, int]]


def usage_of(store: Store, basis: Basis, sums: Attribution) -> Iterator[Use]:
    """Every charge of a basis's usage, in an order that the same books always have.

    Args:
        store: open books.
        basis: the versions under which the month was booked.
        sums: the month as it adds up, which says who pays what somebody started.

    Raises:
        CorruptedError: a sealed file is not what was written.
    """
    store.lake.verify(basis.snapshot)
    metering, rows = metering_of(basis), price_rows(basis)
    with graph_session(store, basis) as session:
        metering, paths, _ = placed_in(session, basis, metering)
        rate_events(session, metering, rows)
        decisions = _in_place(session, decided_groups(session, metering, paths))
        meters = open_prices(session, metering, rows)
        skus = _skus(session, rows, meters)
        pages = _pages(session, metering, len(meters))
        users = joint_users(sums)
        bearers = [_bearers(decision, users) for decision in decisions]
        for provider, place, state, unpriced, sku, calls, *counts in pages:
            quantities = dict(zip(meters, counts, strict=True))
            charges = _charges(provider, skus[sku], quantities, calls, unpriced=unpriced)
            for found, quantity in charges:
                said = UNPRICED if unpriced else state
                yield Use(found, quantity, said, decisions[place].owner, bearers[place])


def _in_place(session: Session, decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions in order, and the table ``owner_place`` with the place of each number."""
    order = sorted(range(len(decisions)), key=lambda number: repr(decisions[number]))
    places = [(number, place) for place, number in enumerate(order)]
    session.table("owner_place", {"owner": "whole", "place": "whole"}, places)
    return [decisions[number] for number in order]


@dataclass(frozen=True, slots=True)
class _Prices:
    """The prices of one or more intervals that cost the same, by meter."""

    model: str
    tier: str
    region: str
    contract: str
    by_meter: tuple[tuple[int | None, int | None], ...]


_NO_PRICES = _Prices("", "", "", "", ())


def _skus(session: Session, rows: Sequence[PriceRow], meters: Sequence[str]) -> list[_Prices]:
    """Distinct prices, and the table ``sku`` with the number of each interval's; 0 is unpriced."""
    prices = [_prices(row, meters) for row in rows]
    distinct = sorted(set(prices), key=repr)
    number = {each: at for at, each in enumerate(distinct, start=1)}
    numbered = [(row.price_id, number[each]) for row, each in zip(rows, prices, strict=True)]
    session.table("sku", {"price_id": "whole", "sku": "whole"}, numbered)
    return [_NO_PRICES, *distinct]


def _prices(row: PriceRow, meters: Sequence[str]) -> _Prices:
    contract, listed = row.contract or {}, row.list or {}
    by_meter = tuple((listed.get(m, contract.get(m)), contract.get(m)) for m in meters)
    return _Prices(row.model, row.tier, row.region, row.contract_ref, by_meter)


def _pages(
    session: Session, metering: Metering, meters: int
) -> Iterator[tuple[str, int, str, bool, int, int, *tuple[int, ...]]]:
    same = " AND ".join(f"m.{name} = c.{name}" for name in metering.columns)
    sums = "".join(f", SUM(COALESCE(m.q{i}, 0)) AS q{i}" for i in range(meters))
    session.run(sql_text(__package__, "used").format(quantities=sums, same=same))
    named = "".join(f", q{i}" for i in range(meters))
    statement = sql_text(__package__, "used_page").format(quantities=named)
    after = 0
    while page := session.rows(statement, {"after": after, "upto": after + PAGE}):
        for provider, place, state, unpriced, *counts in page:
            whole = (int(count) for count in counts)
            yield str(provider), int(place), str(state), bool(unpriced), *whole  # type: ignore[misc]
        after += PAGE


def _charges(
    provider: str, prices: _Prices, quantities: Mapping[str, int], calls: int, *, unpriced: bool
) -> Iterator[tuple[Sku, int]]:
    """The charges of a group; calls of which nothing is known are one of their own."""
    found = False
    for at, (meter, quantity) in enumerate(quantities.items()):
        listed, contract = (None, None) if unpriced else prices.by_meter[at]
        if not quantity or (meter == REQUEST and not contract and not listed):
            continue
        found = True
        sku = Sku(provider, prices.model, prices.tier, prices.region, meter, listed, contract,
                  prices.contract)  # fmt: skip
        yield sku, quantity
    if not found:
        yield Sku(provider, prices.model, prices.tier, prices.region, "", None, None), calls


def _bearers(decision: Decision, users: Users) -> Sequence[tuple[Bearer, int]]:
    """Who pays what an owner started, with weights; the owner itself where nobody else does."""
    owner = decision.owner
    payers = payers_of(owner, decision.payers, decision.joint, users)
    return [(bearer_of(owner_of(owner, one)), one.weight) for one in payers] or [
        (bearer_of(owner), 1)
    ]


def bearer_of(owner: Owner) -> Bearer:
    """Whom a row names for an owner."""
    executor = owner.executor if owner.executor != owner.team else ""
    return Bearer(owner.team, owner.feature, owner.purpose, owner.origin, executor, owner.service)


def is_token(meter: str) -> bool:
    """Whether a meter counts tokens."""
    return meter in TOKEN_CLASSES
