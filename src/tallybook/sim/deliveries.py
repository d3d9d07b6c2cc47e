"""How a month's events reach the books: files in pieces, with what goes wrong in real life.

A second file repeats records that the first one brought, holds one id with another record, and
corrects estimates once the provider's figures are known. Some events of the first month come only
after its close.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallybook.sim.agents import runs_of
from tallybook.sim.spans import otlp_text
from tallybook.sim.traffic import Month, Record, calls_of

LATE_MONTH: Final = "2026-08"
_REPEATED, _CORRECTED = 60, 6
_LATE_FROM: Final = "2026-08-31T"
_LATE_FEATURES: Final = ("code-assistant", "test-writer")
"""their editor plug-in kept its last day back"""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """A month's events as they arrive: on time, again, and after the close; `runs` are spans."""

    period: str
    first: tuple[Record, ...]
    second: tuple[Record, ...]
    late: tuple[Record, ...]
    runs: tuple[Record, ...]


def deliveries_of(period: str, zone: str, seed: int, scale: int = 1) -> Deliveries:
    """Divide the calls of a month into files."""
    month = Month.of(period, zone)
    calls, runs = calls_of(month, seed, scale), runs_of(month, seed, scale)
    late = _late(calls) if period == LATE_MONTH else []
    held_back = {record["event_id"] for record in late}
    first = [record for record in calls if record["event_id"] not in held_back]
    second = [*first[:_REPEATED], *_conflict(first, period), *_corrections(first)]
    return Deliveries(period, tuple(first), tuple(second), tuple(late), tuple(runs))


def _late(calls: Sequence[Record]) -> list[Record]:
    return [
        record
        for record in calls
        if record.get("feature") in _LATE_FEATURES and record["started_at"] >= _LATE_FROM
    ]


def _conflict(first: Sequence[Record], period: str) -> list[Record]:
    """In the first month, one id that comes back with one output token more."""
    if period != LATE_MONTH:
        return []
    victim = next(r for r in first if r["status"] == "ok" and "output" in r.get("tokens", {}))
    tokens = {**victim["tokens"], "output": victim["tokens"]["output"] + 1}
    return [{**victim, "tokens": tokens}]


def _corrections(first: Sequence[Record]) -> list[Record]:
    estimated = [record for record in first if record.get("usage") == "estimated"][:_CORRECTED]
    return [
        {
            **record,
            "event_id": record["event_id"] + ":reported",
            "usage": "reported",
            "tokens": {name: count + count // 50 for name, count in record["tokens"].items()},
            "supersedes": record["event_id"],
        }
        for record in estimated
    ]


def write_jsonl(records: Sequence[Record], path: Path) -> Path:
    """Write one event a line; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(record, separators=(",", ":")) + "\n" for record in records)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def write_spans(records: Sequence[Record], path: Path) -> Path:
    """Write one request of OTLP a line; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(otlp_text(records, ()), encoding="utf-8")
    return path
