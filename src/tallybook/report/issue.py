"""Issuing the statements of a period: what the close calls to have them made, rounded and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tallybook.ledger.balance import booked
from tallybook.ledger.model import Posting
from tallybook.money import NANO_PER_CENT
from tallybook.post.basis import Basis
from tallybook.post.sheet import Sheet
from tallybook.report.body import body_digest, json_text, sealed
from tallybook.report.draft import draft
from tallybook.report.issued import issued, next_version, store_issue, totals_of
from tallybook.report.lines import LineKey
from tallybook.report.model import StatementSet, Status
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

    def keep(self, tx: Tx, seal: str, now_us: int) -> StatementSet:
        """Seal the statements with the head of the chain and keep them for ever."""
        final = sealed(self.statements, seal)
        store_issue(tx, final, json_text(final), now_us)
        return final


def prepare_issue(tx: Tx, basis: Basis, sheet: Sheet) -> PreparedIssue:
    """Draft the statements from what is booked and compute their sub-cent remainders."""
    period = str(basis.period)
    drafted = draft(
        basis.books,
        basis.policy,
        sheet,
        booked(tx, period),
        totals_of(issued(tx, str(basis.period.previous()))),
        next_version(tx, period),
    )
    status: Status = "final" if drafted.statements.version == 1 else "corrected"
    remainders = tuple(
        _remainder(key, drafted.cents[key] * NANO_PER_CENT - nano, basis)
        for key, nano in drafted.exact_nano.items()
        if drafted.cents[key] * NANO_PER_CENT != nano
    )
    return PreparedIssue(replace(drafted.statements, status=status), remainders)


def _remainder(key: LineKey, nano: int, basis: Basis) -> Posting:
    is_transfer = key.kind == "transfer"
    return Posting(
        f"Charge:{key.team}:{key.kind}",
        nano,
        team=key.team,
        feature=key.feature,
        purpose=key.purpose,
        kind=key.kind,
        service=key.detail if is_transfer else "",
        detail="" if is_transfer else key.detail,
        source="rounding",
        policy_version=basis.versions.policy,
    )
