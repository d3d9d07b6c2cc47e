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


def as_markdown(figures: Sequence[Figure], conditions: str) -> str:
    """The page ``docs/benchmarks.md``."""
    rows = "\n".join(
        f"| {one.what.strip()} | {one.shown} | {one.target} | {one.verdict} |" for one in figures
    )
    return _PAGE.format(conditions=conditions, rows=rows)


_PAGE = """# Benchmarks

`make bench` measures these figures; this page is what it wrote. Machines differ, so what has a
target is a ratio of two figures of one run where it can be. Each step runs in a process of its own;
CPU seconds are those of all its threads, without start and imports.

{conditions}

| what | figure | target | |
| --- | ---: | --- | --- |
{rows}

**Bare** is the least that the job can cost: one scan of the same sealed files with the same engine
and threads, a join to one price layer by provider, model, tier, region, date and context, one sum,
grouped by team, feature, model and day, materialised. Its total equals Tallybook's contract layer
to the last pico-unit, or the benchmark stops.

The company is made up: 200 teams, 2,000 features, 60 models of 6 providers in 3 tiers, three prices
for each within the month, cached tokens, a unit on one call in twenty, keys, services, one call in
fifty without tags, a feature that moves in mid-month, a rule that begins within it. Ten times the
events are the same files, each linked ten times.
"""
