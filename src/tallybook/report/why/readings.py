"""Readings: the ways in which people and tools put a price on one and the same usage.

Each is a hypothesis that is computed exactly on our usage and compared with what a rival figure
says. Most are failures that other tools are known for: list price for contract price, a price that
was overwritten in place, cached tokens billed as input or counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tallybook.clock import format_instant
from tallybook.rate.model import PriceRow, Vector
from tallybook.report.why.model import UsageCell
from tallybook.report.why.usage import OurUsage

CHANGES_MAX: Final = 24
"""The newest so many changes of price are tried as the date of a stale price list."""
_CACHED: Final = {"cache_read_audio": "audio_input"}
Layer = Callable[[PriceRow], Vector | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to price usage.

    Args:
        cause: its name.
        words: what a figure with it did, in words.
        price: pico per unit of a cell; 0 without a price.
    """

    cause: str
    words: str
    price: Callable[[UsageCell], int]

    def amount(self, cells: Iterable[UsageCell]) -> int:
        """Pico."""
        return sum(cell.quantity * self.price(cell) for cell in cells)


def readings(ours: OurUsage, base: str) -> tuple[Reading, ...]:
    """All readings, ours first.

    Args:
        ours: the usage and its prices.
        base: what our total is made with: ``contract`` or ``card``.
    """
    layers: dict[str, tuple[str, Layer]] = {
        "contract": ("contract prices", lambda row: row.contract),
        "card": ("the month's rate card", lambda row: row.card),
        "list": ("list prices", lambda row: row.list),
    }
    plain = [
        Reading(f"{name}_price", words, _at(ours, layer)) for name, (words, layer) in layers.items()
    ]
    plain.sort(key=lambda reading: reading.cause != f"{base}_price")
    cached = [
        Reading(f"{cause}_{name}", f"{words}, at {told}", twist(_at(ours, layer)))
        for name, (told, layer) in layers.items()
        for cause, words, twist in (
            ("cache_as_input", "cached tokens billed as plain input", _as_input),
            ("cache_twice", "cached tokens counted as input and again as cached", _twice),
            ("cache_unseen", "cached tokens not billed at all", _unseen),
        )
    ]
    dated = [
        Reading(
            f"{name}_of_{format_instant(at_us)[:10]}",
            f"{told} of {format_instant(at_us)[:10]} on all usage",
            _as_of(ours, layer, at_us),
        )
        for name, (told, layer) in layers.items()
        if name != "card"
        for at_us in _changes(ours, layer)
    ]
    return (*plain, *cached, *dated)


def _layer_price(row: PriceRow, layer: Layer, meter: str) -> int:
    """A layer that does not name a meter follows the contract."""
    vector, contract = layer(row) or {}, row.contract or {}
    return vector.get(meter, contract.get(meter, 0))


def _row_of(ours: OurUsage, cell: UsageCell) -> PriceRow | None:
    return ours.prices[cell.period, cell.price_id] if cell.price_id else None


def _at(ours: OurUsage, layer: Layer) -> Callable[..., int]:
    def price(cell: UsageCell, meter: str = "") -> int:
        row = _row_of(ours, cell)
        return _layer_price(row, layer, meter or cell.token_class) if row else 0

    return price


def _plain_input(meter: str) -> str:
    return _CACHED.get(meter, "input_uncached")


def _as_input(price: Callable[..., int]) -> Callable[[UsageCell], int]:
    return lambda cell: price(
        cell,
        _plain_input(cell.token_class) if cell.token_class.startswith("cache_") else "",
    )


def _twice(price: Callable[..., int]) -> Callable[[UsageCell], int]:
    return lambda cell: (
        price(cell)
        + (
            price(cell, _plain_input(cell.token_class))
            if cell.token_class.startswith("cache_")
            else 0
        )
    )


def _unseen(price: Callable[..., int]) -> Callable[[UsageCell], int]:
    return lambda cell: 0 if cell.token_class.startswith("cache_") else price(cell)


def _changes(ours: OurUsage, layer: Layer) -> Sequence[int]:
    """Instants from which some key had another price, and those before them, newest first."""
    found = set()
    for rows in ours.earlier.values():
        for row in rows:
            others = [one for one in rows if one.to_us == row.from_us]
            if any(layer(one) != layer(row) for one in others):
                found |= {row.from_us, *(one.from_us for one in others)}
    return sorted(found, reverse=True)[:CHANGES_MAX]


def _as_of(ours: OurUsage, layer: Layer, at_us: int) -> Callable[[UsageCell], int]:
    """Prices of one instant on all usage; where there was none then, the price that holds."""
    found: dict[tuple[str, int], PriceRow] = {}

    def then(cell: UsageCell) -> PriceRow | None:
        row = _row_of(ours, cell)
        if row is None:
            return None
        place = (cell.period, cell.price_id)
        if place not in found:
            held = (
                one for one in ours.earlier.get(row.key, ()) if one.holds(at_us, row.context_upto)
            )
            found[place] = next(held, row)
        return found[place]

    def price(cell: UsageCell) -> int:
        row = then(cell)
        return _layer_price(row, layer, cell.token_class) if row else 0

    return price
