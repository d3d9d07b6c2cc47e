"""From a month as it adds up to a month as it is charged.

Splits, joint cost and transfer prices are worked out here, once, after everything is summed:
amounts, calls, tokens and units are apportioned by largest remainder, so nothing is lost and
nothing appears (INV-11). Pure; the same sums give the same lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache

from tallybook.attribute.adding import added_up
from tallybook.attribute.model import (
    JOINT,
    AttributedLine,
    Attribution,
    Invocation,
    Joint,
    Owner,
    Payer,
    Transferred,
    TransferUse,
)
from tallybook.money import Targets

PER_OUTCOME = "outcome"
Users = Mapping[Joint, tuple[Payer, ...]]
"""Who shares a joint cost, with weights."""


def transferred(sums: Attribution) -> Transferred:
    """Give each payer a line of its own, and price what is owed.

    Args:
        sums: a month as it adds up.

    Returns:
        lines without ``payers`` and ``joint``, and uses; both sorted. Per provider and state they
        add up to what the sums add up to, in every figure.
    """
    users = joint_users(sums)
    targets = cache(targets_of)  # many lines have the same payers
    parts = (part for line in sums.lines for part in _parts(line, users, targets))
    lines = added_up((1, part) for part in parts)
    return Transferred(tuple(lines), _uses(sums.invocations, targets))


def joint_users(sums: Attribution) -> Users:
    """Who shares each joint cost of a month."""
    joints = {line.joint for line in sums.lines if line.joint}
    return {joint: users_of(joint, sums.invocations) for joint in joints}


def payers_of(
    owner: Owner, payers: tuple[Payer, ...], joint: Joint | None, users: Users
) -> tuple[Payer, ...]:
    """Who shares a cost: the users of a joint one, else its payers; without either, none.

    A joint cost that nobody used is its owner's.
    """
    if joint is None:
        return payers
    alone = Payer(owner.team, owner.feature, joint.service, JOINT, 1)
    return users[joint] or (alone,)


def owner_of(base: Owner, payer: Payer) -> Owner:
    """The owner of a part of a cost.

    Args:
        base: who started it and who ran it, as an owner.
        payer: who bears the part.
    """
    started = base.started_by
    same = (payer.team, payer.feature) == started
    moved = payer.team != base.executor or payer.transfer not in ("", "caller_pays")
    return Owner(
        team=payer.team,
        feature=payer.feature,
        purpose=base.purpose,
        kind="usage" if payer.team == base.executor else "transfer",
        service=payer.service if moved else "",
        executor=base.executor,
        rule=base.rule,
        origin="" if same else started[0],
        origin_feature="" if same else started[1],
        transfer=payer.transfer if moved else "",
    )


def users_of(joint: Joint, invocations: Iterable[Invocation]) -> tuple[Payer, ...]:
    """Who shares a joint cost: the origins that invoked the service, with their weights.

    What the joint calls themselves invoke is no use of it.
    """
    weights: dict[tuple[str, str], int] = defaultdict(int)
    for one in invocations:
        own = one.origin == joint.team and one.purpose in joint.purposes
        if one.service != joint.users_of or own:
            continue
        user = (one.origin, one.origin_feature)
        if joint.by == "equal":
            weights[user] = max(weights[user], int(one.calls > 0))
        else:
            weights[user] += one.tokens if joint.by == "tokens" else one.calls
    return tuple(
        Payer(team, feature, joint.service, JOINT, weight)
        for (team, feature), weight in sorted(weights.items())
        if weight
    )


def targets_of(payers: tuple[Payer, ...]) -> Targets:
    """Those who pay as targets: each has its weight's part of a cost."""
    names = [_named(p.team, p.feature, p.service, p.transfer) for p in payers]
    return Targets([payer.weight for payer in payers], names)


_TargetsOf = Callable[[tuple[Payer, ...]], Targets]


def _parts(line: AttributedLine, users: Users, targets: _TargetsOf) -> list[AttributedLine]:
    o = line.owner
    payers = payers_of(o, line.payers, line.joint, users)
    if not payers:
        return [line]
    salt = _named(line.provider, o.team, o.feature, o.purpose, o.executor, line.state)
    share = targets(payers).parts
    totals = (line.calls, line.tokens, line.list_pico, line.contract_pico, line.card_pico)
    shared = {total: share(total, salt) for total in set(totals)}  # layers are often one price
    calls, tokens, list_pico, contract_pico, card_pico = (shared[total] for total in totals)
    units = {unit: share(n, _named(salt, unit)) for unit, n in line.units.items()}
    # Made field by field: a month of splits has some ten thousand lines.
    return [
        AttributedLine(
            line.provider, owner_of(o, payer), line.state, line.unpriced,
            calls[i], tokens[i], list_pico[i], contract_pico[i], card_pico[i],
            {unit: parts[i] for unit, parts in units.items() if parts[i]} if units else {},
            capacity=line.capacity,
        )
        for i, payer in enumerate(payers)
    ]  # fmt: skip


def _named(*parts: str) -> str:
    return "\0".join(parts)


def _uses(invocations: Iterable[Invocation], targets: _TargetsOf) -> tuple[TransferUse, ...]:
    """What is owed; who uses its own team's service owes nothing."""
    sums: dict[TransferUse, list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in invocations:
        if not one.per:
            continue
        count = one.outcomes if one.per == PER_OUTCOME else one.calls
        salt = _named(one.service, one.origin, one.origin_feature, one.purpose)
        share = targets(one.payers).parts
        parts = [share(total, salt) for total in (one.calls, one.outcomes, one.price_nano * count)]
        for i, payer in enumerate(one.payers):
            if payer.team == one.executor:
                continue
            for held, part in enumerate(parts):
                sums[_use(one, payer)][held] += part[i]
    found = (
        replace(use, calls=calls, outcomes=outcomes, amount_nano=amount_nano)
        for use, (calls, outcomes, amount_nano) in sums.items()
        if calls or outcomes or amount_nano
    )
    return tuple(sorted(found))


def _use(one: Invocation, payer: Payer) -> TransferUse:
    """What one payer owes, before it is counted."""
    same = (payer.team, payer.feature) == (one.origin, one.origin_feature)
    return TransferUse(
        team=payer.team,
        feature=payer.feature,
        purpose=one.purpose,
        origin="" if same else one.origin,
        origin_feature="" if same else one.origin_feature,
        service=one.service,
        executor=one.executor,
        calls=0,
        outcomes=0,
        price_nano=one.price_nano,
        per=one.per,
        amount_nano=0,
    )
