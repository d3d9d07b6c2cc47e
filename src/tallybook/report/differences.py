"""What a corrected statement says differently from the version before, line by line."""

from __future__ import annotations

from tallybook.report.model import Difference, StatementSet
from tallybook.report.outline import line_name

CENTRAL = "central"


def differences(before: StatementSet, after: StatementSet) -> tuple[Difference, ...]:
    """Every line whose amount is not the same, teams first, then central lines.

    A line that one of the two does not have counts as zero there. Differences of charged lines and
    central ones add up to the difference of ledger cost.
    """
    old, new = _lines(before), _lines(after)
    found = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[0] == CENTRAL, key)):
        was, is_ = old.get(key, (0, ""))[0], new.get(key, (0, ""))[0]
        label = (new.get(key) or old[key])[1]
        if was != is_:
            team = "" if key[0] == CENTRAL else key[1]
            found.append(Difference(team, key[2], label, was, is_))
    return tuple(found)


def _lines(issue: StatementSet) -> dict[tuple[str, str, str], tuple[int, str]]:
    """(part, team, line id) to amount and words."""
    found = {
        ("team", each.team, line.id): (
            line.amount_cents,
            ", ".join(part for part in (line_name(line), line.purpose) if part),
        )
        for each in issue.statements
        for line in each.lines
    }
    for kept in issue.central:
        line_id = ":".join(part for part in (CENTRAL, kept.kind, kept.detail) if part)
        found[CENTRAL, "", line_id] = (kept.amount_cents, kept.label)
    return found
