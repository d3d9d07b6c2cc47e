"""True-up: the invoice clears the accrual, and each difference goes to its own account.

What is billed of metered usage clears ``Accrued``; timing stays there until the next invoice.
Price, volume and the rest go to ``Variance``, what nothing explains to ``Suspense``, recoverable
tax to ``Tax`` and never to cost; the whole is owed on ``Payable``. Unmetered usage of a key is
charged to the key's owner, at cost and as its own line.

Targets minus booked, as a run does it: doing it again posts nothing, and a restated invoice posts
what changed. A month that is closed stays so: what is due about it posts into an open one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallybook.allocate.cost_layer import account_part
from tallybook.books.model import PolicyVersion
from tallybook.clock import Clock, Period
from tallybook.errors import InvoiceError, StoreError
from tallybook.ledger.append import append_entry
from tallybook.ledger.balance import LAST_PERIOD, booked
from tallybook.ledger.model import Entry, PostingKey, Reason
from tallybook.meter.providers import provider_of
from tallybook.money import NANO_SCALE, cumulative_nano, format_units, nano_of_pico
from tallybook.post.basis import Basis, latest_books
from tallybook.post.breakdown import standing_basis
from tallybook.post.recharge import family_of
from tallybook.reconcile import completeness, revalue
from tallybook.reconcile.days import billing_days
from tallybook.reconcile.history import history
from tallybook.reconcile.invoices import versions, withdrawn_in
from tallybook.reconcile.landing import corrected, due, landing
from tallybook.reconcile.model import ProviderResult, Reconciliation, Variance, VarianceKind
from tallybook.reconcile.reconcile import reconcile
from tallybook.reconcile.release import RELEASED, cleared, released
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command

TRUE_UP: Final = "true_up"
RECHARGE: Final = "recharge"
SOURCES: Final = (TRUE_UP, RECHARGE)
"""The groups of its postings, before the colon and the provider."""
_ORDER: Final = (*RELEASED, *SOURCES)
_REASONS: Final = {
    TRUE_UP: Reason.TRUE_UP,
    RECHARGE: Reason.TRUE_UP,
    completeness.FAMILY: Reason.ACCRUAL,
    revalue.FAMILY: Reason.REVALUATION,
}
_EXPECTED: Final = {
    completeness.FAMILY: "usage that was expected to be unmetered",
    revalue.FAMILY: "the unrealised difference of a foreign balance",
}
ACCRUED_SLACK_NANO: Final = 2
"""The card and the variance of a provider's cells each round by half a nano at most."""
_KIND: Final = "variance"


@dataclass(frozen=True, slots=True)
class TrueUp:
    """What was posted: ``period`` is the month it posted into, ``payable_nano`` what is owed."""

    period: str
    service_period: str
    entries: tuple[str, ...]
    payable_nano: Mapping[str, int]


