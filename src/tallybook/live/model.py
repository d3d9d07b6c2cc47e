"""What is added up as usage comes in, and what is answered from it. All of it is provisional.

Amounts are whole pico (scale 12) at the rate card. Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Final, Literal, NamedTuple

HOUR_US: Final = 3_600_000_000
SLOT_US: Final = 300_000_000
"""Five minutes: what the last hour is made of."""
SKEW_US: Final = 120_000_000
"""How far the clock of a caller may be ahead of ours before its call counts as of the future."""

Span = Literal["slot", "hour", "month"]
"""The stretches that buckets hold."""


class Subject(NamedTuple):
    """Who caused a call: the team and feature where it began, and the agent that made it.

    ``agent`` is the innermost agent above the call, else the call's service, else empty.
    ``allocated`` is false where nobody named an owner, so that the unowned team answers.
    """

    team: str
    feature: str
    agent: str
    allocated: bool = True


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls added up. ``cost_pico`` is without the unpriced, whose cost nobody knows.

    ``unknown``, ``estimated`` and ``unpriced`` count calls; ``estimated_pico`` is part of
    ``cost_pico``.
    """

    calls: int = 0
    tokens: int = 0
    cost_pico: int = 0
    unknown: int = 0
    estimated: int = 0
    estimated_pico: int = 0
    unpriced: int = 0

    def plus(self, other: Tally, sign: int = 1) -> Tally:
        """Both together, or the difference under a sign of -1."""
        return Tally(
            self.calls + sign * other.calls,
            self.tokens + sign * other.tokens,
            self.cost_pico + sign * other.cost_pico,
            self.unknown + sign * other.unknown,
            self.estimated + sign * other.estimated,
            self.estimated_pico + sign * other.estimated_pico,
            self.unpriced + sign * other.unpriced,
        )

    @property
    def values(self) -> tuple[int, ...]:
        """Its figures in order."""
        return (
            self.calls, self.tokens, self.cost_pico, self.unknown, self.estimated,
            self.estimated_pico, self.unpriced,
        )  # fmt: skip


FIGURES: Final = tuple(one.name for one in fields(Tally))
NOTHING: Final = Tally()


@dataclass(frozen=True, slots=True)
class Usual:
    """What an hour like this one usually costs.

    ``cost_pico`` is exact: the mean over ``hours`` earlier stretches. ``like`` says which: those of
    the same weekday in earlier ``weeks``, or those of earlier ``days``.
    """

    cost_pico: Fraction
    hours: int
    like: Literal["weeks", "days"]


@dataclass(frozen=True, slots=True)
class Burn:
    """The last hour's cost and what is usual; ``usual`` is None when there is nothing to go by."""

    cost_pico: int
    usual: Usual | None

    @property
    def times(self) -> Fraction | None:
        """How many times the usual; None where the usual is unknown or nothing."""
        if self.usual is None or not self.usual.cost_pico:
            return None
        return Fraction(self.cost_pico) * Fraction(
            self.usual.cost_pico.denominator, self.usual.cost_pico.numerator
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One feature or one agent: month to date, the last hour, and the burn of a feature.

    ``others`` is not 0 in the row that stands for so many that are not listed.
    """

    team: str
    feature: str
    agent: str
    month: Tally
    hour: Tally
    burn: Burn | None = None
    others: int = 0


@dataclass(frozen=True, slots=True)
class DearTrace:
    """A trace that costs much now."""

    trace: str
    team: str
    feature: str
    agent: str
    first_us: int
    last_us: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class Provisional:
    """What is not settled yet: usage that waits in the inbox and is part of every figure.

    ``joined`` waiting calls were left out because another source told of them; ``corrections`` are
    left out until they are sealed, and what they correct still counts; ``elsewhere`` started in
    another month; ``ahead`` is in the figures of the month and started after now.
    """

    tally: Tally = NOTHING
    joined: int = 0
    corrections: int = 0
    elsewhere: int = 0
    ahead: Tally = NOTHING


@dataclass(frozen=True, slots=True)
class Live:
    """The answer. ``features`` and ``agents`` are cuts of the same total, the dearest first.

    Where there are more than asked for, the last row of a cut stands for the rest.
    """

    period: str
    currency: str
    at_us: int
    hour_from_us: int
    month: Tally
    hour: Tally
    unallocated: Tally
    burn: Burn
    features: tuple[Row, ...]
    agents: tuple[Row, ...]
    traces: tuple[DearTrace, ...]
    provisional: Provisional


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that runs away. ``id`` is 0 before it is kept.

    ``figure`` is above ``threshold``, both in ``unit``; ``usual`` says what the threshold stands
    on, if not on a stated number. It fires once per kind, subject and window.
    """

    kind: str
    subject: str
    window: str
    team: str
    feature: str
    agent: str
    trace: str
    owner: str
    figure: str
    threshold: str
    unit: str
    usual: str
    next_step: str
    id: int = 0
    fired_us: int = 0
    acked_by: str = ""
    reason: str = ""
    acked_us: int = 0
    told: Mapping[str, str] = field(default_factory=dict)
