"""The answer of `live`: the month to date and the last hour, by feature and by agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from tallybook.live.bucket import total
from tallybook.live.cut import Cut, Cuts, cost_of, costs_of, rows_of
from tallybook.live.model import (
    HOUR_US,
    SKEW_US,
    SLOT_US,
    Burn,
    DearTrace,
    Live,
    Provisional,
    Row,
    Tally,
)
from tallybook.live.rollup import Rollup, Standing
from tallybook.live.trace import trace_of
from tallybook.live.usual import Before, Who, hours_before, touched_hours, usual_of
from tallybook.store import Tx

ROWS_SHOWN: Final = 100
TRACES_SHOWN: Final = 10
EVERYBODY: Final[Who] = ("", "")


class Answerer:
    """Answers from a rollup; keeps what is usual until the hours that it stands on change.

    Args:
        rollup: of the books.
    """

    def __init__(self, rollup: Rollup) -> None:
        self._rollup = rollup
        self._past = Cuts()
        self._looked: tuple[object, ...] = ()
        self._before: Mapping[int, Before] = {}
        self._hour = Cut()
        self._span_us = (0, 0)

    def live(self, standing: Standing | None = None, most: int = ROWS_SHOWN) -> Live:
        """The answer, after everything that came was taken in.

        Args:
            standing: of the rollup, if the caller has it.
            most: how many features and agents are listed one by one; 0 for all.

        Raises:
            BooksError: no policy files were applied.
            StoreError: others kept changing what this stands on.
        """
        rollup = self._rollup
        held = standing or rollup.caught_up()
        basis, state, now_us = held.ground.basis, held.state, held.now_us
        sealed, waits = rollup.month(held)
        month = Cut.together([sealed, waits])
        hour = self._last_hour(held)
        ahead = rollup.hours_since(held, now_us - now_us % HOUR_US + HOUR_US, basis.end_us)
        with rollup.store.read() as tx:
            traces = dear_traces(tx, self._span_us[0])
        return Live(
            period=str(basis.period),
            currency=basis.books.org.company.currency,
            at_us=now_us,
            hour_from_us=self._span_us[0],
            month=month.total,
            hour=hour.total,
            unallocated=Tally(*month.unallocated),
            burn=self._burn(EVERYBODY, hour.total.cost_pico),
            features=tuple(self._features(month, hour, most)),
            agents=tuple(_agents(month, hour, most)),
            traces=tuple(traces),
            provisional=Provisional(
                tally=waits.total,
                joined=state.count("joined"),
                corrections=state.count("corrections"),
                elsewhere=state.count("elsewhere"),
                ahead=total(ahead),
            ),
        )

    def burning(self, least_pico: int, is_told: Callable[[str, str], bool]) -> Iterator[Row]:
        """The features whose last hour, in the last answer, cost at least so much.

        Args:
            least_pico: what it costs at least.
            is_told: whether a team and feature need not be looked at again.
        """
        for who, held in self._hour.features.items():
            if cost_of(held) >= least_pico and not is_told(*who):
                tally = Tally(*held)
                yield Row(*who, "", tally, tally, self._burn(who, tally.cost_pico))

    def _last_hour(self, standing: Standing) -> Cut:
        """The slots of the last hour; those before the running one seldom move."""
        now_us = standing.now_us
        low_us = last_hour_from(now_us)
        past, now = self._rollup.slots(standing, low_us, now_us + SKEW_US)
        self._span_us = (low_us, now_us)
        self._look_back(standing)
        self._hour = Cut.together([self._past.of(past), *now])
        return self._hour

    def _look_back(self, standing: Standing) -> None:
        """Add up the earlier hours, unless that was done for this hour and lot."""
        state = standing.state
        hours = touched_hours(*self._span_us)
        # What waits may be of earlier days; who looks every second need not see that at once.
        asked = (state.period, state.sealed_lot, state.manifest, *hours)
        if asked == self._looked:
            return
        first_us = self._rollup.first_hour_us(standing)
        before = {}
        for at in hours:
            earlier, is_weeks = hours_before(at, first_us)
            found = self._rollup.hours(standing, earlier)
            before[at] = Before(len(earlier), is_weeks, costs_of(found.values(), EVERYBODY))
        self._before, self._looked = before, asked

    def _burn(self, who: Who, cost_pico: int) -> Burn:
        return Burn(cost_pico, usual_of(*self._span_us, self._before, who))

    def _features(self, month: Cut, hour: Cut, most: int) -> Iterator[Row]:
        for row in rows_of(month.features, hour.features, most):
            if row.others or not row.hour.calls:
                yield row
            else:
                burn = self._burn((row.team, row.feature), row.hour.cost_pico)
                yield replace(row, burn=burn)


def last_hour_from(now_us: int) -> int:
    """Where the last hour begins: with a slot, from 55 minutes to an hour ago."""
    low = now_us - HOUR_US + SLOT_US
    return low - low % SLOT_US


def _agents(month: Cut, hour: Cut, most: int) -> Iterator[Row]:
    months = {(agent, ""): held for agent, held in month.agents.items()}
    hours = {(agent, ""): held for agent, held in hour.agents.items()}
    for row in rows_of(months, hours, most):
        yield replace(row, team="", agent=row.team)


def dear_traces(tx: Tx, since_us: int) -> list[DearTrace]:
    """The recent traces that cost most, those with a call since an instant."""
    rows = tx.rows(
        "SELECT trace, body FROM live_trace WHERE dear = 1 ORDER BY cost_rank DESC, trace"
    )
    found: list[DearTrace] = []
    for row in rows:
        trace = trace_of(row.trace, row.body)
        if trace.last_us >= since_us:
            who = trace.subject
            found.append(
                DearTrace(
                    trace.trace,
                    who.team,
                    who.feature,
                    who.agent,
                    trace.first_us,
                    trace.last_us,
                    Tally(*trace.figures),
                )
            )
        if len(found) == TRACES_SHOWN:
            break
    return found
