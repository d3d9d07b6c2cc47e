"""What the world knows without asking the books: what was offered, decided, entered and closed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallybook.clock import Calendar, Period, parse_instant
from tallybook.sim.oracle import Expectation, expected
from tallybook.sim.oracle.usage import Intake, take_in
from tallybook.sim.world.company import texts_of, zone_of
from tallybook.sim.world.hands import ITEMS, Done
from tallybook.sim.world.model import Event, Files, Operation
from tallybook.store import canonical_json

_COUNTS: Final = ("accepted", "duplicate", "quarantined")


@dataclass(frozen=True, slots=True)
class Ground:
    """The files and pool amounts that decide a period's figures."""

    files: Files
    actuals: Mapping[str, str]


class Known:
    """A world's memory, kept apart from the books under test."""

    def __init__(self) -> None:
        self.files: Files = {}
        self.events: list[Event] = []
        self.actuals: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.waived: defaultdict[str, set[str]] = defaultdict(set)
        self.published: set[str] = set()
        self.closed: dict[str, Ground] = {}
        """months that take no usage, closed or soft-closed, with what froze them"""
        self.soft: set[str] = set()
        self.adjusted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """what adjusting entries about a month posted on each account, in nano"""
        self._instants: set[int] = set()
        self._intake = take_in(())
        self._expected: dict[str, tuple[object, Expectation]] = {}

    @property
    def intake(self) -> Intake:
        """What became of all events offered so far, in the order of their arrival."""
        return self._intake

    def offer(self, events: list[Event]) -> dict[str, int]:
        """Take note of a delivery; returns what must become of it."""
        self.events += events
        self._instants |= {parse_instant(event["started_at"]) for event in events}
        before, self._intake = self._intake, take_in(self.events)
        return {name: getattr(self._intake, name) - getattr(before, name) for name in _COUNTS}

    def told(self, events: list[Event]) -> dict[str, int]:
        """What would become of a delivery; takes no note of it."""
        before, after = self._intake, take_in([*self.events, *events])
        return {name: getattr(after, name) - getattr(before, name) for name in _COUNTS}

    def keep(self, operation: Operation, done: Done) -> None:
        """Take note of an operation that was carried out; deliveries are offered apart."""
        if not done.ok:
            return
        period, kind = operation.get("period", ""), operation["do"]
        if kind == "apply":
            self.files = operation["files"]
        elif kind == "pool":
            self.actuals[period][operation["pool"]] = operation["amount"]
        elif kind == "waive":
            self.waived[period].add(operation["item"])
        elif kind == "run":
            self.published.add(period)
        elif kind in ("close", "soft"):
            self.published.add(period)
            self.closed[period] = self.ground(period)
            (self.soft.add if kind == "soft" else self.soft.discard)(period)
        elif kind == "reopen":
            del self.closed[period]
            self.soft.discard(period)
        elif kind == "adjust":
            for account, nano in operation["sides"]:
                self.adjusted[period][_adjusted_account(account)] += nano

    def ground(self, period: str) -> Ground:
        """What decides a period now: frozen by its close, else what was said last."""
        held = self.closed.get(period)
        return held or Ground(self.files, dict(self.actuals[period]))

    def calendar(self) -> Calendar:
        """The company's."""
        company = self.files["org"]["company"]
        return Calendar(zone_of(self.files), company["fiscal_year_start"])

    def periods(self) -> list[str]:
        """Every period that offered events or runs are in, sorted."""
        calendar = self.calendar()
        found = {str(calendar.period_of(us)) for us in self._instants}
        return sorted(found | self.published)

    def landing(self) -> str:
        """The period that late usage of closed ones posts into; '' while none is closed."""
        return str(Period.parse(max(self.closed)).next()) if self.closed else ""

    def has_begun(self, period: str, now_us: int) -> bool:
        """Whether a month has begun where the company is: before, nothing of it is run."""
        return self.calendar().bounds_us(Period.parse(period))[0] <= now_us

    def may_close(self, period: str, now_us: int) -> bool:
        """Whether nothing may stand against a close: it is over, its turn, and all is waived."""
        is_open = period not in self.closed or period in self.soft
        earlier = [other for other in self.periods() if other < period]
        fixed = self.closed.keys() - self.soft
        return is_open and self._is_ready(period, now_us) and fixed >= set(earlier)

    def may_cut_off(self, period: str, now_us: int) -> bool:
        """The same of a soft close: months before it need take no usage only."""
        earlier = [other for other in self.periods() if other < period]
        is_open = period not in self.closed
        return is_open and self._is_ready(period, now_us) and self.closed.keys() >= set(earlier)

    def _is_ready(self, period: str, now_us: int) -> bool:
        end_us = self.calendar().bounds_us(Period.parse(period))[1]
        return now_us >= end_us and self.waived[period] >= set(ITEMS)

    def expected(self, period: str) -> Expectation:
        """What the oracle expects of a period."""
        ground = self.ground(period)
        stands_on = (len(self.events), canonical_json([ground.files, dict(ground.actuals)]))
        held = self._expected.get(period)
        if held is None or held[0] != stands_on:
            found = expected(texts_of(ground.files), {}, self.events, ground.actuals, period)
            held = self._expected[period] = (stands_on, found)
        return held[1]


def _adjusted_account(name: str) -> str:
    """The account of one side: a charge names its team and feature, and posts by team."""
    family, _, rest = name.partition(":")
    return f"Charge:{rest.partition(':')[0]}:adjustment" if family == "Charge" else name
