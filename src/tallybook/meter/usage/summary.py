"""A reading in the totals that people compare with a provider's page; the parts added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from tallybook.books.meters import TOKEN_CLASSES_INPUT, TOKEN_CLASSES_OUTPUT
from tallybook.meter.usage.model import UsageReading

_READS: Final = ("cache_read", "cache_read_audio")
_WRITES: Final = tuple(name for name in TOKEN_CLASSES_INPUT if name.startswith("cache_write"))
_UNCACHED: Final = tuple(name for name in TOKEN_CLASSES_INPUT if name not in {*_READS, *_WRITES})


def summary(reading: UsageReading) -> dict[str, Any]:
    """Totals of a reading; None is what the response does not tell, and never zero.

    ``input_tokens`` has all billed input in it, cache reads and writes too, and ``output_tokens``
    all billed output. ``extras``, present if there are any, are counts with a meaning of their own
    and a cost that the response states.
    """
    total = _totals(reading)
    told: dict[str, Any] = {
        "usage_found": any(part.tokens or part.units for part in reading.parts),
        "input_tokens": total((*_UNCACHED, *_READS, *_WRITES)),
        "uncached_input_tokens": total(_UNCACHED),
        "cache_read_tokens": total(_READS),
        "cache_write_tokens": total(_WRITES),
        "cache_write_5m_tokens": total(("cache_write_5m",)),
        "cache_write_1h_tokens": total(("cache_write_1h",)),
        "output_tokens": total(TOKEN_CLASSES_OUTPUT),
        "reasoning_tokens": total(("reasoning",)),
    }
    extras: dict[str, Any] = dict(reading.extras)
    if reading.reported_cost is not None:
        amount, currency = reading.reported_cost
        extras[f"provider_cost_{currency.lower()}"] = amount
    return told | ({"extras": extras} if extras else {})


def _totals(reading: UsageReading) -> Callable[[Iterable[str]], int | None]:
    """The sum of some classes over all parts: None if no part has one, or one is unknown."""

    def total(names: Iterable[str]) -> int | None:
        told = [
            part.tokens[name]
            for part in reading.parts
            if part.tokens
            for name in names
            if name in part.tokens
        ]
        known = [each for each in told if each is not None]
        return sum(known) if known and len(known) == len(told) else None

    return total
