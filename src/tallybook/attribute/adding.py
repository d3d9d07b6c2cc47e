"""Lines and invocations that add up: of one key as one, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

from tallybook.attribute.model import AttributedLine, Attribution, Invocation, Joint, Owner, Payer

_kind_of = attrgetter(*(field.name for field in fields(Invocation)[:-3]))
"""What makes an invocation one invocation: all but its three counts, which stand last."""


def in_order(lines: Iterable[AttributedLine]) -> list[AttributedLine]:
    """Lines by provider, owner and state."""
    # Of one provider, team and feature there are few: most are in order before more is compared.
    groups: dict[tuple[str, str, str], list[AttributedLine]] = defaultdict(list)
    for line in lines:
        groups[line.provider, line.owner.team, line.owner.feature].append(line)
    return [line for key in sorted(groups) for line in sorted(groups[key], key=_order)]


def _order(line: AttributedLine) -> tuple[object, ...]:
    o = line.owner
    return (
        line.provider, o.team, o.feature, o.purpose, o.kind, o.service, o.executor, o.rule,
        line.state, str(line.unpriced), o.origin, o.origin_feature, o.transfer, line.payers,
        (line.joint,) if line.joint else (), line.capacity,
    )  # fmt: skip


Key = tuple[str, Owner, str, bool, tuple[Payer, ...], Joint | None, str]
"""provider, owner, state, unpriced, payers, joint, capacity: what makes a line one line"""


def key_of(line: AttributedLine) -> Key:
    """What makes a line one line."""
    return (
        line.provider, line.owner, line.state, line.unpriced, line.payers, line.joint,
        line.capacity,
    )  # fmt: skip


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
    counted = counted_up((sign, one) for sign, part in held for one in part.invocations)
    return Attribution(tuple(lines), counted)


def counted_up(parts: Iterable[tuple[int, Invocation]]) -> tuple[Invocation, ...]:
    """Invocations of one kind as one, each with its sign; in order, without those of no calls."""
    counts: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for sign, one in parts:
        sums = counts[_kind_of(one)]
        sums[0] += sign * one.calls
        sums[1] += sign * one.outcomes
        sums[2] += sign * one.tokens
    # In order as fields: invocations compare field by field too, but ten times as slowly.
    rows = sorted((*kind, *held) for kind, held in counts.items() if held[0] or held[2])
    return tuple(Invocation(*row) for row in rows)


def _is_something(line: AttributedLine) -> bool:
    return bool(
        line.calls or line.tokens or line.list_pico or line.contract_pico or line.card_pico
        or line.units
    )  # fmt: skip


def _nothing(line: AttributedLine) -> AttributedLine:
    return replace(line, calls=0, tokens=0, list_pico=0, contract_pico=0, card_pico=0, units={})


def _plus(held: AttributedLine, sign: int, line: AttributedLine) -> AttributedLine:
    units = dict(held.units)
    for unit, count in line.units.items():
        units[unit] = units.get(unit, 0) + sign * count
    # Made field by field: a month of splits has some ten thousand lines that meet another's part.
    return AttributedLine(
        held.provider, held.owner, held.state, held.unpriced,
        held.calls + sign * line.calls,
        held.tokens + sign * line.tokens,
        held.list_pico + sign * line.list_pico,
        held.contract_pico + sign * line.contract_pico,
        held.card_pico + sign * line.card_pico,
        {unit: count for unit, count in sorted(units.items()) if count},
        held.payers, held.joint, held.capacity,
    )  # fmt: skip
