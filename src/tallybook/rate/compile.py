"""Compile price books into one wide table of elementary price intervals.

The table is what the engine joins: it holds instants and whole numbers, and no zone, window, glob
or fallback is left to decide per event.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallybook.errors import PriceError
from tallybook.rate.book import Layers, PriceBook
from tallybook.rate.card import Basis, card_prices
from tallybook.rate.grid import DAY_S, Grid, contexts_of, price_at, seconds_of
from tallybook.rate.model import PriceKey, PriceRow, Unpriced, Vector

DAY_US: Final = DAY_S * 1_000_000
PRICE_LIMIT: Final = 2**63


@dataclass(frozen=True, slots=True)
class _Band:
    """The three layers over one band of contexts."""

    over: int
    upto: int
    list: Vector | None
    contract: Vector | None
    card: Vector | None

    @property
    def priced(self) -> bool:
        return self.list is not None or self.contract is not None

    def continues(self, other: _Band) -> bool:
        """Whether the prices are those of the band below, so that the two are one."""
        mine = (self.list, self.contract, self.card)
        return self.over == other.upto and mine == (other.list, other.contract, other.card)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One interval of time with the same bands throughout."""

    from_us: int
    to_us: int
    bands: tuple[_Band, ...]
    undated: bool
    contract_ref: str
    reason: str
    capacity: str

    def continues(self, other: _Stretch) -> bool:
        """Whether only the clock has moved since the other stretch."""
        return replace(other, from_us=self.from_us, to_us=self.to_us) == self


def compile_prices(
    keys: Iterable[PriceKey],
    publications: Sequence[PriceBook],
    basis: Basis,
    start_us: int,
    end_us: int,
) -> tuple[list[PriceRow], list[Unpriced]]:
    """Every price of the keys in a period, cut at each date, window and context bound.

    Args:
        keys: what the events carry; repeats do not matter, order neither.
        publications: the period's price books in order of number; list and contract are those of
            the last, the card begins with the first.
        basis: which layer the rate card freezes.
        start_us: first instant of the period.
        end_us: the instant after its last.

    Returns:
        The rows, disjoint and sorted by key, time and context, and the stretches without a price.
        A row may lack meters: calls that use them are unpriced.

    Raises:
        PriceError: contract rows compete, or a price does not fit 64 bits.
    """
    rows: list[PriceRow] = []
    unpriced: list[Unpriced] = []
    for key in sorted(set(keys)):
        card = card_prices(publications, key, start_us, end_us, basis)
        layers = publications[-1].layers(key, start_us, end_us)
        for stretch in _merged(
            s for layer in layers for s in _stretches(layer, _card(layer, card))
        ):
            rows += _rows(key, stretch, len(rows))
            if not any(band.priced for band in stretch.bands):
                reason = stretch.reason or "no price at this hour of the day"
                unpriced.append(Unpriced(key, stretch.from_us, stretch.to_us, reason))
    return rows, unpriced


def _card(layer: Layers, card: Grid) -> Grid:
    """The card of a stretch: of calls on capacity it is their contract, which is nothing."""
    return layer.contract if layer.capacity else card


def compile_foreign(
    keys: Iterable[PriceKey], own: PriceBook, recognised: PriceBook, start_us: int, end_us: int
) -> list[PriceRow]:
    """The prices of contracts in another currency: there as contract, in the books' as card.

    Args:
        keys: what the events carry.
        own: a bare book whose contracts are priced in the other currency.
        recognised: the same contracts at the rates of the books.
        start_us: first instant of the period.
        end_us: the instant after its last.
    """
    rows: list[PriceRow] = []
    for key in sorted(set(keys)):
        layers = own.layers(key, start_us, end_us)
        others = recognised.layers(key, start_us, end_us)
        for layer, other in zip(layers, others, strict=True):
            for stretch in _stretches(layer, other.contract):
                rows += _rows(key, stretch, len(rows))
    return rows


def _stretches(layer: Layers, card: Grid) -> Iterator[_Stretch]:
    """A layer cut at the seconds of the UTC day where a price changes."""
    grids = (layer.list, layer.contract, card)
    seconds = seconds_of(grids)
    if len(seconds) == 2:  # noqa: PLR2004  one part: the price holds all day, no day need be cut
        yield _stretch(layer, grids, 0, layer.from_us, layer.to_us)
        return
    for day_us in range(layer.from_us // DAY_US * DAY_US, layer.to_us, DAY_US):
        for begin, end in itertools.pairwise(seconds):
            from_us = max(layer.from_us, day_us + begin * 1_000_000)
            to_us = min(layer.to_us, day_us + end * 1_000_000)
            if from_us < to_us:
                yield _stretch(layer, grids, begin, from_us, to_us)


def _stretch(
    layer: Layers, grids: tuple[Grid, Grid, Grid], second: int, from_us: int, to_us: int
) -> _Stretch:
    bands = tuple(_bands(grids, second))
    said = (layer.undated, layer.contract_ref, layer.reason, layer.capacity)
    return _Stretch(from_us, to_us, bands, *said)


def _bands(grids: tuple[Grid, Grid, Grid], second: int) -> Iterator[_Band]:
    contexts = contexts_of(grids)
    held: _Band | None = None
    for over, upto in itertools.pairwise(contexts):
        published, contract, card = (price_at(grid, second, upto) for grid in grids)
        band = _Band(over, upto, published, contract, card)
        if held is not None and band.continues(held):
            held = replace(held, upto=upto)
            continue
        if held is not None:
            yield held
        held = band
    if held is not None:
        yield held


def _merged(stretches: Iterable[_Stretch]) -> Iterator[_Stretch]:
    held: _Stretch | None = None
    for stretch in stretches:
        if held is not None and stretch.continues(held):
            held = replace(held, to_us=stretch.to_us)
            continue
        if held is not None:
            yield held
        held = stretch
    if held is not None:
        yield held


def _rows(key: PriceKey, stretch: _Stretch, before: int) -> list[PriceRow]:
    bands = [band for band in stretch.bands if band.priced]
    return [
        PriceRow(
            price_id=before + number,
            provider=key.provider,
            model=key.model,
            tier=key.tier,
            region=key.region,
            from_us=stretch.from_us,
            to_us=stretch.to_us,
            context_over=band.over,
            context_upto=band.upto,
            list=_within_limit(key, band.list),
            contract=_within_limit(key, band.contract),
            card=_within_limit(key, band.card),
            undated=stretch.undated,
            contract_ref=stretch.contract_ref,
            capacity=stretch.capacity,
        )
        for number, band in enumerate(bands, start=1)
    ]


def _within_limit(key: PriceKey, prices: Vector | None) -> Vector | None:
    for meter, pico in sorted((prices or {}).items()):
        if not 0 <= pico < PRICE_LIMIT:
            raise PriceError(
                f"{key.provider}/{key.model}: {meter} at {pico} pico is not from 0 to 2^63 - 1",
                where="prices.yaml",
                next_step="check the unit of the price: per million tokens, or per unit",
            )
    return dict(sorted(prices.items())) if prices is not None else None
