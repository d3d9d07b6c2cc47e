"""Figures and their targets, as text and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure; ``most`` or ``least`` is its target, neither means it has none."""

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def shown(self) -> str:
        """The figure with as many places as mean something."""
        places = 2 if self.value < 100 else 0
        return f"{self.value:,.{places}f} {self.unit}"

    @property
    def target(self) -> str:
        """The target in words; '' without one."""
        if self.most is not None:
            return f"at most {self.most:,} {self.unit}"
        return f"at least {self.least:,} {self.unit}" if self.least is not None else ""

    @property
    def verdict(self) -> str:
        """``ok``, ``over``, ``under``, or '' without a target."""
        if self.most is not None:
            return "ok" if self.value <= self.most else "over"
        if self.least is not None:
            return "ok" if self.value >= self.least else "under"
        return ""


def as_text(figures: Sequence[Figure]) -> str:
    """An aligned table."""
    rows = [("what", "figure", "target", "")]
    rows += [(one.what, one.shown, one.target, one.verdict) for one in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        f"{what:<{widths[0]}}  {figure:>{widths[1]}}  {target:<{widths[2]}}  {verdict}".rstrip()
        for what, figure, target, verdict in rows
    ]
    return "\n".join(lines)


def as_rows(figures: Sequence[Figure]) -> str:
    """A table of a page."""
    rows = [
        f"| {one.what.strip()} | {one.shown} | {one.target} | {one.verdict} |" for one in figures
    ]
    return "\n".join(["| what | figure | target | |", "| --- | ---: | --- | --- |", *rows])
