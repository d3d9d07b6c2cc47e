"""What an answer cost, for its head: the same price book and the same rule as everywhere.

The price list and the company's contracts are compiled for a key when it is first asked for, for
the days around it, so a call multiplies a few integers. What has no price has no cost here: nothing
is told, and never zero.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Final

from tallybook.books.model import Prices
from tallybook.meter.usage.model import UsageReading
from tallybook.money import format_units
from tallybook.rate.book import PriceBook
from tallybook.rate.compile import compile_prices
from tallybook.rate.lists import DEFAULT_LIST, load_list
from tallybook.rate.model import PriceKey, Vector
from tallybook.rate.reference import RowLookup, price_call, row_lookup

_PICO_SCALE: Final = 12
_DAY_US: Final = 86_400_000_000
_DAYS: Final = 2
_KEYS_MAX: Final = 2_000


class PriceTable:
    """Prices in force, compiled.

    Args:
        prices: contracts and aliases of the books.
        currency: of the books.
    """

    def __init__(self, prices: Prices, currency: str = "USD") -> None:
        self._book = PriceBook(load_list(DEFAULT_LIST), prices, currency)
        self._compiled: OrderedDict[tuple[PriceKey, int], RowLookup] = OrderedDict()

    def cost_pico(self, reading: UsageReading, started_us: int, region: str = "") -> int | None:
        """What an answer cost under contract, in pico; None if any of it is unknown or unpriced."""
        if reading.usage == "unknown" or not reading.parts:
            return None
        total = 0
        for part in reading.parts:
            tokens, units = dict(part.tokens or {}), dict(part.units or {})
            if None in tokens.values() or None in units.values() or not (tokens or units):
                return None
            key = PriceKey(
                reading.provider,
                part.model or reading.model,
                reading.tier,
                reading.region or region,
            )
            known = {name: count for name, count in tokens.items() if count is not None}
            counted = {name: count for name, count in units.items() if count is not None}
            found = price_call(
                self._lookup(key, started_us),
                key,
                known,
                counted,
                started_us,
                status=reading.status,
            )
            if not isinstance(found, dict):
                return None
            total += found["contract"]
        return total

    def vector(self, key: PriceKey, started_us: int, context: int) -> Vector | None:
        """Pico per meter under contract at so many input tokens; None if there is no price."""
        row = self._lookup(key, started_us)(key, started_us, context)
        return None if row is None else row.contract

    def _lookup(self, key: PriceKey, started_us: int) -> RowLookup:
        day = started_us // _DAY_US
        held = self._compiled.get((key, day))
        if held is None:
            start_us = day * _DAY_US
            end_us = start_us + _DAYS * _DAY_US
            rows, _ = compile_prices([key], [self._book], "contract", start_us, end_us)
            held = self._compiled[key, day] = row_lookup(rows)
            if len(self._compiled) > _KEYS_MAX:
                self._compiled.popitem(last=False)
        return held


def as_text(pico: int) -> str:
    """A cost in units of the currency, all decimals that it has and two at least."""
    whole, _, places = format_units(pico, _PICO_SCALE).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def table_of(books: Path | None) -> PriceTable:
    """The prices of the policy files in a folder; without one the list prices."""
    if books is None:
        return PriceTable(Prices())
    from tallybook.books.documents import parse, read_folder  # noqa: PLC0415 - YAML is slow to load

    found = parse(read_folder(books))
    return PriceTable(found.prices, found.org.company.currency)
