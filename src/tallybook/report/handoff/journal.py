"""The two journals of a period, from the books: accrual and recharge, and nothing else.

Everything else the ERP holds already: the sources of cost pools are on the platform's cost center,
and providers' bills come in through accounts payable. Both again would book cost twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tallybook.books.model import Books
from tallybook.clock import Period
from tallybook.errors import HandoffError, PeriodError
from tallybook.ledger.model import ActKind
from tallybook.ledger.state import RecordedAct, acts
from tallybook.money import cents_of_nano
from tallybook.post.basis import books_at
from tallybook.post.sheet import Versions, sheet_versions
from tallybook.report.current import statements_of
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.accrual import AccrualKey, Accrued, accrued_in
from tallybook.report.handoff.model import (
    ACCRUED,
    ALLOCATED,
    DUE_FROM,
    DUE_TO,
    ControlTotals,
    JournalLine,
    Kind,
    NeutralJournal,
    Voucher,
    short,
)
from tallybook.report.handoff.recharge import RechargeKey, recharged
from tallybook.report.issued import issued
from tallybook.report.model import StatementSet
from tallybook.store import Store, Tx

_NOW = 1 << 62


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a team stands in the ERP."""

    entity: str
    cost_center: str


def neutral_journal(
    store: Store,
    period: Period,
    accounts: Accounts,
    version: int | None = None,
    *,
    draft: bool = False,
) -> NeutralJournal:
    """The journals of a closed period, or with ``draft`` of one as it stands.

    A later version of the statements takes the vouchers of the version before back and states its
    own, so that an ERP that holds the earlier ones ends with the later ones.

    Args:
        store: open books.
        period: which.
        accounts: the accrual setting and the cost classes.
        version: an issued version; None means the newest.
        draft: as booked now, whatever is issued; its ids say so.

    Raises:
        PeriodError: the period is not closed, or has no such version.
        HandoffError: the central team has no cost center.
    """
    if draft:
        drafted = statements_of(store, period)
        with store.read() as tx:
            held = sheet_versions(tx, str(period))
            assert held is not None, "a draft stands on a sheet"
            return _journal(tx, drafted, held[1], accounts, _NOW, is_draft=True)
    with store.read() as tx:
        closes = {int(act.details["statement_version"]): act for act in _closes(tx, period)}
        number = version or max(closes, default=0)
        if number not in closes:
            raise PeriodError(
                f"{period} has no statements{f' version {version}' if version else ''} to hand off",
                next_step=f"close it: tallybook close {period}; or look at it with --draft",
            )
        found = _of_close(tx, period, number, closes, accounts)
        if number == 1:
            return found
        before = _of_close(tx, period, number - 1, closes, accounts)
    taken_back = tuple(_taken_back(each) for each in before.vouchers)
    return replace(found, vouchers=(*taken_back, *found.vouchers))


def _closes(tx: Tx, period: Period) -> Iterable[RecordedAct]:
    return (act for act in acts(tx, str(period)) if act.kind is ActKind.CLOSE)


def _of_close(
    tx: Tx, period: Period, number: int, closes: Mapping[int, RecordedAct], accounts: Accounts
) -> NeutralJournal:
    issue = issued(tx, str(period), number)
    assert issue is not None, "a close keeps its statements"
    act = closes[number]
    return _journal(tx, issue, Versions.of(act.versions), accounts, act.seq, is_draft=False)


def _taken_back(each: Voucher) -> Voucher:
    return each.reversed(f"{each.external_id}-reversal", each.date, f"Reversal. {each.text}")


def _journal(
    tx: Tx,
    issue: StatementSet,
    versions: Versions,
    accounts: Accounts,
    before_seq: int,
    *,
    is_draft: bool,
) -> NeutralJournal:
    period = Period.parse(issue.period)
    books, _ = books_at(tx, period, versions)
    org, places = books.org, _places(books, period)
    home = places.get(org.unowned_team)
    if home is None or not home.cost_center:
        raise HandoffError(
            f"team {org.unowned_team!r}, which answers for what nobody owns, has no cost center",
            where="org.yaml",
            next_step=f"add cost_center: to the row of {org.unowned_team}, apply and run",
        )
    accrued = accrued_in(tx, issue.period, accounts, before_seq)
    owed = recharged(issue, accounts)
    maker = _Maker(issue, accounts, places, home, is_draft=is_draft)
    return NeutralJournal(
        ledger=maker.ledger,
        company=issue.company,
        period=issue.period,
        version=issue.version,
        is_draft=is_draft,
        accrual=accounts.accrual,
        platform=home.cost_center,
        vouchers=(*maker.accruals(accrued), *maker.recharges(owed)),
        control=_control(issue, accrued),
        simulated=issue.simulated,
    )


def _control(issue: StatementSet, accrued: Accrued) -> ControlTotals:
    held, made = accrued.held_nano, accrued.accrued_nano
    return ControlTotals(
        held_cents=cents_of_nano(held),
        accrued_cents=cents_of_nano(made),
        billed_cents=cents_of_nano(accrued.ledger_nano - held - made),
        recharged_cents=issue.charged_total_cents,
        central_cents=issue.central_total_cents,
        ledger_cost_cents=issue.ledger_cost_cents,
    )


