"""The workbook of a period's statements, from the books."""

from __future__ import annotations

from pathlib import Path

from tallybook.clock import Period
from tallybook.ledger.balance import trial_balance
from tallybook.ledger.state import standing_close
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.journal import neutral_journal
from tallybook.report.handoff.workbook import workbook
from tallybook.report.handoff.write import write_all
from tallybook.report.model import StatementSet
from tallybook.store import Store


def write_workbook(store: Store, issue: StatementSet, folder: Path, team: str = "") -> Path:
    """Write a set of statements as a workbook, with the trial balance if it is still theirs.

    Returns:
        the file.
    """
    with store.read() as tx:
        close = standing_close(tx, issue.period)
        number = int(close.details["statement_version"]) if close else 0
        stands = number == issue.version if close else issue.status == "draft"
        trial = trial_balance(tx, issue.period) if stands else None
    period = Period.parse(issue.period)
    journal = neutral_journal(store, period, Accounts(), number) if close and stands else None
    name = f"statements-{issue.period}{f'-{team}' if team else ''}.xlsx"
    return write_all(folder, {name: workbook(issue, trial, journal, team)})[0]
