"""What runs away: pure functions from what was counted to alerts, by thresholds of the books.

Every comparison is between whole numbers or exact fractions. What is not known is not judged: a
feature without earlier days has no usual, so its rate is not compared with any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final

from tallybook.books.model import Alerts
from tallybook.live.model import Alert, Row, Usual
from tallybook.live.trace import Trace
from tallybook.money import PICO_PER_NANO, format_units, half_even

KINDS: Final = ("loop", "retries", "fan_out", "spend")
TRACES_LEAST: Final = 100
"""So many earlier traces a feature needs before its usual fan-out is known."""
_PICO: Final = 12
_NEXT_STEPS: Final = {
    "loop": "stop the trace, then see why the step does not end: a limit on steps is missing",
    "retries": "stop the caller, then see what fails: retries need a limit and a growing pause",
    "fan_out": "look at the trace: split the request, or cache what its calls share",
    "spend": "see which agent and trace cost most, stop it or lower its budget",
}

Usuals = Mapping[tuple[str, str], tuple[int, int]]
"""by team and feature: earlier traces, and the 99th percentile of their calls"""


def in_trace(trace: Trace, at: Alerts, usuals: Usuals) -> Iterator[Alert]:
    """The alerts of one trace, as it stands.

    Args:
        trace: what was counted in it.
        at: the thresholds.
        usuals: what is usual of each feature.
    """
    if at.loop and max(trace.steps.values(), default=0) >= at.loop:
        step, repeats = _most(trace.steps)
        yield _of(trace, "loop", step, repeats, at.loop, f"runs of {step}", "")
    if at.retries and max(trace.attempts.values(), default=0) >= at.retries:
        operation, attempts = _most(trace.attempts)
        yield _of(trace, "retries", operation, attempts, at.retries, f"attempts of {operation}", "")
    calls = trace.figures[0]
    traces, p99 = usuals.get((trace.subject.team, trace.subject.feature), (0, 0))
    if not at.fan_out_times or traces < TRACES_LEAST:
        return
    threshold = max(at.fan_out_least, at.fan_out_times * p99)
    if calls > threshold:
        usual = f"99 of 100 of {traces} earlier traces had at most {p99}"
        yield _of(trace, "fan_out", "", calls, threshold, "calls in one trace", usual)


def in_spend(rows: Iterable[Row], at: Alerts, hour_us: int) -> Iterator[Alert]:
    """The features whose last hour costs far more than such an hour usually does.

    Args:
        rows: the features of an answer.
        at: the thresholds.
        hour_us: the clock hour, which is the window.
    """
    if not at.spend_times:
        return
    for row in rows:
        usual = row.burn.usual if row.burn else None
        if usual is None:
            continue
        least_pico = at.spend_least_nano * PICO_PER_NANO
        allowed = max(Fraction(least_pico), usual.cost_pico * at.spend_times)
        if row.hour.cost_pico > allowed:
            yield Alert(
                kind="spend",
                subject=spender(row.team, row.feature),
                window=str(hour_us),
                team=row.team,
                feature=row.feature,
                agent="",
                trace="",
                owner="",
                figure=format_units(row.hour.cost_pico, _PICO),
                threshold=format_units(half_even(allowed.numerator, allowed.denominator), _PICO),
                unit="spent in the last hour",
                usual=_spent(usual),
                next_step=_NEXT_STEPS["spend"],
            )


def spender(team: str, feature: str) -> str:
    """The subject of an alert about what a feature spends."""
    return f"{team}/{feature}"


def nearest_rank(counts: Mapping[int, int], percent: int) -> int:
    """The nearest-rank percentile of whole numbers, each so many times; 0 of nothing."""
    total = sum(counts.values())
    rank = -(-percent * total // 100)
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return 0


def _spent(usual: Usual) -> str:
    mean = half_even(usual.cost_pico.numerator, usual.cost_pico.denominator)
    return f"{format_units(mean, _PICO)}, the mean of {usual.hours} earlier {usual.like}"


def _most(counts: Mapping[str, int]) -> tuple[str, int]:
    return max(counts.items(), key=lambda item: (item[1], item[0]))


def _of(
    trace: Trace, kind: str, what: str, figure: int, threshold: int, unit: str, usual: str
) -> Alert:
    return Alert(
        kind=kind,
        subject=f"{trace.trace}/{what}" if what else trace.trace,
        window="trace",
        team=trace.subject.team,
        feature=trace.subject.feature,
        agent=trace.subject.agent,
        trace=trace.trace,
        owner="",
        figure=str(figure),
        threshold=str(threshold),
        unit=unit,
        usual=usual,
        next_step=_NEXT_STEPS[kind],
    )
