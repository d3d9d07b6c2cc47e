"""Geometry of the charts: whole pixels and words, drawn by the templates as SVG.

No colour stands alone: every slice has a pattern, a label and a row in the table beside the chart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallybook.money import half_even
from tallybook.report import figures
from tallybook.report.model import ComparisonView, Statement
from tallybook.report.outline import line_name, source_words

BAR_WIDTH = 1000
SLICES_MAX = 8
PANEL_BAR_WIDTH = 176
PANEL_BAR_STEP = 27
PANEL_LABEL_CHARACTERS = 19


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a charge: where it is drawn and what it says. ``style`` is 1 to 8."""

    label: str
    amount: str
    share: str
    x: int
    width: int
    style: int


@dataclass(frozen=True, slots=True)
class Bar:
    """The charge as one bar of ``BAR_WIDTH``; credits stand left of ``zero``."""

    slices: tuple[Slice, ...]
    zero: int
    words: str


@dataclass(frozen=True, slots=True)
class PanelBar:
    """One model in a panel; its label is cut to the room beside the bar."""

    label: str
    amount: str
    x: int
    y: int
    width: int
    style: int


@dataclass(frozen=True, slots=True)
class Panel:
    """One team (or central) under every model, on the scale that all panels share."""

    title: str
    bars: tuple[PanelBar, ...]
    zero: int
    height: int
    words: str


def charge_bar(statement: Statement, currency: str) -> Bar:
    """Where the total comes from: own usage by feature, everything else by kind, largest first.

    Only features are ever gathered under one name: a markup or a credit is always seen.
    """
    features: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for line in statement.lines:
        if line.kind == "usage" and line.transfer is None:
            features[line_name(line)] += line.amount_cents
        else:
            kinds[source_words(line)] += line.amount_cents
    room = max(SLICES_MAX - len(_ranked(kinds)), 1)
    parts = [*_gathered(_ranked(features), room), *_ranked(kinds)]
    return _bar(sorted(parts, key=_largest_first), statement.total_cents, currency)


def _ranked(parts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((label, cents) for label, cents in parts.items() if cents), key=_largest_first)


def _largest_first(part: tuple[str, int]) -> tuple[int, str]:
    label, cents = part
    return -cents, label


def _gathered(ranked: list[tuple[str, int]], room: int) -> list[tuple[str, int]]:
    if len(ranked) <= room:
        return ranked
    kept, tail = ranked[: room - 1], ranked[room - 1 :]
    return [*kept, (f"{len(tail)} other features", sum(cents for _, cents in tail))]


def _bar(ranked: Sequence[tuple[str, int]], total_cents: int, currency: str) -> Bar:
    credit = sum(-cents for _, cents in ranked if cents < 0)
    debit = sum(cents for _, cents in ranked if cents > 0)
    reach = credit + debit
    zero = half_even(credit * BAR_WIDTH, reach) if reach else 0
    slices, right, left = [], credit, credit
    for number, (label, cents) in enumerate(ranked):
        style = number % SLICES_MAX + 1
        if cents < 0:
            left += cents
            ends = (left, left - cents)
        else:
            ends = (right, right + cents)
            right += cents
        # Ends are rounded, not widths: neighbours touch and the bar is as long as its parts.
        first, last = (half_even(end * BAR_WIDTH, reach) for end in ends)
        share = figures.percent(cents, total_cents)
        slices.append(Slice(label, figures.money(cents), share, first, last - first, style))
    words = ", ".join(f"{each.label} {currency} {each.amount}" for each in slices)
    return Bar(tuple(slices), zero, words or "nothing")


def comparison_panels(view: ComparisonView) -> tuple[Panel, ...]:
    """One panel per team and one for central, each with a bar per model."""
    rows = [
        (name, [(column.label, column.borne_cents.get(team, 0)) for column in view.columns])
        for team, name in view.teams
    ]
    rows.append(
        ("Central (no team)", [(column.label, column.central_cents) for column in view.columns])
    )
    every = [cents for _, row in rows for _, cents in row]
    low = min([0, *every])
    scale = (low, max([0, *every]) - low or 1)
    return tuple(_panel(title, row, scale, view.currency) for title, row in rows)


def _panel(title: str, row: Sequence[tuple[str, int]], scale: tuple[int, int], unit: str) -> Panel:
    low, reach = scale
    zero = half_even(-low * PANEL_BAR_WIDTH, reach)
    bars = []
    for place, (label, cents) in enumerate(row):
        end = half_even((cents - low) * PANEL_BAR_WIDTH, reach)
        bars.append(
            PanelBar(
                label=_short(label),
                amount=figures.money(cents),
                x=min(zero, end),
                y=place * PANEL_BAR_STEP,
                width=abs(end - zero),
                style=place + 1,
            )
        )
    words = ", ".join(f"{label} {unit} {figures.money(cents)}" for label, cents in row)
    return Panel(title, tuple(bars), zero, len(bars) * PANEL_BAR_STEP, words)


def _short(label: str) -> str:
    if len(label) <= PANEL_LABEL_CHARACTERS:
        return label
    return label[: PANEL_LABEL_CHARACTERS - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
