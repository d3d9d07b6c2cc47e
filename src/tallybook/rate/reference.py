"""Price one call, in plain integers: the rule that the engine's text is held to.

The whole request takes the band of its input tokens, output too; the threshold itself is still
below it. Reasoning is inside output and has no price of its own. The fee per request, where there
is one, is due once for every call that did not fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tallybook.books.meters import TOKEN_CLASSES_INFORMATIVE, TOKEN_CLASSES_INPUT
from tallybook.rate.model import PriceKey, PriceRow, Unpriced, Vector

RowLookup = Callable[[PriceKey, int, int], PriceRow | None]
"""The row of a key at an instant (microseconds) and a context (input tokens)."""

REQUEST: Final = "request"
REQUIRED_LAYERS: Final = ("contract", "card")


def row_lookup(rows: Iterable[PriceRow]) -> RowLookup:
    """Find rows of a compiled table by key, instant and context."""
    by_key: dict[PriceKey, list[PriceRow]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)

    def find(key: PriceKey, started_us: int, context: int) -> PriceRow | None:
        held = by_key.get(key, ())
        return next((row for row in held if row.holds(started_us, context)), None)

    return find


def context_of(tokens: Mapping[str, int]) -> int:
    """Input tokens of the request, cached or not, which decide its band."""
    return sum(tokens.get(name, 0) for name in TOKEN_CLASSES_INPUT)


def used_meters(
    tokens: Mapping[str, int], units: Mapping[str, int], row: PriceRow, status: str = "ok"
) -> dict[str, int]:
    """What the call is billed for: positive counts by meter, the request fee included."""
    counts = {m: n for m, n in tokens.items() if m not in TOKEN_CLASSES_INFORMATIVE}
    counts |= {unit: count for unit, count in units.items() if unit != REQUEST}
    fee_stated = any(REQUEST in (layer or {}) for layer in (row.list, row.contract, row.card))
    if fee_stated and status != "error":
        counts[REQUEST] = 1
    return {meter: count for meter, count in sorted(counts.items()) if count}


def price_call(
    lookup: RowLookup,
    key: PriceKey,
    tokens: Mapping[str, int],
    units: Mapping[str, int],
    started_us: int,
    *,
    status: str = "ok",
) -> dict[str, int] | Unpriced:
    """What one call costs in each layer, in pico, exactly.

    Args:
        lookup: the compiled prices.
        key: what the event says about its price.
        tokens: count by token class.
        units: count by unit.
        started_us: when the call began.
        status: ``ok``, ``error`` or ``client_aborted``.

    Returns:
        Pico by layer (``contract``, ``card``, and ``list`` where it prices the whole call), or
        why the call cannot be priced.
    """
    row = lookup(key, started_us, context_of(tokens))
    if row is None:
        return Unpriced(key, started_us, started_us + 1, "no price at this instant and context")
    counts = used_meters(tokens, units, row, status)
    layers = {"list": row.list, "contract": row.contract, "card": row.card}
    for name in REQUIRED_LAYERS:
        missing = [meter for meter in counts if meter not in (layers[name] or {})]
        if missing:
            reason = f"no {name} price for {', '.join(missing)}"
            return Unpriced(key, row.from_us, row.to_us, reason)
    return {
        name: sum(count * prices[meter] for meter, count in counts.items())
        for name, prices in layers.items()
        if prices is not None and _prices_all(prices, counts)
    }


def _prices_all(prices: Vector, counts: Mapping[str, int]) -> bool:
    return all(meter in prices for meter in counts)