def true_up(
    store: Store,
    period: Period,
    *,
    into: Period | None = None,
    provider: str = "",
    clock: Clock,
    actor: str,
) -> TrueUp:
    """Post what a period's invoices say beyond its accrual.

    Args:
        store: open books.
        period: the service period.
        into: the month to post into; by default the period itself while it is open, else the month
            after the last closed one.
        provider: only this one.
        clock: for the recorded time.
        actor: who acts.

    Raises:
        PeriodError: the month to post into is closed, or earlier than the service period.
        InvoiceError: the period has no invoice, or what is accrued is not what was metered.
        StoreError: an invoice came in meanwhile.
        CorruptedError: a sealed file is not what was written; nothing is posted.
    """
    with store.read() as tx:
        seen = versions(tx)
        booked_for = history(tx, str(period)).trued_up(str(period))
    basis = standing_basis(store, period)
    store.lake.verify(basis.snapshot)
    found = reconcile(store, period, provider=provider)
    # What was booked of an invoice that does not stand any more is undone.
    billed = [each for each in found.providers if each.invoices or each.provider in booked_for]
    if not billed:
        raise InvoiceError(
            f"no provider invoice is about {period}; its accrual stands",
            next_step="import one: tallybook invoice import PROVIDER FILE",
        )
    with store.write() as tx:
        if versions(tx) != seen:
            raise StoreError(
                "an invoice came in while this true-up was worked out", next_step="run it again"
            )
        lands = landing(tx, period, into, Reason.TRUE_UP)
        books, _ = latest_books(tx)
        policy, unowned = books.policy.at(period), books.org.unowned_team
        held = booked(tx, str(period))
        told = history(tx, LAST_PERIOD)
        wanted: list[tuple[PostingKey, int]] = []
        mine = {key: nano for key, nano in held.items() if _is_ours(key, billed)}
        for each in billed:
            accrued = _accrued(held, each, period)
            wanted += targets(each, str(period), accrued, policy, unowned)
            wanted += cleared(told, each, str(period), f"{TRUE_UP}:{each.provider}")
            mine |= released(held, each)
        stood = {each.provider: _versions(tx, each, basis) for each in billed}
        ids = [
            append_entry(tx, entry, actor, clock.now_us()).id
            for entry in _due(tx, found, stood, lands, wanted, mine)
        ]
        faults.reached("true_up.posted")
        args = {"period": str(period), "into": lands, "provider": provider}
        command = Command("true-up", args, actor)
        # Where nothing is due, only this says that these versions are booked.
        told_of = {"invoices": " ".join(stood.values())}
        log_command(tx, command, clock.now_us(), told_of, ", ".join(ids) or "nothing new")
    owed = {each.provider: int(nano_of_pico(each.invoiced_pico)) for each in billed}
    return TrueUp(lands, str(period), tuple(ids), owed)


def _accrued(held: Mapping[PostingKey, int], each: ProviderResult, period: Period) -> int:
    """What the run accrued for a provider, as a positive amount in nano."""
    account = f"Accrued:{account_part(each.provider)}"
    accrued = -sum(
        nano for key, nano in held.items() if key.account == account and family_of(key) == "meter"
    )
    metered = nano_of_pico(each.metered_pico)
    if abs(accrued - metered) > ACCRUED_SLACK_NANO:
        raise InvoiceError(
            f"{format_units(accrued, NANO_SCALE)} is accrued for {each.provider} in {period},"
            f" {format_units(metered, NANO_SCALE)} was metered",
            next_step=f"book the usage first: tallybook run {period}",
        )
    return accrued


def _is_ours(key: PostingKey, billed: Sequence[ProviderResult]) -> bool:
    providers = {each.provider for each in billed}
    return family_of(key) in SOURCES and key.provider in providers


def targets(
    each: ProviderResult, period: str, accrued_nano: int, policy: PolicyVersion, unowned: str
) -> list[tuple[PostingKey, int]]:
    """What each posting key of a provider's true-up must stand at, in nano; they sum to zero.

    Args:
        each: the provider's identity.
        period: the service period.
        accrued_nano: what the run accrued.
        policy: teams on showback are not charged.
        unowned: the central team, which is not charged either.
    """
    parts = _parts(each)
    nanos = cumulative_nano([pico for _, _, pico in parts])
    total = int(nano_of_pico(each.invoiced_pico))
    timing = int(nano_of_pico(each.of_kind(VarianceKind.TIMING)))
    cleared = accrued_nano + timing
    found = [
        (_key(each, period, f"Accrued:{account_part(each.provider)}", TRUE_UP), cleared),
        *(
            (_key(each, period, account, TRUE_UP, detail=detail), nano)
            for (account, detail, _), nano in zip(parts, nanos, strict=True)
        ),
        (_key(each, period, f"Payable:{account_part(each.provider)}", TRUE_UP), -total),
    ]
    # What the crossing to nano leaves over is less than the cells of the run rounded by.
    rest = total - cleared - sum(nanos)
    found.append((_key(each, period, "Variance:rounding", TRUE_UP, detail="nano"), rest))
    paying = {
        _detail(one): one.owner for one in each.variances if _is_charged(one, policy, unowned)
    }
    for (account, detail, _), nano in zip(parts, nanos, strict=True):
        if account == f"Variance:{VarianceKind.VOLUME}" and detail in paying:
            team = paying[detail]
            charge = _key(each, period, f"Charge:{team}:{_KIND}", RECHARGE, detail=detail)
            credit = _key(each, period, account, RECHARGE, detail=detail)
            found += [(charge._replace(team=team, kind=_KIND), nano), (credit, -nano)]
    return found


