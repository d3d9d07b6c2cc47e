"""The calls of a month, as canonical usage events: the same for the same seed, to the byte.

Every kind of call draws from a randomness of its own, seeded by seed, month and kind; counts and
tokens are whole numbers throughout. Nothing here knows a price or an owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tallybook.clock import Calendar, Period, format_instant, parse_instant
from tallybook.sim.shapes import SHAPES, Shape

Record = dict[str, Any]

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
CALLS: Final = {"2026-08": 34_000, "2026-09": 38_000, "2026-10": 29_000}
TODAY: Final = "2026-10-23T00:00:00Z"
"""the open month has calls until here"""

_HOURS: Final = (*range(24), *range(7, 20), *range(8, 18), *range(9, 17), *range(9, 12))
_WEEKDAY, _WEEKEND = 6, 1
_LONG_MIN, _LONG_MAX = 205_000, 420_000
_ERRORS, _ABORTED, _ESTIMATED, _UNKNOWN = 12, 18, 26, 28
"""bounds per 1,000 calls: fails and is tried again, breaks off, has estimated, has no figures"""
_COHORTS: Final = ("free", "standard", "enterprise")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the company with the days on which calls are made."""

    period: str
    days_us: tuple[int, ...]
    end_us: int

    @classmethod
    def of(cls, period: str, zone: str) -> Month:
        """A month in a zone; weekdays appear more often than days of the weekend."""
        calendar = Calendar(zone, period)
        start_us, month_end_us = calendar.bounds_us(Period.parse(period))
        end_us = min(month_end_us, parse_instant(TODAY))
        days = range(start_us, end_us - DAY_US + 1, DAY_US)
        weighted = [day for day in days for _ in range(_WEEKEND if _rests(day) else _WEEKDAY)]
        return cls(period, tuple(weighted), end_us)


def _rests(day_us: int) -> bool:
    saturday = 2  # 1 January 1970 was a Thursday
    return (day_us // DAY_US + 1) % 7 in (saturday, saturday + 1)


def calls_of(month: Month, seed: int, scale: int = 1) -> list[Record]:
    """All calls of a month in the order in which they began.

    Args:
        month: which.
        seed: the same seed makes the same calls.
        scale: divides the number of calls.
    """
    total, weights = CALLS[month.period] // scale, sum(shape.weight for shape in SHAPES)
    records = [
        record
        for shape in SHAPES
        for record in _calls(shape, month, seed, max(1, total * shape.weight // weights))
    ]
    return sorted(records, key=lambda record: (record["started_at"], record["event_id"]))


def _calls(shape: Shape, month: Month, seed: int, count: int) -> Iterator[Record]:
    draw = Random(f"{seed}/{month.period}/{shape.twin or shape.name}")  # noqa: S311 - a simulation
    first = parse_instant(shape.from_at) if shape.from_at else 0
    last = parse_instant(shape.to_at) if shape.to_at else month.end_us
    for number in range(count):
        started_us = _instant(draw, month.days_us)
        call = _Call(shape, draw, started_us, f"{shape.name}-{month.period}-{number:05d}")
        if first <= started_us < last:
            yield from call.records()


def _instant(draw: Random, days_us: Sequence[int]) -> int:
    hour: int = _HOURS[draw.randrange(len(_HOURS))]
    day_us = days_us[draw.randrange(len(days_us))]
    return day_us + hour * HOUR_US + draw.randrange(3_590_000) * 1000


def spread(draw: Random, about: int) -> int:
    """A whole number from 0.16 to 2.6 times ``about``."""
    one, other = draw.randrange(40, 161), draw.randrange(40, 161)
    return about * one * other // 10_000


class _Call:
    """One call in the making; all draws happen at once, so that twins stay in step."""

    def __init__(self, shape: Shape, draw: Random, started_us: int, event_id: str) -> None:
        self._shape, self._id, self._started_us = shape, event_id, started_us
        self._input = spread(draw, shape.input_tokens)
        self._output = spread(draw, shape.output_tokens)
        is_long = draw.randrange(1000) < shape.long
        long_input = draw.randrange(_LONG_MIN, _LONG_MAX)
        if is_long:
            self._input = long_input
        self._fate = 1000 if shape.clean else draw.randrange(1000)
        self._latency_ms = 300 + self._output * draw.randrange(8, 16)
        self._customer, self._user = draw.randrange(400), draw.randrange(90)
        self._searches = draw.randrange(shape.searches + 1) if shape.searches else 0

    def records(self) -> Iterator[Record]:
        """The call's event; two when it failed and was tried again."""
        if self._fate < _ERRORS:
            failed = {"input_uncached": 0, "output": 0}
            yield self._record(":1", attempt=1, status="error", tokens=failed)
            yield self._record(":2", attempt=2, tokens=self._tokens(), **self._units())
        elif self._fate < _ABORTED:
            delivered = self._output // 3
            yield self._record(
                tokens=self._tokens(), status="client_aborted", output_delivered=delivered
            )
        elif self._fate < _ESTIMATED:
            yield self._record(tokens=self._tokens(), usage="estimated")
        elif self._fate < _UNKNOWN:
            yield self._record(usage="unknown")
        else:
            yield self._record(tokens=self._tokens(), **self._units())

    def _record(self, suffix: str = "", *, attempt: int = 0, **figures: Any) -> Record:
        started_us = self._started_us + (4_000_000 if attempt > 1 else 0)
        record: Record = {
            "event_id": self._id + suffix,
            "source": "gateway",
            "started_at": format_instant(started_us),
            "provider": self._shape.provider,
            "model": self._shape.model,
            "operation": "chat" if self._shape.output_tokens else "embeddings",
            "status": "ok",
            "latency_ms": self._latency_ms,
            "customer": f"c-{self._customer}",
            "user": f"u-{self._user}",
            "cohort": _COHORTS[self._customer % len(_COHORTS)],
            **self._tags(),
            **figures,
        }
        if attempt:
            record |= {"operation_id": self._id, "attempt": attempt}
        if self._shape.batch_from and started_us >= parse_instant(self._shape.batch_from):
            record["tier"] = "batch"
        return record

    def _tags(self) -> Record:
        tags: Record = dict(self._shape.tags)
        if prompt := tags.pop("prompt", ""):
            tags["labels"] = {"prompt": prompt}
        if run := tags.pop("run", ""):
            tags["evaluation_run"] = f"{run}-{self._id[-13:-6]}"
        return tags

    def _tokens(self) -> dict[str, int]:
        cached = self._input * self._shape.cached // 100
        written = self._input * self._shape.written // 100
        tokens = {"input_uncached": self._input - cached - written}
        if cached:
            tokens["cache_read"] = cached
        if written:
            tokens["cache_write_5m"] = written
        if self._output:
            tokens["output"] = self._output
        return tokens

    def _units(self) -> Record:
        return {"units": {"web_search": self._searches}} if self._searches else {}
