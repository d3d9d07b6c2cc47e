"""The price book: a published list, and the company's contracts over it.

Which contract row prices a call: the most specific that matches, in the order of
``ContractRow.precedence`` (model, tier, region, price before discount). Rows of one precedence
share the call, meter by meter, a later start first. A meter that the winning rows do not name has
its list price, never the discount of a less specific row. Nothing is looked up per event: each key
is resolved once, and its prices are compiled into intervals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial, reduce
from itertools import combinations, pairwise
from typing import Final

from tallybook.books.globs import glob_matches
from tallybook.books.meters import TOKEN_CLASSES
from tallybook.books.model import Prices
from tallybook.books.terms import Capacity, ContractRow
from tallybook.clock import format_instant
from tallybook.errors import PriceError
from tallybook.money import discounted_price
from tallybook.rate.grid import Cell, Grid, mapped, overlaid, whole_day
from tallybook.rate.lists import PriceList, Segment
from tallybook.rate.model import ANY_CONTEXT, NO_BOUND, STANDARD, PriceKey
from tallybook.rate.resolve import Resolved, resolve_key, tier_name

_NO_SEGMENT: Final = Segment(None, ())
_CARRIED: Final[Grid] = (whole_day(dict.fromkeys(TOKEN_CLASSES, 0)),)
"""What calls on capacity pay for their tokens; other units keep their prices."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What a key costs while nothing dated changes; the grids say it per second and context.

    Args:
        from_us: first instant of the stretch.
        to_us: the instant after its last.
        list: the published price; empty without one.
        contract: the negotiated price over it; the list price where nothing was negotiated.
        undated: the published price has no start date.
        contract_ref: the contracts that made the contract layer; empty for the list price.
        reason: why there is no published price; empty when there is one.
        capacity: on which the calls run; what it carries has no price of its own.
    """

    from_us: int
    to_us: int
    list: Grid
    contract: Grid
    undated: bool
    contract_ref: str
    reason: str
    capacity: str = ""


class PriceBook:
    """One publication's prices.

    Args:
        price_list: the published list.
        prices: contracts and aliases of the books.
        currency: the books' currency; a list in another is refused.
        bare: prices of contracts alone, without the list under them.

    Raises:
        PriceError: two contract rows would price the same meter of the same call, or the list is
            in another currency.
    """

    def __init__(
        self, price_list: PriceList, prices: Prices, currency: str = "USD", *, bare: bool = False
    ) -> None:
        if price_list.currency != currency:
            raise PriceError(
                f"list {price_list.version} is in {price_list.currency}, the books in {currency}",
                next_step="keep the books in the currency of the list",
            )
        rivals: dict[tuple[object, ...], list[ContractRow]] = defaultdict(list)
        for row in prices.contracts:
            rivals[(*_selector(row), row.from_us)].append(row)
        for rows in rivals.values():
            for one, other in combinations(rows, 2):
                _require_apart(one, other)
        self._bare = bare
        self.price_list = price_list
        self.prices = prices
        self._resolved: dict[PriceKey, Resolved] = {}
        self._rows: dict[PriceKey, tuple[ContractRow, ...]] = {}

    def resolve(self, key: PriceKey) -> Resolved:
        """The list model that the key means; found once per key."""
        if key not in self._resolved:
            self._resolved[key] = resolve_key(key, self.price_list, self.prices.aliases)
        return self._resolved[key]

    def layers(self, key: PriceKey, start_us: int, end_us: int) -> list[Layers]:
        """The prices of a key from one instant until before another, cut wherever they change.

        Raises:
            PriceError: two contract rows price the same meter of the same call.
        """
        cuts = self._cuts(key, start_us, end_us)
        return [self._at(key, a, b) for a, b in pairwise(cuts)]

    def _cuts(self, key: PriceKey, start_us: int, end_us: int) -> list[int]:
        segments, _ = self._segments(key)
        dates = {segment.from_us for segment in segments if segment.from_us is not None}
        for row in self._contract_rows(key):
            dates |= {row.from_us, row.to_us}
        for one in self._capacity(key):
            dates |= {one.from_us, one.to_us}
        return sorted({start_us, end_us} | {us for us in dates if start_us < us < end_us})

    def _at(self, key: PriceKey, from_us: int, to_us: int) -> Layers:
        on = next((one for one in self._capacity(key) if one.holds(from_us)), None)
        segments, reason = self._segments(key)
        if on and not segments:
            # What runs on capacity may carry a tier that no list knows: its shadow is standard.
            segments, reason = self._segments(replace(key, tier=STANDARD))
        held = [s for s in segments if s.from_us is None or s.from_us <= from_us]
        segment = held[-1] if held else _NO_SEGMENT
        if not segment.grid:
            reason = reason or f"tier {tier_name(key.tier)!r} has no list price yet"
        rows = _winners(key, [r for r in self._contract_rows(key) if r.span.holds(from_us)])
        negotiated = _negotiated(segment.grid, rows)
        return Layers(
            from_us=from_us,
            to_us=to_us,
            list=segment.grid,
            contract=overlaid(_CARRIED, negotiated) if on else negotiated,
            undated=bool(segment.grid) and segment.from_us is None,
            contract_ref=on.id if on else ", ".join(dict.fromkeys(row.contract for row in rows)),
            reason="" if segment.grid or on else reason,
            capacity=on.id if on else "",
        )

    def _segments(self, key: PriceKey) -> tuple[Sequence[Segment], str]:
        """The list prices of the key's tier by date, or none and why."""
        resolved = self.resolve(key)
        if self._bare:
            return (), "contracts alone"
        if resolved.model is None:
            return (), resolved.reason
        where = f"{resolved.model.provider}/{resolved.model.id}"
        if resolved.resold and resolved.tier != STANDARD:
            return (), f"{where} is resold: the list has no tier {resolved.tier!r} for it"
        segments = resolved.model.tiers.get(resolved.tier, ())
        if segments:
            return segments, ""
        refused = self.price_list.why_refused(resolved.model, resolved.tier)
        return (), f"{where}: {refused or f'the list has no tier {resolved.tier!r}'}"

    def _capacity(self, key: PriceKey) -> tuple[Capacity, ...]:
        """The capacity that the key's calls run on, while it stands."""
        if self._bare or not self.prices.capacity:
            return ()
        resolved = self.resolve(key)
        return tuple(x for x in self.prices.capacity if x.serves and _matches(x, resolved))

    def _contract_rows(self, key: PriceKey) -> tuple[ContractRow, ...]:
        if key not in self._rows:
            resolved = self.resolve(key)
            self._rows[key] = tuple(r for r in self.prices.contracts if _matches(r, resolved))
        return self._rows[key]