def _parts(each: ProviderResult) -> list[tuple[str, str, int]]:
    """Account, detail and pico of every variance but timing, in a stable order."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for one in each.variances:
        if one.kind is not VarianceKind.TIMING:
            sums[_account(each.provider, one.kind), _detail(one)] += one.amount_pico
    return [(account, detail, pico) for (account, detail), pico in sorted(sums.items())]


def _account(provider: str, kind: VarianceKind) -> str:
    if kind is VarianceKind.SUSPENSE:
        return f"Suspense:{account_part(provider)}"
    if kind is VarianceKind.TAX:
        return "Tax:recoverable"
    return f"Variance:{kind}"


def _detail(one: Variance) -> str:
    """What a posting says of its variance; volume says its key, because somebody pays for it."""
    if one.kind is VarianceKind.VOLUME:
        return f"{one.cause}: {one.key_id}" if one.key_id else one.cause
    return str(one.kind)


def _is_charged(one: Variance, policy: PolicyVersion, unowned: str) -> bool:
    """Whether a team pays: the owner of the key, unless it is central or only shown its cost."""
    is_owned = one.kind is VarianceKind.VOLUME and bool(one.key_id) and one.owner != unowned
    return is_owned and policy.policy_for(one.owner).model != "showback"


def _key(
    each: ProviderResult, period: str, account: str, family: str, detail: str = ""
) -> PostingKey:
    return PostingKey(
        account=account,
        team="",
        feature="",
        purpose="",
        kind="",
        provider=each.provider,
        service="",
        detail=detail,
        source=f"{family}:{each.provider}",
        service_period=period,
        price_version="",
        policy_version=0,
    )


def _due(
    tx: Tx,
    found: Reconciliation,
    stood: Mapping[str, str],
    lands: str,
    wanted: Sequence[tuple[PostingKey, int]],
    held: Mapping[PostingKey, int],
) -> list[Entry]:
    """An entry for each group that is not booked as it must stand."""
    groups = due(wanted, held)
    order = sorted(groups, key=lambda source: (_ORDER.index(source.partition(":")[0]), source))
    billed = {each.provider: each for each in found.providers}
    return [
        Entry(
            reason=_REASONS[source.partition(":")[0]],
            period=lands,
            service_period=found.period,
            text=_text(source, found.period, billed[source.partition(":")[2]]),
            postings=groups[source],
            versions={"invoices": stood[source.partition(":")[2]]},
            corrects=corrected(tx, found.period, lands),
        )
        for source in order
    ]


def _text(group: str, period: str, each: ProviderResult) -> str:
    family, _, provider = group.partition(":")
    if not each.invoices:
        return f"No invoice of {provider} for {period} stands any more: what it booked is undone"
    if family in RELEASED:
        return f"Released by the invoice of {provider} for {period}: {_EXPECTED[family]}"
    if family == TRUE_UP:
        return f"Invoice of {provider} for {period}: clears the accrual, differences by name"
    return f"Unmetered usage at {provider} in {period}, charged to the owners of the keys"


def _versions(tx: Tx, each: ProviderResult, basis: Basis) -> str:
    """The invoices that it stands on, and those that were withdrawn, each with its version."""
    last = {one.id: one.version for one in versions(tx)}
    days = billing_days(basis.start_us, basis.end_us)
    gone = [one.id for one in withdrawn_in(tx, days, provider_of(each.provider))]
    return " ".join(f"{invoice}.{last[invoice]}" for invoice in sorted({*each.invoices, *gone}))
