"""How pools are spread: drivers that can carry a share, and pools that serve pools without a trap.

The sums are exact: shares are percentages as written, made fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from tallybook.books.build_org import refuse_unknown
from tallybook.books.faults import Place, Sheet, shown
from tallybook.books.schema import PolicyVersionForm, PoolForm
from tallybook.money import format_percent, parse_percent

_Shares = Mapping[str, Mapping[str, Fraction]]
"""By pool, the share of it that each other pool uses."""

_WHOLE: Final = Fraction(1)


def check_drivers(pool: PoolForm, place: Place, sheet: Sheet) -> None:
    """Weights stand where a driver reads them, and every fallback can be reached."""
    drivers = [pool.driver, *pool.fallback]
    if "fixed" in drivers and not any(pool.weights.values()):
        sheet.refuse(
            (*place, "driver" if pool.driver == "fixed" else "fallback"),
            "driver fixed has no weight above zero",
            expected="weights, a whole number per team",
            remedy="add weights: {team: 1, ...}",
        )
    if "fixed" not in drivers and pool.weights:
        sheet.refuse(
            (*place, "weights"),
            f"weights have no meaning under driver {', '.join(drivers)}",
            expected="weights only beside driver: fixed, or fallback: fixed",
            remedy="remove weights, or set driver: fixed",
        )
    for number, name in enumerate(pool.fallback, 1):
        before = drivers[:number]
        if name in before or "equal" in before:
            sheet.refuse(
                (*place, "fallback"),
                f"fallback {name} is never reached after {', '.join(before)}",
                expected="each driver once, and equal last",
                remedy=f"remove {name}",
            )


def check_capacity_pool(pool: PoolForm, place: Place, sheet: Sheet) -> None:
    """A pool of capacity takes its cost from prices.yaml, and its shares from who reserved it."""
    if pool.driver != "capacity":
        for key in ("reserved", "idle"):
            if getattr(pool, key):
                sheet.refuse(
                    (*place, key),
                    f"{key} has no meaning under driver {pool.driver}",
                    expected=f"{key} only beside driver: capacity",
                    remedy=f"remove {key}, or set driver: capacity",
                )
        if "capacity" in pool.fallback:
            sheet.refuse(
                (*place, "fallback"),
                "capacity stands in for another driver",
                expected="capacity only as the driver itself",
                remedy="remove it",
            )
        return
    for key in ("monthly", "fallback", "serves", "floor"):
        if getattr(pool, key):
            sheet.refuse(
                (*place, key),
                f"{key} has no meaning under driver capacity",
                expected="reserved and idle; the cost is that of capacity in prices.yaml",
                remedy=f"remove {key}",
            )
    if pool.recovered_by == "markup":
        sheet.refuse(
            (*place, "recovered_by"),
            "a markup recovers capacity",
            expected="recovered_by: driver, so that who reserved it pays it",
            remedy="remove recovered_by",
        )
    if not pool.idle:
        sheet.refuse(
            place,
            f"nobody answers for idle capacity of {shown(pool.id)}",
            expected="idle: with a team",
            remedy="add idle:, the central team if nobody else is to pay it",
        )
    total = sum((parse_percent(text) for text in pool.reserved.values()), Fraction(0))
    if total > _WHOLE:
        sheet.refuse(
            (*place, "reserved"),
            f"{format_percent(total)} of {shown(pool.id)} is reserved",
            expected="at most 100%",
            remedy="lower the shares",
        )


def check_flows(form: PolicyVersionForm, place: Place, sheet: Sheet) -> None:
    """Who serves whom, and that every pool's cost can leave the pools under the method in force."""
    known = [pool.id for pool in form.pools]
    before = len(sheet.faults)
    for number, pool in enumerate(form.pools):
        _check_serves(pool, (*place, "pools", number, "serves"), known, sheet)
    shares = {
        pool.id: {taker: parse_percent(text) for taker, text in pool.serves.items()}
        for pool in form.pools
    }
    _check_order(form, shares, (*place, "pool_order"), sheet)
    if len(sheet.faults) > before:
        return
    if form.pool_method == "step_down":
        _check_steps(form, shares, (*place, "pool_order"), sheet)
    elif form.pool_method == "reciprocal":
        _check_cycle(form, shares, place, sheet)


