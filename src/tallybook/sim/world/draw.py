"""Drawing the next operation: a seeded choice by weight, of what makes sense and what must not."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Final

from tallybook.clock import Calendar, Period
from tallybook.sim.world import company
from tallybook.sim.world.calls import batch, rejects
from tallybook.sim.world.hands import ITEMS
from tallybook.sim.world.known import Known
from tallybook.sim.world.model import Event, Files, Operation, Params
from tallybook.sim.world.traces import TRACERS, Trace, only_calls

FIRST_MONTH: Final = Period(2026, 9)
DAY_US: Final = 86_400_000_000
HOUR_US: Final = DAY_US // 24
PROVE_EVERY: Final = 20
WEIGHTS: Final = {
    "ingest": 22,
    "traces": 12,
    "late": 5,
    "run": 12,
    "apply": 9,
    "pool": 7,
    "close": 8,
    "waive": 2,
    "seal": 4,
    "statement": 4,
    "explain": 4,
    "reopen": 3,
    "forbidden": 6,
    "hasty": 3,
}
_REOPENINGS_MAX: Final = 2


def months_of(params: Params) -> list[Period]:
    """The months that a world lives through."""
    months = [FIRST_MONTH]
    while len(months) < params.months:
        months.append(months[-1].next())
    return months


class Draw:
    """The stream of a world's operations.

    Args:
        params: the seed and the size of the world.
    """

    def __init__(self, params: Params) -> None:
        self._luck = Random(f"world {params.seed}")  # noqa: S311 - a simulation
        self._months = months_of(params)
        self._names = [str(month) for month in self._months]
        self._left = params.steps
        self._deaths = params.deaths
        self._n = 0
        self._reopened = 0
        self._held: list[Event] = []
        # Finance draws apart, so that what else happens in a world is what it would be without it.
        self._finance = Random(f"finance {params.seed}")  # noqa: S311 - a simulation
        self._is_traced = self._luck.randrange(3) == 0
        self._is_ending = False
        utc = Calendar("UTC", "2026-01")
        self._at_us = utc.bounds_us(self._months[0])[0] + 2 * DAY_US
        end_us = utc.bounds_us(self._months[-1])[1] + 3 * DAY_US
        self._pace_us = 2 * (end_us - self._at_us) // max(1, params.steps)
        self._waiting: deque[Operation] = deque(self._prologue())

    def next(self, known: Known) -> Operation | None:
        """The next operation, given what the world knows by now; None at its end."""
        while not self._waiting and self._left > 0:
            self._left -= 1
            kind = self._luck.choices([*WEIGHTS], [*WEIGHTS.values()])[0]
            self._waiting += getattr(self, f"_{kind}")(known)
            if self._left and self._left % PROVE_EVERY == 0:
                self._waiting.append({"do": "prove"})
        if not self._waiting and not self._is_ending:
            self._is_ending = True
            self._waiting += self._end(known)
        return self._numbered(self._waiting.popleft()) if self._waiting else None

    def files_alone(self) -> Operation:
        """The first files, and nothing else of what would come first."""
        self._waiting.clear()
        self._is_traced = True
        return self._numbered(
            {"do": "apply", "files": company.first_files(self._luck, self._names)}
        )

    def deliveries(self, known: Known) -> list[Operation]:
        """Usage of the months so far: a delivery, or traces told by several."""
        kind = self._luck.choice([self._ingest, self._traces])
        return [self._numbered(operation) for operation in kind(known)]

    def closing(self, known: Known) -> list[Operation]:
        """The first month closed, with what that needs."""
        return self._closing(self._names[0], known, plainly=True)[:-1]

    def _numbered(self, operation: Operation) -> Operation:
        self._n += 1
        self._at_us += self._luck.randrange(1, HOUR_US if self._is_ending else self._pace_us)
        self._at_us = max(self._at_us, operation.get("at_us", 0))
        made = {"n": self._n, **operation, "at_us": self._at_us}
        made["pick"] = self._luck.randrange(1 << 30)
        if operation["do"] != "prove" and self._luck.randrange(100) < self._deaths:
            made["crash"] = self._luck.randrange(1 << 30)
        return made

    def _prologue(self) -> list[Operation]:
        """The first files; now and then the zone changes when events were sealed already."""
        files = company.first_files(self._luck, self._names)
        first: list[Operation] = [{"do": "apply", "files": files}]
        if self._luck.randrange(4):
            return first
        calendar = Calendar(company.zone_of(files), "2026-01")
        delivery = self._delivery(calendar, self._months[:1], [])
        moved = company.first_files(self._luck, self._names)
        return [*first, delivery, {"do": "seal"}, {"do": "apply", "files": moved}]

    def _delivery(
        self, calendar: Calendar, months: Sequence[Period], known: Sequence[Operation]
    ) -> Operation:
        windows = [calendar.bounds_us(month) for month in months]
        plain = [event for event in known if "trace_id" not in event]
        events = batch(self._luck, self._n, plain, windows)
        wrong = rejects(self._luck, self._n, windows[0])
        return {"do": "ingest", "events": events, "rejects": wrong}

    def _begun(self) -> list[Period]:
        """The months that have begun, by the clock."""
        utc = Calendar("UTC", "2026-01")
        return [m for m in self._months if utc.bounds_us(m)[0] <= self._at_us] or self._months[:1]

    def _open(self, known: Known) -> list[str]:
        """The world's own months that are open; later ones only take what comes late."""
        last = self._names[-1]
        return [name for name in known.periods() if name not in known.closed and name <= last]

    def _ingest(self, known: Known) -> list[Operation]:
        """Usage of the month that runs, with some of the one before."""
        months = self._begun()[-2:]
        return [self._delivery(known.calendar(), [*months, *months[-1:] * 3], known.events)]

    def _late(self, known: Known) -> list[Operation]:
        """Usage of any month so far, closed ones above all."""
        closed = [month for month in self._months if str(month) in known.closed]
        return [self._delivery(known.calendar(), closed or self._begun(), known.events)]

    def _traces(self, known: Known) -> list[Operation]:
        """Traces of the months so far, told by several; a part of them comes later."""
        if not self._is_traced:
            return self._ingest(known)
        luck, calendar = self._luck, known.calendar()
        told: list[Event] = []
        for number in range(luck.randrange(1, 3)):
            window = calendar.bounds_us(luck.choice(self._begun()[-2:]))
            name = f"{self._n}-{number}"
            if luck.randrange(5) == 0:
                told += only_calls(luck, name, window)
                continue
            trace = Trace(luck, name, window)
            told += trace.told + trace.rows
        now = [event for event in told if luck.randrange(6)]
        earlier = self._held if luck.randrange(2) else []
        self._held = [event for event in [*told, *self._held] if event not in [*now, *earlier]]
        return self._told([*now, *earlier])

    def _told(self, events: Sequence[Event]) -> list[Operation]:
        """One delivery of each source."""
        made = []
        for source in ("jsonl", *TRACERS):
            own = [event for event in events if _writer_of(event) == source]
            if own:
                self._luck.shuffle(own)
                wrong = own[: self._luck.choice([0, 0, 0, 1])] if source in TRACERS else []
                delivery = {"do": "ingest", "source": source, "events": own}
                made.append({**delivery, "rejects": [dict(event) for event in wrong]})
        self._luck.shuffle(made)
        return made

    def _run(self, known: Known) -> list[Operation]:
        names = [*self._open(known), *filter(None, [known.landing()])]
        return [{"do": "run", "period": self._luck.choice(names or self._names)}]

    def _apply(self, known: Known) -> list[Operation]:
        """A reorganisation, another policy, other prices or budgets, in the middle of the month."""
        kind = self._luck.choice(["org", "policy", "policy", "prices", "lost", "budgets", "wrong"])
        return [{"do": "apply", "files": self._edited(kind, known), "is_wrong": kind == "wrong"}]

    def _edited(self, kind: str, known: Known) -> Files:
        luck, files = self._luck, known.files
        if kind == "org":
            return {**files, "org": company.org(luck, company.zone_of(files), self._names)}
        if kind == "policy":
            month = luck.choice(self._open(known) or self._names)
            return company.with_policy(luck, files, month)
        if kind == "prices":
            # A frozen rate card is not the oracle's: only months without one get other prices.
            month = max([*known.published, *self._names[-1:]])
            later = Period.parse(month).next() if month in known.published else Period.parse(month)
            return company.repriced(luck, files, company.a_date(luck, [str(later)]))
        if kind == "lost":
            return company.with_lost_priced(luck, files)
        if kind == "wrong":
            return {**files, "org": {**files["org"], "unowned": {"team": "nobody"}}}
        return {**files, "budgets": company.budgets(luck, self._names)}

    def _pool(self, known: Known) -> list[Operation]:
        names = self._open(known) or self._names[-1:]
        period, pool = self._luck.choice(names), self._luck.choice(company.POOLS)
        return [self._actual(period, pool)]

    def _actual(self, period: str, pool: str) -> Operation:
        amount = company.an_amount(self._luck)
        return {"do": "pool", "period": period, "pool": pool, "amount": amount}

    def _close(self, known: Known) -> list[Operation]:
        """The first open month, if it is over: everything waived, then closed, then proven."""
        names = self._open(known)
        if not names or known.calendar().bounds_us(Period.parse(names[0]))[1] > self._at_us:
            return []
        return self._closing(names[0], known)

    def _closing(self, period: str, known: Known, *, plainly: bool = False) -> list[Operation]:
        over_us = known.calendar().bounds_us(Period.parse(period))[1]
        waivers = [{"do": "waive", "period": period, "item": item} for item in ITEMS]
        closing = {"do": "close", "period": period, "at_us": over_us}
        first = [*self._fixed(known), *waivers]
        softly = [] if plainly else self._softly(period, over_us, known)
        if softly and not self._is_ending and self._finance.randrange(3) == 0:
            return [*first, *softly, {"do": "prove"}]
        return [*first, *softly, closing, {"do": "prove"}]

    def _fixed(self, known: Known) -> list[Operation]:
        """Months that were soft-closed and left so, closed."""
        return [{"do": "close", "period": period} for period in sorted(known.soft)]

    def _softly(self, period: str, over_us: int, known: Known) -> list[Operation]:
        """Now and then usage is cut off first, and finance adjusts what is charged."""
        luck = self._finance
        if luck.randrange(2):
            return []
        team = luck.choice(sorted(row["id"] for row in known.files["org"]["teams"]))
        nano = luck.randrange(1, 10**10)
        sides = [[f"Charge:{team}", -nano], ["Variance:goodwill", nano]]
        adjusting = {"do": "adjust", "period": period, "sides": sides}
        return [
            {"do": "soft", "period": period, "at_us": over_us},
            *([adjusting] if luck.randrange(3) else []),
        ]

    def _hasty(self, known: Known) -> list[Operation]:
        """A close that nobody prepared; most are refused, and change nothing."""
        return [{"do": "close", "period": self._luck.choice(known.periods() or self._names)}]

    def _waive(self, known: Known) -> list[Operation]:
        period = self._luck.choice(known.periods() or self._names)
        return [{"do": "waive", "period": period, "item": self._luck.choice([*ITEMS, "ended"])}]

    def _seal(self, _: Known) -> list[Operation]:
        return [{"do": "seal"}]

    def _statement(self, known: Known) -> list[Operation]:
        return [{"do": "statement", "period": self._luck.choice(known.periods() or self._names)}]

    def _explain(self, known: Known) -> list[Operation]:
        return [{"do": "explain", "period": self._luck.choice(known.periods() or self._names)}]

    def _reopen(self, known: Known) -> list[Operation]:
        """The last closed month, to be closed again later; now and then one that must stay."""
        if not known.closed or self._reopened >= _REOPENINGS_MAX:
            return []
        self._reopened += 1
        last = max(known.closed)
        period = last if self._luck.randrange(4) else self._luck.choice(self._names)
        return [{"do": "reopen", "period": period}, {"do": "run", "period": last}]

    def _forbidden(self, known: Known) -> list[Operation]:
        """Whatever would change a closed month."""
        if not known.closed:
            return []
        period = self._luck.choice(sorted(known.closed))
        waiver = {"do": "waive", "period": period, "item": "unpriced"}
        plain = [{"do": name, "period": period} for name in ("run", "close")]
        return [self._luck.choice([*plain, waiver, self._actual(period, "gateway")])]

    def _end(self, known: Known) -> list[Operation]:
        """Every month is closed in turn, something comes late, and all is proven."""
        closings = [
            operation
            for period in self._open(known)
            for operation in self._closing(period, known)[:-1]
        ]
        late = self._delivery(known.calendar(), self._months, known.events)
        held, self._held = self._held[: len(self._held) // 2], []
        last = [*self._fixed(known), *closings]
        return [*last, late, *self._told(held), {"do": "prove"}]


def _writer_of(event: Event) -> str:
    return event["source"] if event["source"] in TRACERS else "jsonl"
