"""The answer of `live`: the month to date and the last hour, by feature and by agent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from tallybook.live.bucket import Figures, merged, total
from tallybook.live.model import (
    HOUR_US,
    NOTHING,
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

DEAR_SHOWN: Final = 10
_TOTAL: Final[Who] = ("", "")


class Answerer:
    """Answers from a rollup; keeps what is usual until the hours that it stands on change.

    Args:
        rollup: of the books.
    """

    def __init__(self, rollup: Rollup) -> None:
        self._rollup = rollup
        self._looked: tuple[object, ...] = ()
        self._before: Mapping[int, Before] = {}

    def live(self, standing: Standing | None = None) -> Live:
        """The answer, after everything that came was taken in.

        Raises:
            BooksError: no policy files were applied.
            StoreError: others kept changing what this stands on.
        """
        rollup = self._rollup
        held = standing or rollup.caught_up()
        basis, state, now_us = held.ground.basis, held.state, held.now_us
        sealed, waiting = rollup.month(held)
        month = merged(_copy(sealed), waiting)
        low_us = last_hour_from(now_us)
        hour = rollup.slots(held, low_us, now_us + SKEW_US)
        self._look_back(held, low_us)
        ahead = rollup.hours_since(held, now_us - now_us % HOUR_US + HOUR_US, basis.end_us)
        with rollup.store.read() as tx:
            traces = dear_traces(tx, low_us)
        hour_total = total(hour)
        return Live(
            period=str(basis.period),
            currency=basis.books.org.company.currency,
            at_us=now_us,
            hour_from_us=low_us,
            month=total(month),
            hour=hour_total,
            unallocated=total({s: f for s, f in month.items() if not s.allocated}),
            burn=self._burn(_TOTAL, hour_total.cost_pico, low_us, now_us),
            features=self._features(month, hour, low_us, now_us),
            agents=_agents(month, hour),
            traces=tuple(traces),
            provisional=Provisional(
                tally=total(waiting),
                joined=state.count("joined"),
                corrections=state.count("corrections"),
                elsewhere=state.count("elsewhere"),
                ahead=total(ahead),
            ),
        )

    def _look_back(self, standing: Standing, low_us: int) -> None:
        """Add up the earlier hours, unless that was done for this hour and lot."""
        state = standing.state
        hours = touched_hours(low_us, standing.now_us)
        # What waits may be of earlier days; who looks every second need not see that at once.
        asked = (state.period, state.sealed_lot, state.manifest, *hours)
        if asked == self._looked:
            return
        first_us = self._rollup.first_hour_us(standing)
        before = {}
        for at in hours:
            earlier, is_weeks = hours_before(at, first_us)
            found = self._rollup.hours(standing, earlier)
            before[at] = Before(len(earlier), is_weeks, _costs(found.values()))
        self._before, self._looked = before, asked

    def _burn(self, who: Who, cost_pico: int, low_us: int, now_us: int) -> Burn:
        return Burn(cost_pico, usual_of(low_us, now_us, self._before, who))

    def _features(self, month: Figures, hour: Figures, low_us: int, now_us: int) -> tuple[Row, ...]:
        months, hours = by_feature(month), by_feature(hour)
        rows = []
        for who in months.keys() | hours.keys():
            now = hours.get(who, NOTHING)
            burn = self._burn(who, now.cost_pico, low_us, now_us) if who in hours else None
            rows.append(Row(*who, "", months.get(who, NOTHING), now, burn))
        return tuple(sorted(rows, key=_dearest))


def last_hour_from(now_us: int) -> int:
    """Where the last hour begins: with a slot, from 55 minutes to an hour ago."""
    low = now_us - HOUR_US + SLOT_US
    return low - low % SLOT_US


def by_feature(figures: Figures) -> dict[Who, Tally]:
    """Tallies by team and feature."""
    return _grouped(((one.team, one.feature), held) for one, held in figures.items())


def _agents(month: Figures, hour: Figures) -> tuple[Row, ...]:
    months = _grouped(((one.agent, ""), held) for one, held in month.items())
    hours = _grouped(((one.agent, ""), held) for one, held in hour.items())
    rows = [
        Row("", "", who[0], months.get(who, NOTHING), hours.get(who, NOTHING))
        for who in months.keys() | hours.keys()
    ]
    return tuple(sorted(rows, key=_dearest))


def _grouped(parts: Iterable[tuple[Who, list[int]]]) -> dict[Who, Tally]:
    sums: dict[Who, list[int]] = {}
    for who, figures in parts:
        held = sums.get(who)
        sums[who] = figures if held is None else [a + b for a, b in zip(held, figures, strict=True)]
    return {who: Tally(*figures) for who, figures in sums.items()}


def _costs(stretches: Iterable[Figures]) -> dict[Who, int]:
    """What several stretches cost together, by team and feature."""
    found: dict[Who, int] = defaultdict(int)
    for figures in stretches:
        for subject, held in figures.items():
            found[subject.team, subject.feature] += held[2]
            found[_TOTAL] += held[2]
    return found


def _dearest(row: Row) -> tuple[int, int, int, str, str, str]:
    return (
        -row.hour.cost_pico, -row.month.cost_pico, -row.month.calls, row.team, row.feature,
        row.agent,
    )  # fmt: skip


def dear_traces(tx: Tx, since_us: int) -> list[DearTrace]:
    """The recent traces that cost most, those with a call since an instant."""
    rows = tx.rows(
        "SELECT trace, body FROM live_trace WHERE dear = 1 ORDER BY cost_rank DESC, trace"
    )
    found: list[DearTrace] = []
    for row in rows:
        trace = trace_of(row.trace, row.body)
        if trace.last_us >= since_us:
            found.append(
                DearTrace(
                    trace.trace,
                    trace.subject.team,
                    trace.subject.feature,
                    trace.subject.agent,
                    trace.first_us,
                    trace.last_us,
                    Tally(*trace.figures),
                )
            )
        if len(found) == DEAR_SHOWN:
            break
    return found


def _copy(figures: Figures) -> Figures:
    return {subject: [*held] for subject, held in figures.items()}
