"""A reading while it is made: what the families write into, and how it becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.model import Status, Usage
from tallybook.meter.usage.convention import Convention, counted
from tallybook.meter.usage.conventions import UNITS, request_id_names
from tallybook.meter.usage.figures import count
from tallybook.meter.usage.model import Part, UsageReading

NO_FIGURE: Final = "the response carries no usage: it is unknown, not zero"


@dataclass(slots=True)
class Draft:
    """What is known of a response so far.

    ``asked`` is the model that was asked for; ``nothing_used``: an error, for which nobody bills.
    """

    provider: str
    endpoint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: str = ""
    model: str = ""
    response_id: str = ""
    request_id: str = ""
    tier: str = ""
    region: str = ""
    status: Status = "ok"
    estimated: bool = False
    nothing_used: bool = False
    cost: tuple[str, str] | None = None
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    extras: dict[str, int] = field(default_factory=dict)

    @property
    def billed(self) -> str:
        """The model under which the response is billed."""
        return self.model or self.asked

    def tokens(self, usage: Mapping[str, Any], how: Convention) -> dict[str, int | None] | None:
        """The disjoint tokens of a ``usage`` object; None if it has none.

        Raises:
            EventError: its figures contradict each other.
        """
        made = counted(usage, how)
        if made is None:
            return None
        self.notes += made.notes
        self.extras |= made.extras
        self.estimated |= made.estimated
        return made.tokens

    def add(
        self,
        tokens: dict[str, int | None] | None,
        units: dict[str, int | None] | None = None,
        *,
        model: str = "",
        operation: str = "",
    ) -> None:
        """One billed operation; nothing if it has no figure."""
        if tokens or units:
            self.parts.append(Part(model or self.billed, tokens, units or None, operation))

    def refuse(self, error: EventError) -> None:
        """The figures contradict each other: no part of them can be trusted."""
        self.parts.clear()
        self.notes.append(error.what)

    def reading(self) -> UsageReading:
        """The reading; without any figure its usage is unknown."""
        known = any(_tells(part.tokens) or _tells(part.units) for part in self.parts)
        usage: Usage = "estimated" if self.estimated else "reported"
        if not known and not self.nothing_used:
            usage = "unknown"
            self.notes.append(NO_FIGURE)
        return UsageReading(
            provider=self.provider,
            model=self.model,
            usage=usage,
            parts=tuple(self.parts) or (Part(self.billed),),
            status=self.status,
            response_id=self.response_id,
            request_id=self.request_id or _request_id(self.provider, self.headers),
            tier=self.tier,
            region=self.region,
            reported_cost=self.cost,
            notes=tuple(dict.fromkeys(self.notes)) if self.notes else (),
            extras=self.extras,
        )


def _tells(figures: Mapping[str, int | None] | None) -> bool:
    """Whether any of the figures is known."""
    return figures is not None and any(figure is not None for figure in figures.values())


def units_of(told: Any) -> dict[str, int | None]:
    """The units of an object of counts; zeros and what is no unit of ours are left out."""
    units: dict[str, int | None] = {}
    if isinstance(told, dict):
        for name, value in told.items():
            if name in UNITS and (number := count(value, name)):
                units[UNITS[name]] = (units.get(UNITS[name]) or 0) + number
    return units


def _request_id(provider: str, headers: Mapping[str, str]) -> str:
    if headers:
        for name in request_id_names(provider):
            if headers.get(name):
                return str(headers[name])
    return ""
