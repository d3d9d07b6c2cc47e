"""Where what is about a month posts: into itself while it is open, else into the open one after.

What is due is target minus booked, group by group, as a run does it; so doing it again posts
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.ledger.model import Posting, PostingKey, Reason
from tallybook.ledger.state import CLOSED, admits, period_state, standing_close
from tallybook.post.late import finance_period
from tallybook.store import Tx


def landing(tx: Tx, period: Period, into: Period | None, reason: Reason) -> str:
    """The month that an entry about a month posts into.

    Args:
        tx: a transaction.
        period: the month that it is about.
        into: the month that somebody names, if any.
        reason: of the entry.

    Raises:
        PeriodError: the month named is before the other one, or does not take the entry.
    """
    if into is not None and into < period:
        raise PeriodError(
            f"{into} is before {period}, which the entry is about",
            next_step=f"leave --into out, or name {period} or a later month",
        )
    is_closed = period_state(tx, str(period)) == CLOSED
    found = str(into or (finance_period(tx) if is_closed else period))
    if not admits(tx, found, reason):
        raise PeriodError(
            f"{found} is closed; nothing posts into it",
            where=found,
            next_step=f"leave --into out: it posts into {finance_period(tx)}",
        )
    return found


def corrected(tx: Tx, service_period: str, into: str) -> str:
    """What an entry in a month corrects of another: the close that fixed it; '' of its own."""
    if service_period == into:
        return ""
    close = standing_close(tx, service_period)
    return close.id if close else ""


def due(
    wanted: Iterable[tuple[PostingKey, int]], held: Mapping[PostingKey, int]
) -> dict[str, tuple[Posting, ...]]:
    """Target minus booked by source, each group balanced in itself, sorted by source."""
    moves: dict[PostingKey, int] = defaultdict(int)
    for key, nano in wanted:
        moves[key] += nano
    for key, nano in held.items():
        moves[key] -= nano
    groups: dict[str, list[Posting]] = defaultdict(list)
    for key in sorted(moves):
        if moves[key]:
            groups[key.source].append(Posting.of(key, moves[key]))
    return {source: tuple(groups[source]) for source in sorted(groups)}
