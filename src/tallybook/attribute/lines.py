"""From rated groups to lines by owner: one decision per distinct combination, not per call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from tallybook.attribute.adding import counted_up, in_order
from tallybook.attribute.model import AttributedLine, Attribution, Invocation, Owner
from tallybook.attribute.path import ROOT, Decision, Paths
from tallybook.attribute.walk import Walk
from tallybook.books.model import Org
from tallybook.rate.rating import UNPLACED, Metering, beside_sql, carried_sql
from tallybook.store import sql_text
from tallybook.store.lake import ColumnType, Session

_OWNER_TYPES: dict[str, ColumnType] = {"combo": "whole", "owner": "whole"}


def sums_of(
    session: Session,
    metering: Metering,
    paths: Paths,
    decisions: Sequence[Decision],
    walked: Walk | None = None,
) -> Attribution:
    """Sum ``rated`` by what was decided of it.

    Args:
        session: an engine in which `tallybook.rate.rating.rate_events` made ``rated``.
        metering: how it was grouped.
        paths: decided each combination once.
        decisions: of `decided_groups`.
        walked: the walk of the period's traces, where calls do not stand alone.

    Returns:
        the period as it adds up, in order: the same for the same events in any order.
    """
    names = metering.units
    units = "".join(f", SUM(r.u{i}) AS u{i}" for i in range(len(names)))
    same = _same("r", metering)
    capacity = ", r.capacity" if metering.has_capacity else ""
    statement = sql_text(__package__, "lines").format(same=same, units=units, capacity=capacity)
    lines = in_order(_line(row, decisions, names) for row in session.rows(statement))
    invocations = list(walked.invocations) if walked else []
    if paths.counted:
        columns = ", ".join(f"r.{name}" for name in metering.columns)
        counted = session.rows(sql_text(__package__, "beneath").format(columns=columns))
        invocations += _beneath(paths, metering, counted)
    if paths.counts:
        invocations += _lone(session, metering, paths)
    return Attribution(tuple(lines), counted_up((1, one) for one in invocations))


def decided_groups(session: Session, metering: Metering, paths: Paths) -> list[Decision]:
    """Decide each distinct combination of ``rated``; makes ``combos`` and ``combo_owner``.

    Returns:
        the distinct decisions, by the number that ``combo_owner`` gives as ``owner``.
    """
    columns = ", ".join(metering.columns)
    session.run(sql_text(__package__, "combos").format(carried=columns))
    combos = session.rows(sql_text(__package__, "numbered").format(carried=columns))
    decisions, numbered = decide_all(metering, paths, combos)
    session.table("combo_owner", _OWNER_TYPES, numbered)
    return decisions


def _same(of: str, metering: Metering) -> str:
    return " AND ".join(f"{of}.{name} = c.{name}" for name in metering.columns)


def _beneath(
    paths: Paths, metering: Metering, counted: Iterable[Sequence[object]]
) -> Iterable[Invocation]:
    """The tokens beneath services, by who started the calls."""
    for epoch, tokens, *values in counted:
        if tokens:
            for one in paths.beneath(*_end(metering, paths, values, int(str(epoch)))):
                yield replace(one, tokens=int(str(tokens)))


def _lone(session: Session, metering: Metering, paths: Paths) -> Iterable[Invocation]:
    """The invocations of calls that name no trace: each call is one of its service."""
    alone = replace(metering, placed=False)
    statement = sql_text(__package__, "lone").format(
        names=", ".join(alone.columns), carried=carried_sql(alone), beside=beside_sql(alone)
    )
    bounds = {"start_us": metering.start_us, "end_us": metering.end_us}
    for epoch, fails, calls, *values in session.rows(statement, bounds):
        said, service = paths.node(dict(zip(metering.carried, map(str, values), strict=True)))
        one = paths.invocation(paths.origin(ROOT, said), ROOT, service, int(str(epoch)))
        if one is not None:
            count = int(str(calls))
            yield replace(one, calls=count, outcomes=0 if fails else count)


def decide(
    metering: Metering, org: Org, combos: Sequence[tuple[object, ...]]
) -> tuple[list[Owner], list[tuple[int, int]]]:
    """The distinct owners, and (combo, index of its owner) for each combination of a lone call.

    Where several pay, the owner is who started it.
    """
    paths = paths_of(metering, org)
    decisions, numbered = decide_all(replace(metering, placed=False), paths, combos)
    return [one.owner for one in decisions], numbered


def paths_of(metering: Metering, org: Org) -> Paths:
    """The paths of a period."""
    return Paths(org, (metering.start_us, *metering.epochs_us))


def decide_all(
    metering: Metering, paths: Paths, combos: Sequence[tuple[object, ...]]
) -> tuple[list[Decision], list[tuple[int, int]]]:
    """The distinct decisions, and (combo, index of its decision) for each combination.

    Args:
        metering: how calls were grouped.
        paths: decides.
        combos: (number, epoch, values of the columns of `Metering.columns`).
    """
    index: dict[Decision, int] = {}
    numbered = []
    for combo, epoch, *values in combos:
        if values == [UNPLACED]:
            continue  # superseded: it was not walked, and what it carried is not told
        decision = _decision(metering, paths, values, int(str(epoch)))
        numbered.append((int(str(combo)), index.setdefault(decision, len(index))))
    return list(index), numbered


def _decision(metering: Metering, paths: Paths, values: Sequence[object], epoch: int) -> Decision:
    """What the end of the path of calls of some values means."""
    if metering.placed and values[-1] != UNPLACED:
        return paths.decisions[int(str(values[-1]))]
    return paths.decision(*_end(metering, paths, values, epoch))


def _end(
    metering: Metering, paths: Paths, values: Sequence[object], epoch: int
) -> tuple[int, int, int]:
    """Where the path of calls of some values ends: their origin, chain and chart, by number."""
    if metering.placed:
        place = int(str(values[-1]))
        if place != UNPLACED:
            return paths.ends[place]
        values = values[:-1]
    carried = dict(zip(metering.carried, map(str, values), strict=True))
    return *paths.alone(carried), epoch


def _line(
    row: Sequence[Any], decisions: Sequence[Decision], units: Sequence[str]
) -> AttributedLine:
    """A row of `lines.sql` as a line; where there are capacities, its own comes last."""
    provider, owner, state, unpriced, calls, tokens, list_pico, contract_pico, card_pico = row[:9]
    counts, capacity = row[9 : 9 + len(units)], row[9 + len(units) :]
    decision = decisions[owner]
    return AttributedLine(
        provider, decision.owner, state, unpriced,
        calls, tokens, list_pico, contract_pico, card_pico,
        {unit: count for unit, count in zip(units, counts, strict=True) if count},
        decision.payers, decision.joint, capacity[0] if capacity else "",
    )  # fmt: skip
