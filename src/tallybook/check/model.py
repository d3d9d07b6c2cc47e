"""The outcome of one invariant's proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tallybook.store import Store


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant's check found: its first faults, or what was proven."""

    name: str
    ok: bool
    examined: int
    detail: str


Check = Callable[[Store], Finding]


def finding(name: str, examined: int, faults: list[str], proven: str) -> Finding:
    """A finding from a list of faults."""
    if faults:
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""  # noqa: PLR2004
        return Finding(name, ok=False, examined=examined, detail="; ".join(faults[:3]) + more)
    return Finding(name, ok=True, examined=examined, detail=proven)
