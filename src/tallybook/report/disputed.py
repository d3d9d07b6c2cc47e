"""The line of an issued statement that a team disputes, as it was issued."""

from __future__ import annotations

import re

from tallybook.close.dispute import Disputed
from tallybook.errors import LedgerError
from tallybook.report.issued import issued
from tallybook.store import Tx

_LINE = re.compile(r"L-(\d{4}-\d{2})-[0-9a-f]{12}")


def disputed_line(tx: Tx, line: str) -> Disputed:
    """Find a line in the newest issued statements of its month.

    Raises:
        LedgerError: it is no line of a statement, or its month has issued none.
    """
    found = _LINE.fullmatch(line)
    issue = issued(tx, found[1]) if found else None
    if issue is None:
        raise LedgerError(
            f"{line!r} is no line of an issued statement",
            next_step="take an id from `tallybook statement PERIOD --format json`",
        )
    for each in issue.statements:
        for one in each.lines:
            if one.id == line:
                return Disputed(
                    issue.period, issue.version, line, each.team, one.amount_cents,
                    issue.dispute_until,
                )  # fmt: skip
    raise LedgerError(
        f"{line} stands on no statement of {issue.period} version {issue.version}",
        next_step=f"take an id from `tallybook statement {issue.period} --format json`",
    )
