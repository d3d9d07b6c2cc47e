"""From rated groups to lines by owner: one decision per distinct combination, not per call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tallybook.attribute.model import (
    AttributedLine,
    Attribution,
    Invocation,
    Joint,
    Owner,
    Payer,
)
from tallybook.attribute.owner import OrgAt
from tallybook.books.model import Org
from tallybook.rate.rating import Metering
from tallybook.store import sql_text
from tallybook.store.lake import ColumnType, Session

_OWNER_TYPES: dict[str, ColumnType] = {"combo": "whole", "owner": "whole"}


def attribute_lines(session: Session, metering: Metering, org: Org) -> list[AttributedLine]:
    """Find the owner of every row of ``rated`` and sum by owner.

    Args:
        session: an engine in which `tallybook.rate.rating.rate_events` made ``rated``.
        metering: how it was grouped.
        org: the org chart.

    Returns:
        lines sorted by provider, owner, state: the same for the same events in any order.
    """
    columns = ", ".join(f"c{i}" for i in range(len(metering.carried)))
    session.run(sql_text(__package__, "combos").format(carried=columns))
    combos = session.rows(sql_text(__package__, "numbered").format(carried=columns))
    owners, numbered = decide(metering, org, combos)
    session.table("combo_owner", _OWNER_TYPES, numbered)
    same = " AND ".join(f"r.c{i} = c.c{i}" for i in range(len(metering.carried)))
    units = "".join(f", SUM(r.u{i}) AS u{i}" for i in range(len(metering.units)))
    rows = session.rows(sql_text(__package__, "lines").format(same=same, units=units))
    return in_order(_line(row, owners, metering.units) for row in rows)


def in_order(lines: Iterable[AttributedLine]) -> list[AttributedLine]:
    """Lines by provider, owner and state."""
    return sorted(lines, key=_order)


def decide(
    metering: Metering, org: Org, combos: Sequence[tuple[object, ...]]
) -> tuple[list[Owner], list[tuple[int, int]]]:
    """The distinct owners, and (combo, index of its owner) for each combination."""
    starts = (metering.start_us, *metering.epochs_us)
    charts = [OrgAt(org, start) for start in starts]
    index: dict[Owner, int] = {}
    numbered = []
    for combo, epoch, *values in combos:
        carried = dict(zip(metering.carried, map(str, values), strict=True))
        owner = charts[int(str(epoch))].owner(carried)
        numbered.append((int(str(combo)), index.setdefault(owner, len(index))))
    return list(index), numbered


def _line(row: tuple[object, ...], owners: Sequence[Owner], units: Sequence[str]) -> AttributedLine:
    provider, owner, state, unpriced, *sums = row
    whole = [int(str(value)) if value is not None else 0 for value in sums]
    calls, tokens, list_pico, contract_pico, card_pico, *counts = whole
    return AttributedLine(
        provider=str(provider),
        owner=owners[int(str(owner))],
        state=str(state),
        unpriced=bool(unpriced),
        calls=calls,
        tokens=tokens,
        list_pico=list_pico,
        contract_pico=contract_pico,
        card_pico=card_pico,
        units={unit: count for unit, count in zip(units, counts, strict=True) if count},
    )


def _order(line: AttributedLine) -> tuple[object, ...]:
    o = line.owner
    return (
        line.provider, o.team, o.feature, o.purpose, o.kind, o.service, o.executor, o.rule,
        line.state, str(line.unpriced), o.origin, o.origin_feature, o.transfer, line.payers,
        (line.joint,) if line.joint else (),
    )  # fmt: skip


Key = tuple[str, Owner, str, bool, tuple[Payer, ...], Joint | None]
"""provider, owner, state, unpriced, payers, joint: what makes a line one line"""


def key_of(line: AttributedLine) -> Key:
    """What makes a line one line."""
    return (line.provider, line.owner, line.state, line.unpriced, line.payers, line.joint)


def added_up(parts: Iterable[tuple[int, AttributedLine]]) -> list[AttributedLine]:
    """Lines of one key as one, each with its sign; in order. What comes to nothing is gone."""
    sums: dict[Key, AttributedLine] = {}
    for sign, line in parts:
        key = key_of(line)
        held = sums.get(key)
        if held is None and sign > 0:
            sums[key] = line
        else:
            sums[key] = _plus(held or _nothing(line), sign, line)
    return in_order(line for line in sums.values() if _is_something(line))


def added_together(parts: Iterable[tuple[int, Attribution]]) -> Attribution:
    """Several attributions as one, each with its sign.

    Raises:
        AssertionError: more is taken off than there was.
    """
    held = list(parts)
    lines = added_up((sign, line) for sign, part in held for line in part.lines)
    assert all(line.calls > 0 for line in lines), "more was taken off than there was"
    counts: dict[Invocation, list[int]] = defaultdict(lambda: [0, 0, 0])
    for sign, part in held:
        for one in part.invocations:
            sums = counts[replace(one, calls=0, outcomes=0, tokens=0)]
            for place, count in enumerate((one.calls, one.outcomes, one.tokens)):
                sums[place] += sign * count
    found = (
        replace(one, calls=calls, outcomes=outcomes, tokens=tokens)
        for one, (calls, outcomes, tokens) in counts.items()
        if calls
    )
    return Attribution(tuple(lines), tuple(sorted(found)))


def _is_something(line: AttributedLine) -> bool:
    amounts = (line.calls, line.tokens, line.list_pico, line.contract_pico, line.card_pico)
    return any(amounts) or bool(line.units)


def _nothing(line: AttributedLine) -> AttributedLine:
    return replace(line, calls=0, tokens=0, list_pico=0, contract_pico=0, card_pico=0, units={})


def _plus(held: AttributedLine, sign: int, line: AttributedLine) -> AttributedLine:
    units = dict(held.units)
    for unit, count in line.units.items():
        units[unit] = units.get(unit, 0) + sign * count
    return replace(
        held,
        calls=held.calls + sign * line.calls,
        tokens=held.tokens + sign * line.tokens,
        list_pico=held.list_pico + sign * line.list_pico,
        contract_pico=held.contract_pico + sign * line.contract_pico,
        card_pico=held.card_pico + sign * line.card_pico,
        units={unit: count for unit, count in sorted(units.items()) if count},
    )