def _check_serves(pool: PoolForm, place: Place, known: list[str], sheet: Sheet) -> None:
    for taker, text in pool.serves.items():
        below: Place = (*place, taker)
        if taker not in known:
            refuse_unknown(below, "pool", taker, known, sheet)
        elif taker == pool.id:
            sheet.refuse(
                below,
                f"pool {shown(taker)} serves itself",
                expected="other pools",
                remedy="remove it: what a pool uses of itself stays in it",
            )
        elif not parse_percent(text):
            sheet.refuse(
                below,
                f"a share of {text} has no effect",
                expected="a share above 0%",
                remedy=f"remove {taker}",
            )
    total = sum((parse_percent(text) for text in pool.serves.values()), Fraction(0))
    if total > _WHOLE:
        sheet.refuse(
            place,
            f"pool {shown(pool.id)} serves {format_percent(total)} of itself to other pools",
            expected="at most 100%; what is left is for teams",
            remedy="lower the shares",
        )


def _check_order(form: PolicyVersionForm, shares: _Shares, place: Place, sheet: Sheet) -> None:
    """`pool_order` names pools that serve others, each once; under step_down all of them."""
    serving = [pool for pool, takers in shares.items() if takers]
    order = form.pool_order
    for number, name in enumerate(order):
        if name not in shares:
            refuse_unknown((*place, number), "pool", name, serving, sheet)
        elif name not in serving or name in order[:number]:
            why = "stands twice" if name in serving else "serves no other pool"
            sheet.refuse(
                (*place, number),
                f"pool {shown(name)} {why}",
                expected="each pool that serves another, once",
                remedy=f"remove {name}",
            )
    missing = [name for name in serving if name not in order]
    if form.pool_method == "step_down" and missing:
        sheet.refuse(
            place,
            f"pool_order does not say when {', '.join(missing)} is closed",
            expected="each pool that serves another, once",
            remedy=f"write pool_order: [{', '.join([*order, *missing])}], in the order you want",
        )


def _check_steps(form: PolicyVersionForm, shares: _Shares, place: Place, sheet: Sheet) -> None:
    """No pool comes when everything that it serves is closed already."""
    for number, name in enumerate(form.pool_order):
        closed = [taker for taker in shares[name] if taker in form.pool_order[:number]]
        if sum((shares[name][taker] for taker in closed), Fraction(0)) == _WHOLE:
            sheet.refuse(
                (*place, number),
                f"pool {shown(name)} serves only {', '.join(closed)}, closed before it",
                expected="teams or a pool still open to take what is in it",
                remedy=f"put {name} before {closed[-1]}, or serve less than 100% to pools",
            )


def _check_cycle(form: PolicyVersionForm, shares: _Shares, place: Place, sheet: Sheet) -> None:
    """Every pool reaches teams, through other pools if need be; otherwise there is no solution."""
    cycle = closed_cycle(shares)
    if cycle:
        number = next(n for n, pool in enumerate(form.pools) if pool.id == cycle[0])
        sheet.refuse(
            (*place, "pools", number, "serves"),
            f"{' -> '.join([*cycle, cycle[0]])}: these pools serve only each other, so no team"
            " can ever be charged for them",
            expected="less than 100% to pools in at least one of them",
            remedy="lower a share, so that teams use the rest, or set pool_method: direct",
        )


def closed_cycle(shares: _Shares) -> list[str]:
    """A circle of pools whose whole cost stays among pools, in order; empty if there is none."""
    trapped = dict(shares)
    while leaving := [
        pool
        for pool, takers in trapped.items()
        if sum(takers.values(), Fraction(0)) < _WHOLE or takers.keys() - trapped.keys()
    ]:
        for pool in leaving:
            del trapped[pool]
    if not trapped:
        return []
    walked = [min(trapped)]
    while (onward := min(trapped[walked[-1]])) not in walked:
        walked.append(onward)
    return walked[walked.index(onward) :]