def _places(books: Books, period: Period) -> dict[str, _Place]:
    """Entity and cost center of each team; the last row that holds in the month tells."""
    start_us, end_us = books.calendar.bounds_us(period)
    entity = {unit.id: unit.legal_entity for unit in books.org.units}
    return {
        row.id: _Place(entity.get(row.unit, ""), row.cost_center)
        for row in sorted(books.org.teams, key=lambda row: row.span.from_us)
        if row.span.from_us < end_us and row.span.to_us > start_us
    }


class _Maker:
    """Makes the vouchers of one issue."""

    def __init__(
        self,
        issue: StatementSet,
        accounts: Accounts,
        places: Mapping[str, _Place],
        home: _Place,
        *,
        is_draft: bool,
    ) -> None:
        self._issue, self._accounts, self._places, self._home = issue, accounts, places, home
        self._period = Period.parse(issue.period)
        self._mark = "-draft" if is_draft else ""
        self.ledger = short(accounts.ledger or issue.company)

    def accruals(self, accrued: Accrued) -> Iterable[Voucher]:
        """Expense against accrued liabilities, and against prepaid credits where those stand."""
        reverses = self._period.next().first_day() if self._accounts.accrual == "reversing" else ""
        label = self._period.label()
        if accrued.accrual:
            lines = self._accrual_lines(accrued.accrual)
            text = f"AI inference accrued, {label}"
            yield self._voucher("accrual", self._home.entity, text, lines, reverses)
        if accrued.prepaid:
            lines = self._accrual_lines(accrued.prepaid)
            text = f"AI inference from prepaid credits, {label}"
            yield self._voucher("prepaid", self._home.entity, text, lines)

    def _accrual_lines(self, cents: Mapping[AccrualKey, int]) -> Iterable[JournalLine]:
        for key, amount in cents.items():
            what = f"accrued, {key.detail}" if key.account == ACCRUED else key.detail
            text = f"AI inference {key.service_period}, {what.replace('_', ' ')}"
            yield JournalLine(
                key.account, key.detail, self._home.cost_center, "", "", key.service_period,
                amount, text,
            )  # fmt: skip

    def recharges(self, owed: Mapping[RechargeKey, int]) -> Iterable[Voucher]:
        """Teams against the platform; between legal entities over amounts due."""
        by_entity: dict[str, dict[RechargeKey, int]] = defaultdict(dict)
        for key, amount in owed.items():
            by_entity[self._entity(key.team)][key] = amount
        home = self._home.entity
        home_lines: list[JournalLine] = []
        for entity in sorted(by_entity):
            lines = [self._charge(key, amount) for key, amount in by_entity[entity].items()]
            if entity == home:
                home_lines += lines
            elif due := sum(line.amount_cents for line in lines):
                lines.append(self._due(DUE_TO, home, -due))
                home_lines.append(self._due(DUE_FROM, entity, due))
            if entity != home:
                yield self._voucher("recharge", entity, self._recharge_text(), lines)
        by_class: dict[str, int] = defaultdict(int)
        for key, amount in owed.items():
            by_class[key.cost_class] -= amount
        home_lines += [
            self._line(ALLOCATED, name, self._home.cost_center, amount, "platform")
            for name, amount in sorted(by_class.items())
            if amount
        ]
        if home_lines:
            yield self._voucher("recharge", home, self._recharge_text(), home_lines)

    def _entity(self, team: str) -> str:
        place = self._places.get(team)
        return place.entity if place and place.entity else self._home.entity

    def _recharge_text(self) -> str:
        return f"AI inference recharged, {self._period.label()}"

    def _charge(self, key: RechargeKey, amount: int) -> JournalLine:
        each = self._issue.statement(key.team)
        text = f"AI recharge {self._issue.number(key.team)}"
        if key.feature:
            text += f", {key.feature}"
        return JournalLine(
            ALLOCATED, key.cost_class, each.cost_center, key.team, key.feature,
            key.service_period, amount, text,
        )  # fmt: skip

    def _due(self, account: str, entity: str, amount: int) -> JournalLine:
        return self._line(account, entity, "", amount, f"{account.replace('_', ' ')} {entity}")

    def _line(
        self, account: str, detail: str, cost_center: str, amount: int, what: str
    ) -> JournalLine:
        text = f"AI recharge {self._issue.period} v{self._issue.version}, {what}"
        return JournalLine(
            account, detail, cost_center, "", "", self._issue.period, amount, text
        )  # fmt: skip

    def _voucher(
        self,
        kind: Kind,
        entity: str,
        text: str,
        lines: Iterable[JournalLine],
        reverses_on: str = "",
    ) -> Voucher:
        parts = (self.ledger, self._issue.period, kind, short(entity))
        return Voucher(
            external_id=f"{'-'.join(parts)}-v{self._issue.version}{self._mark}",
            kind=kind,
            entity=entity,
            date=self._period.last_day(),
            period=self._issue.period,
            currency=self._issue.currency,
            reverses_on=reverses_on,
            text=text,
            lines=tuple(lines),
        )
