"""Their rows against our usage of the same scope and days: tokens and calls, price, rounding.

In this order: what counts of usage differ, if they are told; then which reading of prices makes our
amount theirs; then what their last decimals hide. The rest has no name and is told as unexplained.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Final

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.report.why.model import Basis, Claim, ClaimRow, Step, UsageCell
from tallybook.report.why.readings import Reading

PICO_PLACES: Final = 12
SHARE_SLACK: Final = 1_000
"""Pico by which parts of one call that several pay may differ from the ledger's: under a nano."""
_INPUT: Final = frozenset(
    name for name in TOKEN_CLASSES if "output" not in name and name != "reasoning"
)
_OUTPUT: Final = frozenset({"output"})
Key = tuple[str, ...]


@dataclass(slots=True)
class Group:
    """What stands under one set of values: their rows and our cells."""

    key: Key
    rows: list[ClaimRow] = field(default_factory=list)
    cells: list[UsageCell] = field(default_factory=list)

    @property
    def theirs_pico(self) -> int:
        """What they say."""
        return sum(row.amount_pico for row in self.rows)

    @property
    def slack_pico(self) -> int:
        """What their last decimals may hide: half a unit of each."""
        units = (int(10 ** (PICO_PLACES - min(row.places, PICO_PLACES))) for row in self.rows)
        return sum(unit // 2 for unit in units) + SHARE_SLACK

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Theirs and ours, of each count that all of their rows tell."""
        told = [row.counts for row in self.rows]
        names = set.intersection(*(set(one) for one in told)) if told else set()
        theirs = {name: sum(one[name] for one in told) for name in names}
        return theirs, {name: _count(name, self.cells) for name in names}


def _count(name: str, cells: Iterable[UsageCell]) -> int:
    if name == "calls":
        return sum(cell.calls for cell in cells)
    wanted = {"tokens": _INPUT | _OUTPUT, "input": _INPUT, "output": _OUTPUT}.get(name, {name})
    return sum(cell.quantity for cell in cells if cell.token_class in wanted)


def grouped(
    claim: Claim, cells: Iterable[UsageCell], dimensions: Sequence[str], basis: Basis
) -> list[Group]:
    """Their rows of usage and our cells, side by side by the values that they name."""
    groups: dict[Key, Group] = {}
    for row in claim.usage:
        key = tuple(row.values[name] for name in dimensions)
        groups.setdefault(key, Group(key)).rows.append(row)
    for cell in cells:
        key = tuple(cell.value(name, basis) for name in dimensions)
        groups.setdefault(key, Group(key)).cells.append(cell)
    return [groups[key] for key in sorted(groups)]


def fits(group: Group, reading: Reading) -> bool:
    """Whether a reading makes our amount theirs, to the decimals that they show."""
    return abs(group.theirs_pico - reading.amount(group.cells)) <= group.slack_pico


def fitting(groups: Sequence[Group], tried: Sequence[Reading]) -> tuple[Reading | None, int]:
    """The reading that fits most of some groups, the plainest of equals, and how many it fits."""
    asked = [group for group in groups if group.rows and group.cells]
    best, most = None, 0
    for reading in tried:
        count = sum(fits(group, reading) for group in asked)
        if count > most:
            best, most = reading, count
    return best, most


def compared(
    groups: Sequence[Group], dimensions: Sequence[str], tried: Sequence[Reading]
) -> list[Step]:
    """The steps from our amount of some usage to theirs.

    Args:
        groups: their rows and our cells.
        dimensions: the names of the groups' values.
        tried: readings, the one first that our amount is made with.
    """
    found: dict[tuple[str, str], _Found] = {}
    for scope in _scopes(groups, dimensions):
        chosen, count = fitting(scope, tried)
        asked = sum(bool(group.rows and group.cells) for group in scope)
        told = f"fits {count} of {asked} figures to the last decimal that they show"
        for group in scope:
            for kind, cause, words, pico in _split(group, chosen, tried[0]):
                held = found.setdefault((kind, cause), _Found(words, told))
                held.parts[_about(group.key)] += pico
    steps = (
        Step.of(kind, cause, held.words, held.evidence, held.parts)
        for (kind, cause), held in found.items()
    )
    return [step for step in steps if step.parts]


@dataclass(slots=True)
class _Found:
    words: str
    evidence: str
    parts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def _scopes(groups: Sequence[Group], dimensions: Sequence[str]) -> list[list[Group]]:
    """Groups that one price list is behind: of one model, else of one provider, else all."""
    name = next((name for name in ("model", "provider") if name in dimensions), None)
    at = dimensions.index(name) if name else None
    scopes: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        scopes["" if at is None else group.key[at]].append(group)
    return list(scopes.values())


def _split(group: Group, chosen: Reading | None, base: Reading) -> list[tuple[str, str, str, int]]:
    """What leads from our amount to theirs in one group: (kind, cause, words, pico)."""
    ours, theirs = base.amount(group.cells), group.theirs_pico
    if not group.cells:
        return [("volume", "not_metered", "usage that they bill and we did not meter", theirs)]
    if not group.rows:
        return [("volume", "not_counted", "usage that we metered and they do not count", -ours)]
    read = chosen.amount(group.cells) if chosen else ours
    price = _priced(chosen, base, read - ours)
    rest = theirs - read
    if abs(rest) <= group.slack_pico:
        return [*price, ("rounding", "last_decimals", "decimals that their figures hide", rest)]
    return [*price, (*_named(group, chosen), rest)]


def _named(group: Group, chosen: Reading | None) -> tuple[str, str, str]:
    """What to call a rest: kind, cause and words."""
    theirs, ours = group.counts()
    if theirs != ours:
        return "volume", "counts", "tokens or calls: they count other usage than we do"
    if theirs:
        return "price", "other_price", "price: the same usage at a price that no reading gives"
    if chosen:
        words = "tokens or calls: other usage at the same price as on the other rows"
        return "volume", "same_price", words
    return "unexplained", "no_reading", "no reason found"


def _priced(chosen: Reading | None, base: Reading, pico: int) -> list[tuple[str, str, str, int]]:
    if chosen is None or chosen.cause == base.cause:
        return []
    words = f"price: {chosen.words}, where we have {base.words}"
    return [("price", chosen.cause, words, pico)]


def _about(key: Key) -> str:
    return ", ".join(part or "(none)" for part in key) or "the whole figure"


def neighbours(steps: Sequence[Step], dimensions: Sequence[str]) -> list[Step]:
    """Usage that two neighbouring days have of each other: as timing, which comes to nothing.

    Only where a day is all that tells rows apart: what one day lacks and the next has too much.
    """
    if tuple(dimensions) != ("day",):
        return list(steps)
    found = []
    for step in steps:
        if (step.kind, step.cause) != ("volume", "same_price"):
            found.append(step)
            continue
        volume = {part.about: part.amount_pico for part in step.parts}
        moved = _moved(volume)
        evidence = "what one day lacks, the day beside it has too much"
        words = "usage that they have on the day beside"
        found += [
            one
            for one in (
                Step.of("timing", "day", words, evidence, moved),
                Step.of(step.kind, step.cause, step.words, step.evidence, volume),
            )
            if one.parts
        ]
    return found


def _moved(volume: dict[str, int]) -> Mapping[str, int]:
    """Takes what neighbouring days have of each other out of a mapping from day to pico."""
    days = sorted(volume)
    moved: dict[str, int] = defaultdict(int)
    for day, after in pairwise(days):
        ours, theirs = volume[day], volume[after]
        if ours * theirs >= 0 or not _beside(day, after):
            continue
        size = min(abs(ours), abs(theirs))
        for name, pico in ((day, ours), (after, theirs)):
            part = size if pico > 0 else -size
            moved[name] += part
            volume[name] -= part
    return moved


def _beside(day: str, after: str) -> bool:
    return (date.fromisoformat(after) - date.fromisoformat(day)).days == 1


def by_value(
    cells: Iterable[UsageCell], name: str, basis: Basis, reading: Reading
) -> Mapping[str, int]:
    """Amounts by the values of a dimension."""
    found: dict[str, int] = defaultdict(int)
    for cell in cells:
        found[cell.value(name, basis)] += cell.quantity * reading.price(cell)
    return found
