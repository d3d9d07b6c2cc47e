"""Accruals beside metered usage, posted before a month closes: all target minus booked.

Completeness, prepaid credits, the shortfall of commitments, and accrued balances in foreign
currency at the closing rate. An act on the chain says on which cost sheet they stand, so that a
close can see whether they are due again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tallybook.books.model import PolicyVersion, Prices
from tallybook.clock import Calendar, Clock, Period
from tallybook.errors import PeriodError, StoreError
from tallybook.ledger.append import append_act, append_entry
from tallybook.ledger.balance import booked
from tallybook.ledger.model import Act, ActKind, Entry, Posting, PostingKey, Reason
from tallybook.ledger.state import admits, last_act
from tallybook.money import cumulative_nano
from tallybook.post.basis import Basis, latest_books
from tallybook.post.breakdown import standing_basis
from tallybook.post.frozen import frozen_sheet
from tallybook.post.late import finance_period
from tallybook.post.recharge import family_of, is_charged
from tallybook.reconcile import commitments, completeness, prepaid, revalue
from tallybook.reconcile.days import billing_days
from tallybook.reconcile.history import history
from tallybook.reconcile.landing import corrected, due
from tallybook.reconcile.metered import metered
from tallybook.reconcile.model import VarianceKind
from tallybook.reconcile.variances import owner_by
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command

_REASONS = {
    completeness.FAMILY: Reason.ACCRUAL,
    prepaid.FAMILY: Reason.PREPAID,
    commitments.FAMILY: Reason.COMMITMENT,
    revalue.FAMILY: Reason.REVALUATION,
}


@dataclass(frozen=True, slots=True)
class Accruals:
    """What a month accrues beside metered usage, and the entries that a command posted for it."""

    period: str
    estimates: tuple[completeness.Estimate, ...]
    credits: tuple[prepaid.CreditMonth, ...]
    commitments: tuple[commitments.BurnDown, ...]
    revaluations: tuple[revalue.Revaluation, ...]
    entries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """What was worked out outside of the lock, from which cost sheet."""

    sheet: int
    days: Mapping[str, Sequence[tuple[int, int]]]
    foreign: Sequence[revalue.Foreign]


def accruals(store: Store, period: Period) -> Accruals:
    """What a month accrues, as it stands now; reads, posts nothing.

    Raises:
        PeriodError: the month was not run.
        CorruptedError: a sealed file is not what was written.
    """
    basis = standing_basis(store, period)
    ready = _ready(store, basis)
    with store.read() as tx:
        return _worked_out(tx, basis, ready)


def burn_downs(store: Store, period: Period) -> list[commitments.BurnDown]:
    """Every commitment that has begun, as it stands at the end of a month.

    Raises:
        PeriodError: one began before the books.
    """
    with store.read() as tx:
        books, _ = latest_books(tx)
        found = history(tx, str(period))
        _require_told(tx, books.prices, books.calendar, period)
    begun = (one for one in books.prices.commitments if one.first <= period)
    return [commitments.burn_down(found, one, period) for one in begun]


def accrue(store: Store, period: Period, *, clock: Clock, actor: str) -> Accruals:
    """Post what a month accrues beside metered usage.

    Args:
        store: open books.
        period: a month that has run and takes finance's entries.
        clock: for the recorded time.
        actor: who acts.

    Raises:
        PeriodError: the month is closed, or was not run since its usage or its books changed.
        StoreError: the books changed meanwhile.
        CorruptedError: a sealed file is not what was written.
    """
    basis = standing_basis(store, period)
    ready = _ready(store, basis)
    with store.write() as tx:
        _require_still(tx, basis, ready)
        found = _worked_out(tx, basis, ready)
        now_us = clock.now_us()
        ids = tuple(
            append_entry(tx, entry, actor, now_us).id for entry in _entries(tx, basis, found)
        )
        link = append_act(tx, _act(basis, ready), actor, now_us)
        faults.reached("accrue.posted")
        command = Command("accrue", {"period": str(period)}, actor)
        log_command(tx, command, now_us, {}, ", ".join(ids) or f"nothing new, {link.id}")
    return Accruals(
        found.period, found.estimates, found.credits, found.commitments, found.revaluations, ids
    )


def accrual_due(tx: Tx, basis: Basis, sheet_number: int) -> str:
    """Why a month must be accrued before it closes; '' where it need not, or it was.

    Args:
        tx: a transaction.
        basis: of the month.
        sheet_number: its latest cost sheet.
    """
    named = ", ".join(_declared(basis))
    if not named:
        return ""
    act = last_act(tx, str(basis.period), ActKind.ACCRUAL)
    if act is None:
        return f"{named}: not accrued yet"
    if act.details["sheet"] != sheet_number or act.versions != _versions(basis):
        return f"{named}: accrued by {act.actor} on figures that have changed since ({act.id})"
    return ""


def _declared(basis: Basis) -> list[str]:
    """What the books of a month ask to be accrued."""
    prices, start_us, end_us = _prices(basis), basis.start_us, basis.end_us
    found = {
        "completeness": basis.policy.completeness is not None,
        "prepaid credits": any(
            one.bought_us < end_us and one.expires_us > start_us for one in prices.credits
        ),
        "commitments": any(one.holds(basis.period) for one in prices.commitments),
        "foreign currency": any(
            row.currency and row.from_us < end_us and row.to_us > start_us
            for row in prices.contracts
        ),
    }
    return [name for name, holds in found.items() if holds]


def _prices(basis: Basis) -> Prices:
    return basis.prices[basis.published[-1].prices_version]


def _versions(basis: Basis) -> dict[str, str | int]:
    return {"policy": basis.versions.policy, "prices": basis.versions.prices}


def _ready(store: Store, basis: Basis) -> _Ready:
    """What needs the events: usage by day where credits are used, and in foreign currency."""
    period = str(basis.period)
    with store.read() as tx:
        sheet = frozen_sheet(tx, period)
    if sheet is None:
        raise PeriodError(f"nothing is booked in {period}", next_step=f"tallybook run {period}")
    if sheet.versions.manifest != basis.versions.manifest or sheet.versions.prices != (
        basis.versions.prices
    ):
        raise PeriodError(
            f"{period} has usage or prices that are not booked",
            next_step=f"book them first: tallybook run {period}",
        )
    prices = _prices(basis)
    days = _days(store, basis) if prices.credits else {}
    return _Ready(sheet.number, days, revalue.foreign_accrued(store, basis))


def _days(store: Store, basis: Basis) -> dict[str, list[tuple[int, int]]]:
    """By provider what was used by UTC day at contract, in nano, rounded cumulatively."""
    found = metered(store, basis, basis.start_us, basis.end_us, by_key=False)
    sums: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for cell in found.cells:
        sums[cell.provider][cell.day_us] += cell.inside_pico
    days: dict[str, list[tuple[int, int]]] = {}
    for provider, by_day in sums.items():
        order = sorted(by_day)
        nanos = cumulative_nano([by_day[day] for day in order])
        days[provider] = list(zip(order, nanos, strict=True))
    return days


def _require_still(tx: Tx, basis: Basis, ready: _Ready) -> None:
    period = str(basis.period)
    if not admits(tx, period, Reason.ACCRUAL):
        raise PeriodError(
            f"{period} is closed; nothing posts into it",
            next_step="what is about it posts with the invoice: tallybook true-up",
        )
    now = frozen_sheet(tx, period)
    if now is None or now.number != ready.sheet:
        raise StoreError(f"{period} was run meanwhile", next_step="accrue it again")


def _worked_out(tx: Tx, basis: Basis, ready: _Ready) -> Accruals:
    period, prices = str(basis.period), _prices(basis)
    _require_told(tx, prices, basis.books.calendar, basis.period)
    found = history(tx, period)
    rule = basis.policy.completeness
    bounds = (basis.start_us, basis.end_us)
    providers = sorted({one.provider for one in prices.credits})
    return Accruals(
        period=period,
        estimates=tuple(
            completeness.estimate(found, provider, period, rule)
            for provider in (found.providers() if rule else ())
            if rule
        ),
        credits=tuple(
            month
            for provider in providers
            for month in prepaid.credit_months(
                [one for one in prices.credits if one.provider == provider],
                found,
                period,
                bounds,
                ready.days.get(provider, ()),
                lands=period == (finance_period(tx) or _first_period(tx, period)),
            )
        ),
        commitments=tuple(
            commitments.burn_down(found, one, basis.period)
            for one in commitments.active(prices.commitments, basis.period)
        ),
        revaluations=revalue.revaluations(tx, found, basis, ready.foreign),
    )


def _require_told(tx: Tx, prices: Prices, calendar: Calendar, period: Period) -> None:
    """Refuse terms that began before the books: what was spent by then is unknown, and not zero."""
    first = _first_period(tx, str(period))
    # A credit is bought on a day of UTC, which is of the month that a provider bills it in.
    start_us, _ = billing_days(*calendar.bounds_us(Period.parse(first)))
    end_us = calendar.bounds_us(period)[1]
    told = [
        (f"commitment {one.id} begins in {one.first}", "what was left to spend", f"from: {first}")
        for one in prices.commitments
        if str(one.first) < first and one.first <= period < one.until
    ]
    told += [
        (f"credit {one.id} was bought on {one.bought_on}", "what was left of it", "bought: then")
        for one in prices.credits
        if one.bought_us < start_us < one.expires_us and start_us < end_us
    ]
    if told:
        what, left, row = told[0]
        raise PeriodError(
            f"{what}, the books in {first}: what was used of it before is not known here",
            where="prices.yaml",
            next_step=f"state as its amount {left} when the books began, with {row}, and apply",
        )


def _first_period(tx: Tx, period: str) -> str:
    """The first month in which anything is booked; of empty books the one at hand."""
    return str(tx.scalar("SELECT MIN(period) FROM chain WHERE kind = 'entry'") or period)


def _entries(tx: Tx, basis: Basis, found: Accruals) -> list[Entry]:
    period = found.period
    rule = basis.policy.completeness
    owner_of = _owner_of(basis.policy, basis)
    wanted: list[tuple[PostingKey, int]] = []
    for one in found.estimates if rule else ():
        assert rule is not None, "there is an estimate, so there is a rule"
        wanted += completeness.targets(one, rule, owner_of)
    for credit in found.credits:
        wanted += prepaid.targets(credit, period)
    held_by = history(tx, period)
    for burnt in found.commitments:
        wanted += commitments.targets(burnt, held_by, period)
    mine = {
        key: nano
        for key, nano in booked(tx, period).items()
        if family_of(key) in (completeness.FAMILY, prepaid.FAMILY, commitments.FAMILY)
    }
    texts = _texts(found)
    entries = [
        _entry(source, period, period, postings, texts.get(source, ""), "")
        for source, postings in due(wanted, mine).items()
    ]
    for moved in found.revaluations:
        entries += [
            _entry(
                source, period, moved.service_period, postings, moved.text,
                corrected(tx, moved.service_period, period),
            )
            for source, postings in due(moved.wanted, moved.held).items()
        ]  # fmt: skip
    return entries


def _entry(
    source: str,
    period: str,
    service_period: str,
    postings: tuple[Posting, ...],
    text: str,
    corrects: str,
) -> Entry:
    family = source.partition(":")[0]
    return Entry(
        reason=_REASONS[family],
        period=period,
        service_period=service_period,
        text=text or f"No longer due: {source}",
        postings=postings,
        corrects=corrects,
    )


def _texts(found: Accruals) -> dict[str, str]:
    texts = {
        f"{completeness.FAMILY}:{one.provider}": f"Usage of {one.provider} that is expected to be"
        f" billed and was not metered, as {', '.join(one.months)} show"
        for one in found.estimates
    }
    for one in found.credits:
        credit = one.credit
        for what, words in (
            (prepaid.BOUGHT, f"bought on {credit.bought_on}"),
            (prepaid.USED, "used"),
            (prepaid.GONE, f"expired on {credit.expires_on}"),
        ):
            source = f"{prepaid.FAMILY}:{credit.id}:{what}"
            texts[source] = f"Prepaid credit {credit.id} at {credit.provider} {words}"
    for burnt in found.commitments:
        name, provider = burnt.commitment.id, burnt.commitment.provider
        texts[f"{commitments.FAMILY}:{name}"] = (
            f"Shortfall of commitment {name} at {provider} after {burnt.elapsed} of {burnt.term}"
            " months, straight-line"
        )
    return texts


def _owner_of(policy: PolicyVersion, basis: Basis) -> Callable[[str], str]:
    """The team that pays for what a key leaves unmetered; '' where it is central."""
    unowned = basis.books.org.unowned_team
    owner = owner_by(basis.books.org, basis.end_us - 1)

    def of(key_id: str) -> str:
        team = owner(VarianceKind.VOLUME, key_id) if key_id else ""
        return team if is_charged(team, policy, unowned) else ""

    return of


def _act(basis: Basis, ready: _Ready) -> Act:
    return Act(
        kind=ActKind.ACCRUAL,
        period=str(basis.period),
        text="Accrued beside metered usage",
        details={"sheet": ready.sheet},
        versions=_versions(basis),
    )
