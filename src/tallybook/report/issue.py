"""Issuing the statements of a period: what the close calls to have them made, rounded and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tallybook.clock import Period
from tallybook.close.dispute import due_day
from tallybook.ledger.model import Posting
from tallybook.money import NANO_PER_CENT
from tallybook.post.basis import Basis, latest_books
from tallybook.post.sheet import Sheet
from tallybook.report.body import body_digest, json_text, sealed
from tallybook.report.differences import differences
from tallybook.report.draft import draft
from tallybook.report.held import held_in
from tallybook.report.issued import issued, next_version, store_issue, totals_of
from tallybook.report.lines import LineKey
from tallybook.report.model import StatementSet
from tallybook.store import Tx


@dataclass(frozen=True, slots=True)
class PreparedIssue:
    """Statements ready to be issued, with the postings that make balances equal issued cents."""

    statements: StatementSet
    remainders: tuple[Posting, ...]

    @property
    def version(self) -> int:
        """The statement version."""
        return self.statements.version

    @property
    def body_sha256(self) -> str:
        """The digest of the body."""
        return body_digest(self.statements)

    @property
    def dispute_until(self) -> str:
        """The last day on which a line may be disputed; empty if none is named."""
        return self.statements.dispute_until

    def keep(self, tx: Tx, seal: str, now_us: int) -> StatementSet:
        """Seal the statements with the head of the chain and keep them for ever."""
        final = sealed(self.statements, seal)
        store_issue(tx, final, json_text(final), now_us)
        return final


def prepare_issue(tx: Tx, basis: Basis, sheet: Sheet) -> PreparedIssue:
    """Draft the statements from what is booked and compute their sub-cent remainders."""
    period = str(basis.period)
    version = next_version(tx, period)
    held, adjustments = held_in(tx, sheet)
    before = totals_of(issued(tx, str(basis.period.previous())))
    until = dispute_day(tx, basis.period)
    drafted = draft(basis.books, basis.policy, sheet, held, before, version, adjustments, until)
    statements = corrected(drafted.statements, issued(tx, period))
    remainders = tuple(
        _remainder(key, drafted.cents[key] * NANO_PER_CENT - nano, basis)
        for key, nano in drafted.exact_nano.items()
        if drafted.cents[key] * NANO_PER_CENT != nano
    )
    return PreparedIssue(statements, remainders)


def dispute_day(tx: Tx, period: Period) -> str:
    """Until when a line of a month may be disputed, by the policy of today; empty: no day is named.

    It moves no amount. The close keeps it in its act, so that rebuilding finds it again.
    """
    days = latest_books(tx)[0].policy.at(period).closing.dispute_days
    return "" if days is None else due_day(period, days)


def corrected(drafted: StatementSet, before: StatementSet | None) -> StatementSet:
    """The statements to issue: final, or corrected with the differences to the version before."""
    if before is None:
        return replace(drafted, status="final")
    return replace(drafted, status="corrected", differences=differences(before, drafted))


def _remainder(key: LineKey, nano: int, basis: Basis) -> Posting:
    names_service = key.kind == "transfer" or key.about != ""
    return Posting(
        f"Charge:{key.team}:{key.kind}",
        nano,
        team=key.team,
        feature=key.feature,
        purpose=key.purpose,
        kind=key.kind,
        service=key.detail if names_service else "",
        detail=key.about if names_service else key.detail,
        source="rounding",
        policy_version=basis.versions.policy,
    )
