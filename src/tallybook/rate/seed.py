"""Compile the pinned price library into one frozen published list.

A developer verb, run once per pinned version: ``python -m tallybook.rate.seed OUT``. It asks the
library's own conditions and variants at every instant where they can change, so that the list
says what the library says, without its silent answers: the first price when none is in force, the
standard price for an unknown tier, zero for what has no price.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tallybook.rate.seed_meters import BASE, Meters, meters_of

LIBRARY_VERSION: Final = "0.2.3"
DAY_S: Final = 86_400

# The request conditions of the library that are a service tier of ours.
TIER_CONTEXTS: Final = frozenset({"service_tier", "processing", "speed"})
STANDARD: Final = "standard"


@dataclass(slots=True)
class Refusals:
    """What was left out, and why; one line per provider, model, tier and meter."""

    rows: dict[tuple[str, str, str, str], str] = field(default_factory=dict)

    def add(self, provider: str, model: str, tier: str, meter: str, reason: str) -> None:
        """Note a refusal once, with its first reason; empty meter: the whole price."""
        self.rows.setdefault((provider, model, tier, meter), reason)

    def document(self) -> list[dict[str, str]]:
        """The refusals as plain rows, sorted."""
        names = ("provider", "model", "tier", "meter")
        return [
            {**dict(zip(names, row, strict=True)), "reason": reason}
            for row, reason in sorted(self.rows.items())
        ]


def compile_list() -> bytes:
    """The published list as canonical JSON, ending in a line feed.

    Needs the price library, which is there for developers only.
    """
    from genai_prices.data import providers  # noqa: PLC0415  a dependency of this verb alone

    refusals = Refusals()
    rows = [_provider(provider, refusals) for provider in sorted(providers, key=lambda p: p.id)]
    document = {
        "version": f"genai-prices-{LIBRARY_VERSION}",
        "source": f"genai-prices {LIBRARY_VERSION}, MIT, data of the wheel",
        "currency": "USD",
        "scale": 12,
        "providers": rows,
        "refused": refusals.document(),
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return (text + "\n").encode()


def _provider(provider: Any, refusals: Refusals) -> dict[str, Any]:
    return {
        "id": provider.id,
        "fallbacks": list(provider.fallback_model_providers or ()),
        "models": [_model(provider.id, model, refusals) for model in provider.models],
    }


def _model(provider: str, model: Any, refusals: Refusals) -> dict[str, Any]:
    reader = _Reader(provider, model, refusals)
    tiers = {tier: reader.segments(tier) for tier in reader.tiers()}
    return {
        "id": model.id,
        "match": match_clause(model.match),
        "tiers": {tier: segments for tier, segments in tiers.items() if segments},
    }


def match_clause(clause: Any) -> dict[str, Any]:
    """A match clause as plain data: one operator and its text, or ``or``/``and`` of clauses."""
    ((name, value),) = vars(clause).items()
    if isinstance(value, str):
        return {name: value}
    return {name.rstrip("_"): [match_clause(part) for part in value]}


class _Reader:
    """Asks one model of the library for its prices per tier and instant."""

    def __init__(self, provider: str, model: Any, refusals: Refusals) -> None:
        self.provider = provider
        self.model = model
        self.refusals = refusals
        plain = not isinstance(model.prices, list)
        self.prices: list[tuple[Any, Any]] = (
            [(None, model.prices)] if plain else [(p.constraint, p.prices) for p in model.prices]
        )
        self.variants = list(model.price_variants or ())

    def tiers(self) -> dict[str, None]:
        """Every tier that the library names for the model, standard first."""
        named = {_tier_of(variant.when): None for variant in self.variants}
        return {STANDARD: None} | {tier: None for tier in named if tier}

    def segments(self, tier: str) -> list[dict[str, Any]]:
        """The prices of a tier by start date; a stretch without a price has no parts."""
        made: list[dict[str, Any]] = []
        for start in self._starts():
            parts = list(self._parts(tier, start))
            if made and made[-1]["parts"] == parts:
                continue
            from_us = None if start is None else _us(start)
            made.append({"from_us": from_us, "undated": from_us is None, "parts": parts})
        if not any(segment["parts"] for segment in made):
            return []
        return made

    def _constraints(self) -> Iterator[Any]:
        yield from (constraint for constraint, _ in self.prices if constraint is not None)
        yield from (v.constraint for v in self.variants if v.constraint is not None)

    def _starts(self) -> list[datetime | None]:
        days = {c.start_date for c in self._constraints() if hasattr(c, "start_date")}
        return [None, *(datetime.combine(day, time(), UTC) for day in sorted(days))]

    def _last_start(self) -> datetime | None:
        days = [c.start_date for c, _ in self.prices if hasattr(c, "start_date")]
        return datetime.combine(max(days), time(), UTC) if days else None

    def _edges(self) -> list[int]:
        edges = {0, DAY_S}
        for constraint in self._constraints():
            if hasattr(constraint, "start_time"):
                edges |= {_second(constraint.start_time), _second(constraint.end_time)}
        return sorted(edges)

    def _parts(self, tier: str, start: datetime | None) -> Iterator[dict[str, Any]]:
        """The day in parts of one price each, with one band per context threshold."""
        day = start or datetime(1970, 1, 2, tzinfo=UTC)
        edges = self._edges()
        held: dict[str, Any] | None = None
        for begin, end in itertools.pairwise(edges):
            moment = day.replace(hour=begin // 3600, minute=begin // 60 % 60, second=begin % 60)
            bands = self._bands(tier, moment)
            if held and held["to_s"] == begin and held["bands"] == bands:
                held["to_s"] = end
                continue
            if held:
                yield held
            held = {"from_s": begin, "to_s": end, "bands": bands} if bands else None
        if held:
            yield held

    def _bands(self, tier: str, moment: datetime) -> list[dict[str, Any]]:
        prices = self._prices_at(tier, moment)
        if prices is None:
            return []
        if not prices:
            self._refuse(tier, "", "the library states no price; it would be a silent zero")
            return []
        starts = {t.start for price in prices.values() for t in getattr(price, "tiers", ())}
        made = []
        for over in [-1, *sorted(starts)]:
            meters = meters_of(self.provider, self.model.id, _at_context(prices, over))
            self._refuse_unmodelled(meters)
            for meter, reason in meters.refused.items():
                self._refuse(tier, "" if meter in BASE else meter, reason)
            if meters.base_refused or not meters.prices:
                return []
            made.append({"over": over, "prices": meters.prices})
        return made

    def _prices_at(self, tier: str, moment: datetime) -> Mapping[str, Any] | None:
        """Library prices by key; None when the tier has no price of its own at the moment."""
        standard = self._standard_at(tier, moment)
        if standard is None:
            return None
        found = False
        own: dict[str, Any] = {}
        for variant in self.variants:
            active = variant.constraint is None or variant.constraint.active(moment)
            if active and _tier_of(variant.when) == tier:
                found = True
                own = {**_stated(variant.prices), **own}
        if tier != STANDARD and not found:
            return None
        return {**standard, **own}

    def _standard_at(self, tier: str, moment: datetime) -> Mapping[str, Any] | None:
        last = self._last_start()
        for constraint, prices in reversed(self.prices):
            if constraint is not None and not constraint.active(moment):
                continue
            if hasattr(constraint, "start_time"):
                if "day-of-week" in (self.model.price_comments or ""):
                    self._refuse(tier, "", "a daily window that its source limits to weekdays")
                    return None
                if last is not None and moment < last:
                    self._refuse(tier, "", "an undated daily window before a dated price")
                    return None
            return _stated(prices)
        return None

    def _refuse_unmodelled(self, meters: Meters) -> None:
        """Refuse meters whose price hangs on a condition that events do not carry."""
        for variant in self.variants:
            if _tier_of(variant.when):
                continue
            ((name, value),) = variant.when.items()
            for meter in meters_of(self.provider, self.model.id, _flat(variant.prices)).prices:
                meters.refuse(meter, f"another price under {name}={value}, which no event tells")

    def _refuse(self, tier: str, meter: str, reason: str) -> None:
        self.refusals.add(self.provider, self.model.id, tier, meter, reason)


def _tier_of(when: Mapping[str, str]) -> str:
    """The tier that a variant's condition names; empty when it is not a tier."""
    if len(when) != 1:
        return ""
    ((name, value),) = when.items()
    if name not in TIER_CONTEXTS:
        return ""
    return STANDARD if (name, value) == ("service_tier", "default") else value


def _stated(prices: Any) -> dict[str, Any]:
    return {key: price for key, price in vars(prices).items() if price is not None}


def _flat(prices: Any) -> dict[str, Decimal]:
    return _at_context(_stated(prices), -1)


def _at_context(prices: Mapping[str, Any], over: int) -> dict[str, Decimal]:
    """The prices of a call with just more input tokens than ``over``."""
    return {key: _price_over(price, over) for key, price in prices.items()}


def _price_over(price: Any, over: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    reached: Decimal = price.base
    for step in price.tiers:
        if step.start <= over:
            reached = step.price
    return reached


def _second(moment: time) -> int:
    """The second of the UTC day; a library time without an offset is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    utc = datetime.combine(datetime(1970, 1, 2, tzinfo=UTC), aware).astimezone(UTC)
    return utc.hour * 3600 + utc.minute * 60 + utc.second


def _us(moment: datetime) -> int:
    days = (moment - datetime(1970, 1, 1, tzinfo=UTC)).days
    return days * DAY_S * 1_000_000


def main(arguments: Sequence[str]) -> None:
    """Write the list to the one path given."""
    (out,) = arguments
    Path(out).write_bytes(compile_list())


if __name__ == "__main__":
    main(sys.argv[1:])
