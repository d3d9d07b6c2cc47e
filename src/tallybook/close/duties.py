"""Who may sign for the books, and that nobody closes alone what they wrote (segregation of duties).

The rule is that of internal control over financial reporting: who authorises, records and keeps is
not one person (COSO Internal Control - Integrated Framework, principle 10; PCAOB AS 2201.B). Roles
are declared in ``org.yaml``. Where a company declares none, nothing says who is whom: the checklist
tells who wrote what, and stops nothing for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tallybook.books.closing import DUTIES, Duty
from tallybook.books.model import Org
from tallybook.close.checklist import Item
from tallybook.errors import PeriodError
from tallybook.ledger.model import ActKind
from tallybook.ledger.state import acts
from tallybook.post.basis import latest_books
from tallybook.store import Tx

WRITTEN = ("policy", "prices")
"""The policy files of which no author closes a month alone."""


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's."""
    return one.strip().casefold() == other.strip().casefold()


def role_of(org: Org, actor: str) -> str:
    """What somebody is in these books: duties, else roles in teams; empty if none is declared."""
    duties = [duty for duty in DUTIES if _holds(org, actor, duty)]
    if duties:
        return ", ".join(duties)
    owned = {
        f"{role} of {team.id}"
        for team in org.teams
        for role, person in team.owners.items()
        if same_person(person, actor)
    }
    return ", ".join(sorted(owned))


def require_duty(tx: Tx, actor: str, duty: Duty, what: str) -> str:
    """Refuse who does not hold a duty, where duties are declared.

    Returns:
        the role of the actor.

    Raises:
        PeriodError: somebody else may do it; it says who.
        BooksError: no policy files were applied.
    """
    org = latest_books(tx)[0].org
    if org.roles and not _holds(org, actor, duty):
        raise PeriodError(
            f"{actor} is no {duty} and cannot {what}",
            where="roles in org.yaml",
            next_step=f"have it done by {' or '.join(org.roles[duty])}: --as NAME",
        )
    return role_of(org, actor)


def require_another(actor: str, other: str, what: str, option: str) -> None:
    """Refuse one person where it takes two.

    Raises:
        PeriodError: nobody else is named, or the same person.
    """
    if not other.strip():
        raise PeriodError(f"nobody approves the {what}", next_step=f"name another with {option}")
    if same_person(actor, other):
        raise PeriodError(
            f"{actor} both acts and approves the {what}; it takes two people",
            next_step=f"name another person with {option}, or act as another with --as",
        )


def written(tx: Tx, period: str) -> dict[str, list[str]]:
    """What each person wrote of a month: policy, prices since the last close, waivers, entries."""
    since = tx.scalar(
        "SELECT COALESCE(MAX(recorded_us), 0) FROM chain"
        " WHERE kind = 'act' AND reason = 'close' AND period < :period",
        period=period,
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in tx.rows(
        "SELECT kind, version, actor FROM document WHERE applied_us >= :since"
        " ORDER BY kind, version",
        since=since,
    ):
        if row.kind in WRITTEN:
            found[str(row.actor)].append(f"{row.kind} {row.version}")
    for act in acts(tx, period):
        if act.kind is ActKind.WAIVER:
            found[act.actor].append(f"the waiver of {act.details['item']}")
    for row in tx.rows(
        "SELECT a.id, a.actor AS preparer, s.actor AS approver"
        " FROM adjusting AS a JOIN adjusting_step AS s ON s.adjusting = a.id"
        " WHERE a.period = :period AND s.step = 'approved' ORDER BY a.id",
        period=period,
    ):
        found[str(row.preparer)].append(f"adjustment {row.id}")
        found[str(row.approver)].append(f"the approval of {row.id}")
    return dict(found)


def duties_item(org: Org, actor: str, approved_by: str, wrote: Mapping[str, Sequence[str]]) -> Item:
    """Nobody closes alone a month that they wrote something of."""
    mine = [what for who, parts in wrote.items() if same_person(who, actor) for what in parts]
    alone = bool(mine) and not approved_by
    told = "; ".join(f"{who} wrote {', '.join(parts)}" for who, parts in sorted(wrote.items()))
    closing = f"{actor} closes" + (f", {approved_by} countersigns" if approved_by else "")
    enforced = "" if org.roles else "; org.yaml declares no roles, so this stops nothing"
    return Item(
        "duties",
        ok=not (alone and org.roles),
        evidence=f"{closing}; {told or 'nobody wrote policy, prices, waivers or adjustments'}"
        f"{enforced if alone else ''}",
        next_step="have another controller close it, or name who countersigns: --approved-by NAME"
        if alone
        else "",
        look="tallybook journal, and the versions of policy.yaml and prices.yaml",
    )


def _holds(org: Org, actor: str, duty: Duty) -> bool:
    return any(same_person(person, actor) for person in org.roles.get(duty, ()))
