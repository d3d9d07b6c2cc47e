"""A rival figure, our usage in its grain, and the bridge between the two totals, as data.

Amounts are pico (10^-12) of the books' currency; a day is a date in the rival's time zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

DIMENSIONS: Final = ("day", "provider", "model", "key", "team", "feature", "purpose", "class")
"""What a row of a rival figure may be told apart by, in the order in which scope is explained."""

Basis = Literal["payer", "executor", "origin"]
BASES: Final[tuple[Basis, ...]] = ("payer", "executor", "origin")
"""Whose a call is: who pays for it, who ran it, who started it."""

STEPS: Final = (
    "usage_only",
    "model",
    "owner",
    "scope",
    "period",
    "volume",
    "timing",
    "price",
    "tax",
    "credit",
    "other",
    "rounding",
    "unexplained",
)
"""What a step may be; a bridge has them in this order."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One row of a rival figure.

    Args:
        place: file and row.
        kind: ``usage``, ``tax``, ``credit`` or ``other``.
        amount_pico: what it says; ``places`` decimals were written.
        values: of the dimensions that it names, by name.
        counts: quantities by token class, or of ``input``, ``output``, ``tokens``, ``calls``.
    """

    place: str
    kind: str
    amount_pico: int
    places: int
    values: Mapping[str, str]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A rival figure.

    Args:
        name: the file, or how it was typed in.
        rows: one at least.
        dimensions: which every row of usage names.
        scope: values that it is about, by dimension; absent: all.
        zone: the time zone of its days.
        first_day: of the days that it speaks for; ``last_day`` included. Empty: the whole period.
        basis: whose calls a team's are, if that was said.
    """

    name: str
    rows: tuple[ClaimRow, ...]
    dimensions: tuple[str, ...]
    scope: Mapping[str, frozenset[str]]
    zone: str
    first_day: str = ""
    last_day: str = ""
    basis: Basis | None = None

    @property
    def total_pico(self) -> int:
        """The figure."""
        return sum(row.amount_pico for row in self.rows)

    @property
    def usage(self) -> tuple[ClaimRow, ...]:
        """The rows that are about usage."""
        return tuple(row for row in self.rows if row.kind == "usage")


class UsageCell(NamedTuple):
    """Our usage in the finest grain that a rival figure may have: one class of one price.

    ``inside`` says whether it began in the period. ``price_id`` is 0 without a price. ``calls`` are
    counted on one class of each group only.
    """

    day: str
    inside: bool
    period: str
    provider: str
    model: str
    key: str
    payer: str
    executor: str
    origin: str
    feature: str
    purpose: str
    token_class: str
    quantity: int
    calls: int
    price_id: int

    def value(self, dimension: str, basis: Basis) -> str:
        """What it is in a dimension."""
        if dimension == "team":
            return str(getattr(self, basis))
        if dimension == "class":
            return self.token_class
        return str(getattr(self, dimension))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a step: what it is about, in words, and how much."""

    about: str
    amount_pico: int


@dataclass(frozen=True, slots=True)
class Step:
    """A named part of the difference between their total and ours.

    Args:
        kind: one of `STEPS`.
        cause: the finer name, such as ``list_price``.
        words: what it says to a person.
        amount_pico: what it moves, from our total towards theirs.
        evidence: what makes us say so.
        parts: where it comes from, adding up to it.
    """

    kind: str
    cause: str
    words: str
    amount_pico: int
    evidence: str
    parts: tuple[Part, ...] = ()

    @classmethod
    def of(
        cls, kind: str, cause: str, words: str, evidence: str, amounts: Mapping[str, int]
    ) -> Step:
        """A step from its parts, those of nothing left out."""
        parts = tuple(Part(about or "(none)", n) for about, n in sorted(amounts.items()) if n)
        total = sum(part.amount_pico for part in parts)
        return cls(kind, cause, words, total, evidence, parts)


@dataclass(frozen=True, slots=True)
class Bridge:
    """From our total to theirs: ours + the steps = theirs, exactly.

    Args:
        subject: what our total is of, in words.
        nearest: where nothing was found: readings that come close, with what they leave.

    Raises:
        AssertionError: the steps do not add up to the difference.
    """

    name: str
    period: str
    period_label: str
    company: str
    currency: str
    subject: str
    ours_pico: int
    theirs_pico: int
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    nearest: tuple[Part, ...] = ()
    simulated: bool = False

    def __post_init__(self) -> None:
        moved = sum(step.amount_pico for step in self.steps)
        assert self.ours_pico + moved == self.theirs_pico, "a bridge is additive"
        for step in self.steps:
            parts = sum(part.amount_pico for part in step.parts)
            assert not step.parts or parts == step.amount_pico, "parts add up to their step"

    @property
    def unexplained_pico(self) -> int:
        """What nothing explains."""
        return sum(step.amount_pico for step in self.steps if step.kind == "unexplained")
