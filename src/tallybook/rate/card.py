"""The rate card: the price that teams see, the same for the whole period.

The card of a key is its price at the period's first instant under the first publication that
prices it. What is not priced then takes its first price of the period, earlier publications
first; this holds meter by meter, so a search fee agreed in mid-month has a card price too, and the
hours of an off-peak window keep the prices that they had.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Literal

from tallybook.rate.book import PriceBook
from tallybook.rate.grid import Grid, overlaid
from tallybook.rate.model import PriceKey

Basis = Literal["contract", "list"]


def card_prices(
    publications: Sequence[PriceBook], key: PriceKey, start_us: int, end_us: int, basis: Basis
) -> Grid:
    """The card of one key for one period, as a grid over the day and the context.

    Args:
        publications: the price books published for the period, in order of number.
        key: what is priced.
        start_us: first instant of the period.
        end_us: the instant after its last.
        basis: which layer the card freezes.

    Returns:
        The grid; empty when no publication prices the key in the period.
    """
    return reduce(overlaid, _grids(publications, key, start_us, end_us, basis), ())


def _grids(
    publications: Sequence[PriceBook], key: PriceKey, start_us: int, end_us: int, basis: Basis
) -> Iterator[Grid]:
    for book in publications:
        for stretch in book.layers(key, start_us, end_us):
            if stretch.capacity:
                continue  # what runs on capacity has no price to freeze
            yield stretch.contract if basis == "contract" else stretch.list
