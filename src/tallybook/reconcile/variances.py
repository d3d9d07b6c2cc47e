"""From items to variances: named, with an id, an owner, a route and what people decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from tallybook.books.model import Org
from tallybook.errors import InvoiceError
from tallybook.money import parse_units
from tallybook.reconcile.model import Item, Variance, VarianceKind
from tallybook.store import Tx, sql_text

STATUSES: Final = ("open", "accepted", "disputed", "explained", "written_off")
_ID_DIGITS: Final = 8
_PICO_SCALE: Final = 12

OwnerOf = Callable[[VarianceKind, str], str]
"""Who answers for a variance, from its kind and key."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Up to which amount a variance is routed to ``accept``; it is listed and posted all the same.

    Suspense is never within tolerance.
    """

    amount_pico: int = 10**12

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        """Read an amount in units of the books' currency.

        Raises:
            MoneyError: it is none.
        """
        return cls(abs(parse_units(text, _PICO_SCALE)))

    def route(self, variance: Variance) -> str:
        """``accept`` or ``review``."""
        small = abs(variance.amount_pico) <= self.amount_pico
        is_routed = small and variance.kind is not VarianceKind.SUSPENSE
        return "accept" if is_routed else "review"


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about a variance."""

    variance: str
    status: str
    owner: str
    reason: str
    actor: str
    at_us: int


def variances_of(period: str, items: Iterable[Item]) -> list[Variance]:
    """Items of one provider, kind, cause, model and key as one variance, the largest first."""
    groups: dict[tuple[str, VarianceKind, str, str, str], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.provider, item.kind, item.cause, item.model, item.key_id].append(item)
    found = [_variance(period, key, held) for key, held in groups.items()]
    return sorted(found, key=lambda one: (-abs(one.amount_pico), one.id))


def _variance(
    period: str, key: tuple[str, VarianceKind, str, str, str], items: Sequence[Item]
) -> Variance:
    provider, kind, cause, model, key_id = key
    counts = [item.quantity for item in items]
    known = [count for count in counts if count is not None]
    told = f"{period}|{provider}|{kind}|{cause}|{model}|{key_id}"
    return Variance(
        id=f"R-{sha256(told.encode()).hexdigest()[:_ID_DIGITS]}",
        provider=provider,
        kind=kind,
        cause=cause,
        model=model,
        key_id=key_id,
        quantity=sum(known) if len(known) == len(counts) else None,
        amount_pico=sum(item.amount_pico for item in items),
        items=tuple(sorted(items, key=lambda item: (item.day_us, item.token_class))),
    )


def owner_by(org: Org, instant_us: int) -> OwnerOf:
    """The key's owner where it is volume of a key, else the unowned team."""
    features = {row.id: row.team for row in org.features if row.span.holds(instant_us)}
    keys = {
        row.id: features.get(row.feature, row.team)
        for row in org.keys
        if row.span.holds(instant_us)
    }

    def owner(kind: VarianceKind, key_id: str) -> str:
        named = keys.get(key_id, "") if kind is VarianceKind.VOLUME else ""
        return named or org.unowned_team

    return owner


def decided(
    variances: Iterable[Variance],
    owner: OwnerOf,
    tolerance: Tolerance,
    decisions: Mapping[str, Decision],
) -> list[Variance]:
    """Variances with their owner, route and last decision."""
    found = []
    for one in variances:
        last = decisions.get(one.id)
        made = replace(one, owner=owner(one.kind, one.key_id), route=tolerance.route(one))
        if last:
            made = replace(
                made,
                status=last.status,
                owner=last.owner or made.owner,
                reason=last.reason,
                decided_by=last.actor,
            )
        found.append(made)
    return found


def decisions_of(tx: Tx, period: str) -> dict[str, Decision]:
    """The last decision about each variance of a period."""
    rows = tx.rows(sql_text(__package__, "decisions"), period=period)
    return {
        str(row.variance): Decision(
            row.variance, row.status, row.owner, row.reason, row.actor, row.at_us
        )
        for row in rows
    }


def decide(tx: Tx, period: str, decision: Decision) -> None:
    """Record a decision; earlier ones stay.

    Raises:
        InvoiceError: no reason, or a status that is none.
    """
    if decision.status not in STATUSES:
        raise InvoiceError(f"{decision.status!r} is no status; one of {', '.join(STATUSES)}")
    if not decision.reason.strip():
        raise InvoiceError("no reason is given", next_step='say why: --reason "WHY"')
    tx.run(
        "INSERT INTO variance_decision (period, variance, status, owner, reason, actor, at_us)"
        " VALUES (:period, :variance, :status, :owner, :reason, :actor, :at_us)",
        period=period,
        variance=decision.variance,
        status=decision.status,
        owner=decision.owner,
        reason=decision.reason,
        actor=decision.actor,
        at_us=decision.at_us,
    )