def _matches(row: ContractRow | Capacity, resolved: Resolved) -> bool:
    named = not row.model or any(glob_matches(row.model, name) for name in resolved.models)
    tier = not row.tier or tier_name(row.tier) == resolved.tier
    return (
        named
        and tier
        and row.provider in resolved.providers
        and row.region in {"", resolved.key.region}
    )


def _selector(row: ContractRow) -> tuple[str, str, str, str, bool]:
    return (row.provider, row.model, row.tier, row.region, row.is_discount)


def _rank(key: PriceKey, row: ContractRow) -> tuple[tuple[int, ...], bool]:
    """Specificity; a row in the event's own provider name goes before one in the list's."""
    return row.precedence, row.provider == key.provider


def _winners(key: PriceKey, rows: Sequence[ContractRow]) -> list[ContractRow]:
    """The most specific of the rows in force, a later start first."""
    if not rows:
        return []
    best = max(_rank(key, row) for row in rows)
    winners = [row for row in rows if _rank(key, row) == best]
    for one, other in combinations(winners, 2):
        _require_apart(one, other)
    winners.sort(key=lambda row: (-row.from_us, row.contract, row.line))
    return winners[:1] if winners[0].is_discount else winners


def _require_apart(one: ContractRow, other: ContractRow) -> None:
    """Refuse two rows of one specificity that start together and price the same meter."""
    shared = sorted(_meters(one) & _meters(other)) or ["every meter"] * one.is_discount
    if shared and one.from_us == other.from_us and one.span.overlaps(other.span):
        raise PriceError(
            f"two prices for {', '.join(shared)} of one call from "
            f"{format_instant(one.from_us)}: {one.line}, and {other.line}",
            where="prices.yaml",
            next_step="end one of the rows, or narrow it to a model, tier or region",
        )


def _meters(row: ContractRow) -> set[str]:
    return {*row.prices, *row.long_context_prices}


def _negotiated(published: Grid, rows: Sequence[ContractRow]) -> Grid:
    if not rows:
        return published
    discount = rows[0].discount
    if discount is not None:
        return mapped(published, partial(_discounted, discount=discount))
    return reduce(overlaid, [*map(_row_grid, rows), published])


def _discounted(pico: int, discount: Fraction) -> int:
    return discounted_price(pico, discount)


def _row_grid(row: ContractRow) -> Grid:
    threshold = row.long_context_over
    if threshold is None:
        return (whole_day(row.prices),)
    above: Cell = whole_day({**row.prices, **row.long_context_prices}, threshold, ANY_CONTEXT)
    return (whole_day(row.prices, NO_BOUND, threshold), above)
