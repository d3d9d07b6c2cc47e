"""Who may decide on a budget: whom its row names, else who answers for money in its team."""

from __future__ import annotations

from typing import Final

from tallybook.books.model import Books
from tallybook.budget.model import Scope
from tallybook.clock import Period
from tallybook.errors import BudgetError

ROLES_DECIDING: Final = ("product", "finance")
"""Owners of a team who may decide where a budget names nobody."""


def approvers_of(
    books: Books, scope: Scope, subject: str, period: Period, at_us: int
) -> tuple[str, ...]:
    """The people who may approve or deny more for a budget, in the order of the files.

    Args:
        books: as applied.
        scope: of the budget.
        subject: what it is of.
        period: the month.
        at_us: when; it decides which row of the org chart holds.

    Raises:
        BudgetError: nobody is named, so nobody could ever decide.
    """
    row = books.budgets.row_of(scope, subject, period)
    named = row.approvers if row else ()
    if not named and row is None and books.budgets.default is not None:
        named = books.budgets.default.approvers
    found = named or _owners(books, _teams(books, scope, subject, at_us), at_us)
    if not found:
        raise BudgetError(
            f"nobody may approve for {scope} {subject!r}: its budget names no approvers, and its"
            f" team no owner for {' or '.join(ROLES_DECIDING)}",
            where="budgets.yaml",
            next_step="add approvers: [name, ...] to the budget and apply",
        )
    return found


def team_of(books: Books, scope: Scope, subject: str, at_us: int) -> str:
    """The team that a budget is of at an instant; empty where it is of several or of none."""
    teams = _teams(books, scope, subject, at_us)
    return teams[0] if len(teams) == 1 else ""


def team_approvers(books: Books, team: str, at_us: int) -> tuple[str, ...]:
    """Who may decide on a budget of a team that names nobody; empty if nobody may."""
    return _owners(books, (team,), at_us)


def _teams(books: Books, scope: Scope, subject: str, at_us: int) -> tuple[str, ...]:
    org = books.org
    if scope == "team":
        return (subject,)
    if scope == "unit":
        return tuple(t.id for t in org.teams if t.unit == subject and t.span.holds(at_us))
    if scope == "feature":
        return tuple(f.team for f in org.features if f.id == subject and f.span.holds(at_us))
    if scope == "key":
        held = [key for key in org.keys if key.id == subject and key.span.holds(at_us)]
        return tuple(key.team or _teams(books, "feature", key.feature, at_us)[0] for key in held)
    return ()


def _owners(books: Books, teams: tuple[str, ...], at_us: int) -> tuple[str, ...]:
    rows = [team for team in books.org.teams if team.id in teams and team.span.holds(at_us)]
    owners = (row.owners[role] for row in rows for role in ROLES_DECIDING if role in row.owners)
    return tuple(dict.fromkeys(owners))
