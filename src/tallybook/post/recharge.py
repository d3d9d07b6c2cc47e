"""Recharging a variance: what stands centrally moves to the teams whose usage it came from.

A posting that names a team is that team's. What names none is shared by what it came with: a pool's
variance by the shares of the pool, a provider's by the metered cost of the provider. The part of
teams on showback and of the central team stays where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from tallybook.allocate.cost_layer import account_part
from tallybook.books.model import PolicyVersion
from tallybook.clock import Period
from tallybook.ledger.balance import booked
from tallybook.ledger.model import ActKind, Entry, Posting, PostingKey, Reason
from tallybook.ledger.state import RecordedAct, acts, standing_close
from tallybook.money import apportion
from tallybook.post.basis import books_at, latest_books
from tallybook.post.sheet import Versions
from tallybook.store import Tx

DISPOSE: Final = "dispose"
RATE_CARD: Final = "Variance:rate_card"
KIND: Final = "variance"
_CENTRAL: Final = ""
_OF_CLOSE: Final = ("rounding", "roll")
"""Sources of what a close posts: cents, and the roll of a year; no decision is about them."""

Shares = list[tuple[PostingKey, int]]
"""Posting keys and what each must stand at, in nano."""


def family_of(key: PostingKey) -> str:
    """The group of a posting, before the colon: what made it."""
    return key.source.partition(":")[0]


def is_charged(team: str, policy: PolicyVersion, unowned: str) -> bool:
    """Whether a team pays what is recharged to it."""
    return team not in ("", unowned) and policy.policy_for(team).model != "showback"


def base_of(held: Mapping[PostingKey, int], account: str) -> dict[PostingKey, int]:
    """What stands on an account before any decision about it, by posting key."""
    return {
        key: nano
        for key, nano in held.items()
        if key.account == account and family_of(key) not in (DISPOSE, *_OF_CLOSE)
    }


def recharged(
    held: Mapping[PostingKey, int], account: str, policy: PolicyVersion, unowned: str
) -> Shares:
    """What a recharge of an account must stand at: charges, and the account relieved of them.

    Args:
        held: everything booked about the service period.
        account: a central one, such as ``Variance:rate_card``.
        policy: of the service period; it says which teams are charged.
        unowned: the central team.

    Returns:
        postings that sum to zero; none where no team that is charged came with the amount.
    """
    charges: dict[tuple[str, str, str], int] = defaultdict(int)
    reliefs: dict[PostingKey, int] = defaultdict(int)
    for key, nano in sorted(base_of(held, account).items()):
        for team, feature, part in _parts(key, nano, held, policy, unowned):
            charges[team, feature, key.provider] += part
            reliefs[_relief(key, team, feature)] -= part
    what = account.partition(":")[2]
    found = [
        (_charge(team, feature, provider, what, account, held), nano)
        for (team, feature, provider), nano in sorted(charges.items())
        if nano
    ]
    return [*found, *((key, nano) for key, nano in sorted(reliefs.items()) if nano)]


def _parts(
    key: PostingKey,
    nano: int,
    held: Mapping[PostingKey, int],
    policy: PolicyVersion,
    unowned: str,
) -> Iterable[tuple[str, str, int]]:
    """Team, feature and part of an amount, of the teams that pay."""
    if key.team:
        if is_charged(key.team, policy, unowned):
            yield key.team, key.feature, nano
        return
    weights = _weights(key, held, policy, unowned)
    if any(team for team, weight in weights.items() if team and weight):
        names = sorted(weights)
        salt = f"{DISPOSE}:{key.account}:{key.service_period}"
        parts = apportion(nano, [weights[name] for name in names], names, salt=salt)
        for team, part in zip(names, parts, strict=True):
            if team and part:
                yield team, "", part


def _weights(
    key: PostingKey, held: Mapping[PostingKey, int], policy: PolicyVersion, unowned: str
) -> dict[str, int]:
    """By team what an amount without a team came with; what is central stands under ''."""
    found: dict[str, int] = defaultdict(int)
    is_pool = key.account == "Variance:pool"
    cost = f"Cost:{account_part(key.provider)}"
    for other, nano in held.items():
        team = other.team if is_charged(other.team, policy, unowned) else _CENTRAL
        if is_pool and other.account == f"Pool:{key.detail}":
            # What a pool holds names no team; what is spread of it does, as a credit.
            found[_CENTRAL] += nano if not other.team or team else 0
            found[team] -= nano if team else 0
        elif not is_pool and other.account == cost and family_of(other) == "meter":
            found[team] += nano
    return {team: max(weight, 0) for team, weight in found.items()}


def _relief(key: PostingKey, team: str, feature: str) -> PostingKey:
    return key._replace(
        team=team, feature=feature, purpose="", kind=KIND, service="",
        source=f"{DISPOSE}:{key.account}", price_version="", policy_version=0,
    )  # fmt: skip


def _charge(
    team: str,
    feature: str,
    provider: str,
    what: str,
    account: str,
    held: Mapping[PostingKey, int],
) -> PostingKey:
    any_key = next(iter(base_of(held, account)))
    return any_key._replace(
        account=f"Charge:{team}:{KIND}", team=team, feature=feature, purpose="", kind=KIND,
        provider=provider, service="", detail=what, source=f"{DISPOSE}:{account}",
        price_version="", policy_version=0,
    )  # fmt: skip


def policy_recharges(tx: Tx, landing: str) -> list[Entry]:
    """What the policy of closed months sends to their teams in the month after: ``recharge``.

    It is the variance of contract prices against the rate card, which each line knows of itself;
    every other variance waits for somebody's decision. The month before is looked at, and those
    about which something posted into the landing month.

    Args:
        tx: a writing transaction, after the entries of the run.
        landing: the open month after the last closed one.
    """
    if all(version.variance == "absorb" for version in latest_books(tx)[0].policy.versions):
        return []  # as in most books: no posting is looked at
    before = str(Period.parse(landing).previous())
    about = tx.rows(
        "SELECT DISTINCT p.service_period FROM posting p JOIN chain c ON c.seq = p.seq"
        " WHERE c.period = :period AND p.service_period < :period",
        period=landing,
    )
    entries = []
    for period in sorted({before, *(str(row.service_period) for row in about)}):
        close = standing_close(tx, period)
        if close is not None and (entry := _recharge(tx, period, landing, close)):
            entries.append(entry)
    return entries


def _recharge(tx: Tx, period: str, landing: str, close: RecordedAct) -> Entry | None:
    books, policy = books_at(tx, Period.parse(period), Versions.of(close.versions))
    if policy.variance != "recharge" or RATE_CARD in decisions(tx, period):
        return None
    held = booked(tx, period)
    mine = {key: nano for key, nano in held.items() if key.source == f"{DISPOSE}:{RATE_CARD}"}
    wanted = recharged(held, RATE_CARD, policy, books.org.unowned_team)
    postings = differences(wanted, mine)
    if not postings:
        return None
    return Entry(
        reason=Reason.DISPOSITION,
        period=landing,
        service_period=period,
        text=f"Rate-card variance of {period} recharged, as the policy says",
        postings=postings,
        versions={"policy": int(close.versions["policy"])},
        corrects=close.id,
        details={"account": RATE_CARD, "decision": "recharge", "by": "policy"},
    )


def decisions(tx: Tx, period: str) -> dict[str, RecordedAct]:
    """What somebody decided last about each account of a service period; policy then waits."""
    return {
        str(act.details["disposition"]): act
        for act in acts(tx, period)
        if act.kind is ActKind.SIGNOFF and "disposition" in act.details
    }


def differences(
    wanted: Iterable[tuple[PostingKey, int]], held: Mapping[PostingKey, int]
) -> tuple[Posting, ...]:
    """Target minus booked, as postings in order; none where nothing is due."""
    moves: dict[PostingKey, int] = defaultdict(int)
    for key, nano in wanted:
        moves[key] += nano
    for key, nano in held.items():
        moves[key] -= nano
    return tuple(Posting.of(key, moves[key]) for key in sorted(moves) if moves[key])
