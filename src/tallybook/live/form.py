"""Answers and alerts in their machine form: what `--json` prints and the server sends.

Amounts are text in currency units with twelve decimals, exact. Ratios are text, rounded.
"""

from __future__ import annotations

from typing import Any, Final

from tallybook.clock import format_instant
from tallybook.live.model import Alert, Burn, DearTrace, Live, Row, Tally
from tallybook.live.requests import Cost, Kind, Requests
from tallybook.money import format_ratio, format_share, format_units, half_even

NOTE: Final = (
    "provisional: what waits is counted before it is settled, and nothing here is posted;"
    " the ledger is what `tallybook run` posts"
)
_PICO: Final = 12


def live_values(live: Live) -> dict[str, Any]:
    """An answer. Each cut adds up to the totals; what is unknown stands beside them."""
    told = live.provisional
    return {
        "period": live.period,
        "currency": live.currency,
        "at": format_instant(live.at_us),
        "provisional": NOTE,
        "month_to_date": _tally(live.month),
        "last_hour": {"from": format_instant(live.hour_from_us), **_tally(live.hour)},
        "burn": _burn(live.burn),
        "not_known": {
            "unallocated": {
                **_tally(live.unallocated),
                "share": format_share(live.unallocated.cost_pico, live.month.cost_pico),
            },
            "unpriced": _share(live.month.unpriced, live.month.calls),
            "unknown": _share(live.month.unknown, live.month.calls),
            "estimated": {
                **_share(live.month.estimated, live.month.calls),
                "cost": format_units(live.month.estimated_pico, _PICO),
            },
        },
        "waiting": {
            **_tally(told.tally),
            "joined": told.joined,
            "corrections": told.corrections,
            "of_other_months": told.elsewhere,
            "of_the_future": _tally(told.ahead),
        },
        "features": [_row(row, "team", "feature") for row in live.features],
        "agents": [_row(row, "agent") for row in live.agents],
        "traces": [_trace(one) for one in live.traces],
    }


def alert_values(alert: Alert) -> dict[str, Any]:
    """An alert."""
    return {
        "id": alert.id,
        "kind": alert.kind,
        "subject": alert.subject,
        "fired_at": format_instant(alert.fired_us),
        "team": alert.team,
        "feature": alert.feature,
        "owner": alert.owner,
        "agent": alert.agent,
        "trace": alert.trace,
        "figure": alert.figure,
        "threshold": alert.threshold,
        "unit": alert.unit,
        "usual": alert.usual,
        "next_step": alert.next_step,
        "text": alert_text(alert),
        "told": dict(alert.told),
        "acknowledged": {
            "by": alert.acked_by,
            "reason": alert.reason,
            "at": format_instant(alert.acked_us),
        }
        if alert.acked_us
        else None,
    }


def alert_text(alert: Alert) -> str:
    """An alert in one line: what, who, how much, and what to do."""
    where = f" in trace {alert.trace}" if alert.trace else ""
    agent = f", agent {alert.agent}" if alert.agent else ""
    owner = f" ({alert.owner})" if alert.owner else ""
    usual = f"; usual: {alert.usual}" if alert.usual else ""
    feature = f"/{alert.feature}" if alert.feature else ""
    return (
        f"{alert.kind}: {alert.figure} {alert.unit}{where}, the threshold is {alert.threshold}"
        f"{usual}. Team {alert.team}{feature}{owner}{agent}. What to do: {alert.next_step}"
    )


def request_values(found: Requests) -> dict[str, Any]:
    """What requests cost, and what the dear ones have that the typical ones have not."""
    return {
        "period": found.period,
        "currency": found.currency,
        "traces": _cost(found.traces) if found.traces else None,
        "untraced": _cost(found.untraced) if found.untraced else None,
        "features": [
            {"team": one.team, "feature": one.feature, **_cost(one)} for one in found.features
        ],
        "agents": [{"agent": one.agent, **_cost(one)} for one in found.agents],
        "tail": _kind(found.tail) if found.tail else None,
        "typical": _kind(found.typical) if found.typical else None,
        "dearest": [
            {
                "trace": one.trace,
                "cost": format_units(one.cost_pico, _PICO),
                "calls": one.calls,
                "depth": one.depth,
                "retries": one.retries,
                "retried": format_units(one.retried_pico, _PICO),
                "largest_context": one.most_context,
                "context_growth": one.growth,
            }
            for one in found.dearest
        ],
    }


def _cost(one: Cost) -> dict[str, Any]:
    return {
        "requests": one.requests,
        "calls": one.calls,
        "cost": format_units(one.cost_pico, _PICO),
        "median": format_units(one.p50_pico, _PICO),
        "p95": format_units(one.p95_pico, _PICO),
        "p99": format_units(one.p99_pico, _PICO),
        "most": format_units(one.most_pico, _PICO),
        "unpriced": one.unpriced,
        "unknown": one.unknown,
    }


def _kind(one: Kind) -> dict[str, Any]:
    return {
        "traces": one.traces,
        "cost": format_units(one.cost_pico, _PICO),
        "calls": one.calls,
        "depth": one.depth,
        "retries": one.retries,
        "retried": format_units(one.retried_pico, _PICO),
        "largest_context": one.most_context,
        "context_growth": one.growth,
        "models": [
            {"model": model, "cost": format_units(cost, _PICO), "calls": calls}
            for model, (cost, calls) in one.models.items()
        ],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "cost": format_units(tally.cost_pico, _PICO),
        "calls": tally.calls,
        "tokens": tally.tokens,
        "unpriced": tally.unpriced,
        "unknown": tally.unknown,
        "estimated": tally.estimated,
    }


def _share(part: int, whole: int) -> dict[str, Any]:
    return {"calls": part, "share": format_share(part, whole)}


def _burn(burn: Burn) -> dict[str, Any]:
    usual = burn.usual
    times = burn.times
    mean = half_even(usual.cost_pico.numerator, usual.cost_pico.denominator) if usual else None
    return {
        "last_hour": format_units(burn.cost_pico, _PICO),
        "usual": format_units(mean, _PICO) if mean is not None else None,
        "usual_of": f"{usual.hours} earlier {usual.like}" if usual else "nothing earlier is known",
        "times_usual": format_ratio(times.numerator, times.denominator, 2)
        if times is not None
        else None,
    }


def _row(row: Row, *names: str) -> dict[str, Any]:
    who: dict[str, Any] = {name: getattr(row, name) for name in names}
    if row.others:
        who = {"others": row.others}
    burn = {"burn": _burn(row.burn)} if row.burn else {}
    return who | {"month_to_date": _tally(row.month), "last_hour": _tally(row.hour)} | burn


def _trace(one: DearTrace) -> dict[str, Any]:
    return {
        "trace": one.trace,
        "team": one.team,
        "feature": one.feature,
        "agent": one.agent,
        "first": format_instant(one.first_us),
        "last": format_instant(one.last_us),
        **_tally(one.tally),
    }
