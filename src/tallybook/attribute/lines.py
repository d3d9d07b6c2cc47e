"""From rated groups to lines by owner: one decision per distinct combination, not per call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tallybook.attribute.model import AttributedLine, Owner
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


def _order(line: AttributedLine) -> tuple[str, ...]:
    o = line.owner
    return (
        line.provider, o.team, o.feature, o.purpose, o.kind, o.service, o.executor, o.rule,
        line.state, str(line.unpriced),
    )  # fmt: skip
