"""Spans of instants: when a dated row of the books holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FOREVER_US: Final = 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """The instants from ``from_us`` to just before ``to_us``."""

    from_us: int = 0
    to_us: int = FOREVER_US

    def holds(self, instant_us: int) -> bool:
        """Whether the instant lies in the span."""
        return self.from_us <= instant_us < self.to_us

    def overlaps(self, other: Span) -> bool:
        """Whether the spans share an instant."""
        return self.from_us < other.to_us and other.from_us < self.to_us


ALWAYS: Final = Span()
