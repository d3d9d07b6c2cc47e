"""The proofs: cheap ones after every step, all of them when the world asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final

from tallybook.attribute.model import AttributedLine
from tallybook.check.check import check
from tallybook.clock import Period
from tallybook.ledger.balance import booked, booked_into, trial_balance
from tallybook.money import NANO_PER_CENT
from tallybook.post.beside import ROLL, is_of_close
from tallybook.post.sheet import latest_sheet
from tallybook.report.current import statements_of
from tallybook.report.explain import explain
from tallybook.report.model import Statement, StatementLine, StatementSet
from tallybook.sim.oracle import agrees
from tallybook.sim.world.known import Known
from tallybook.sim.world.model import BrokenError
from tallybook.sim.world.prints import Row, intake_print, statements_print
from tallybook.store import Store

CHEAP: Final = ("INV-01", "INV-02", "INV-03", "INV-04", "INV-08")
_ZERO: Final = Fraction(0)
_OTHERS: Final = ("run_for", "paid_by")
"""roles of notes that tell of another team's bill"""


def require(proof: str, *, ok: bool, detail: str) -> None:
    """Break the world if something does not hold.

    Raises:
        BrokenError: it does not.
    """
    if not ok:
        raise BrokenError(proof, detail)


def prove_invariants(store: Store, names: tuple[str, ...] = ()) -> None:
    """Run the checks of the house by name; none means all.

    Raises:
        BrokenError: naming the first that failed.
    """
    for found in check(store, names):
        require(found.name, ok=found.ok, detail=found.detail)


def prove_step(store: Store, known: Known, kept: dict[str, Row]) -> None:
    """The cheap proofs.

    Args:
        store: the books.
        known: what the world knows.
        kept: every statement set from the moment it was issued; new ones are added.

    Raises:
        BrokenError: one does not hold.
    """
    prove_invariants(store, CHEAP)
    with store.read() as tx:
        total = sum(row.closing_nano for row in trial_balance(tx))
    require("trial balance", ok=total == 0, detail=f"it sums to {total} nano")
    prove_issued(statements_print(store), kept)
    claims, _, events = intake_print(store)
    accepted = known.intake.accepted
    require(
        "INV-06",
        ok=claims >= events == accepted,
        detail=f"{accepted} events accepted, {claims} ids claimed, {events} kept",
    )


def prove_issued(found: dict[str, Row], kept: dict[str, Row]) -> None:
    """INV-04: the bytes of each issued statement are those of its first moment.

    Raises:
        BrokenError: one is gone or another.
    """
    for name, row in kept.items():
        require("INV-04", ok=found.get(name) == row, detail=f"{name} is not what was issued")
    kept.update(found)


def prove_month(store: Store, known: Known, period: str, pick: int) -> None:
    """A month whose usage is all posted: oracle, statements, ledger and explanation agree.

    Raises:
        BrokenError: they do not.
    """
    prove_oracle(store, known, period)
    issue = statements_of(store, Period.parse(period))
    if period not in known.closed:
        prove_cuts(store, known, period)
        prove_papers(issue, known)
    prove_statements(store, issue)
    prove_explained(store, issue, pick)


def prove_oracle(store: Store, known: Known, period: str) -> None:
    """Every account of a service period agrees with the oracle, whenever it was posted (INV-05).

    Raises:
        BrokenError: naming the accounts that do not.
    """
    want, by_hand = known.expected(period), known.adjusted[period]
    found: defaultdict[str, int] = defaultdict(int)
    with store.read() as tx:
        for key, nano in booked(tx, period).items():
            if not is_of_close(key):
                found[key.account] += nano
    faults = []
    for account in sorted({*want.balances, *by_hand, *found}):
        exact = want.balances.get(account, _ZERO) + Fraction(by_hand[account], 10**9)
        if not agrees(exact, found[account], want.parts.get(account, 0)):
            told = Fraction(found[account], 10**9)
            faults.append(f"{account}: expected {_told(exact)}, found {_told(told)}")
    require("oracle", ok=not faults, detail=f"{period}: {'; '.join(faults)}")


def prove_cuts(store: Store, known: Known, period: str) -> None:
    """The open month's cost by origin, by executor and by payer is the oracle's, to the pico.

    Raises:
        BrokenError: naming the cut that is not.
    """
    with store.read() as tx:
        sheet = latest_sheet(tx, period)
    lines = sheet.lines if sheet else ()
    found = {
        "origin": _cut(lines, lambda line: line.owner.started_by[0]),
        "executor": _cut(lines, lambda line: line.owner.executor),
        "payer": _cut(lines, lambda line: line.owner.team),
    }
    for name, wanted in known.expected(period).cuts.items():
        cut = {team: (_pico(card), _pico(paid)) for team, (card, paid) in wanted.items()}
        told = f"{period}, by {name}: expected {cut}, found {found[name]}"
        require("INV-11", ok=cut == found[name], detail=told)


def _cut(
    lines: Iterable[AttributedLine], team_of: Callable[[AttributedLine], str]
) -> dict[str, tuple[int, int]]:
    """By team, the cost at rate card and at contract, in pico."""
    cut: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for line in lines:
        card, contract = cut[team_of(line)]
        cut[team_of(line)] = card + line.card_pico, contract + line.contract_pico
    return dict(cut)


def _pico(amount: Fraction) -> int:
    pico = amount * 10**12
    assert pico.denominator == 1, "no price is finer"
    return int(pico)


def prove_papers(issue: StatementSet, known: Known) -> None:
    """The open month's papers show the oracle's calls and tokens, and its amounts to the cent.

    Raises:
        BrokenError: naming the team whose paper does not.
    """
    period = issue.period
    papers = {paper.team: paper for paper in issue.statements}
    for team, share in known.expected(period).by_team.items():
        lines = [line for line in papers[team].lines if line.kind != "adjustment"]
        mine = (*lines, *own_use(papers[team]))
        used = [line.quantity for line in mine if not line.is_price]
        found = sum(each.calls for each in used), sum(each.tokens for each in used)
        told = f"{period}: {team} used {share.calls, share.tokens}, its paper says {found}"
        require("papers", ok=found == (share.calls, share.tokens), detail=told)
        amounts: defaultdict[str, list[int]] = defaultdict(list)
        for line in lines:
            amounts[line.kind if papers[team].charged else "all"].append(line.amount_cents)
        wanted = share.charged if papers[team].charged else {"all": share.fair}
        for kind in {*wanted, *amounts} - {"usage", "commitment"}:
            cents, exact = amounts[kind], wanted.get(kind, _ZERO) * 100
            told = f"{period}: {team} owes {_told(exact / 100)} for {kind}, its paper says {cents}"
            require("papers", ok=abs(sum(cents) - exact) < max(1, len(cents)), detail=told)


def own_use(paper: Statement) -> list[StatementLine]:
    """Notes about what a team used itself.

    Evaluation that a pool pays is noted; and where a team that is shown its use is charged for
    another month, all of its use is.
    """
    kinds = {"evaluation", "usage", "transfer"} if paper.model == "showback" else {"evaluation"}
    return [
        note
        for note in paper.notes
        if note.kind in kinds and not (note.transfer and note.transfer.role in _OTHERS)
    ]


def _told(amount: Fraction) -> str:
    """An exact amount with twelve decimals, the rest cut off."""
    whole, rest = divmod(abs(amount), 1)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{int(rest * 10**12):012}"


def prove_statements(store: Store, issue: StatementSet) -> None:
    """Each team's statement is what stands on its charge accounts.

    To the cent after a close, which rounds the ledger; within a cent a line before. A line that
    comes to no cent is not on the paper, so what is posted counts the lines too.

    Raises:
        BrokenError: one is not.
    """
    period = issue.period
    charged: defaultdict[str, int] = defaultdict(int)
    posted: defaultdict[str, int] = defaultdict(int)
    with store.read() as tx:
        for key, nano in booked_into(tx, period).items():
            is_rolled = key.source.partition(":")[0] == ROLL
            if key.account.startswith("Charge:") and not is_rolled:
                charged[key.team] += nano
                posted[key.team] += 1
    for paper in issue.statements:
        held = charged.pop(paper.team, 0)
        wanted = paper.total_cents * NANO_PER_CENT if paper.charged else 0
        lines = max(len(paper.lines), posted[paper.team], 1) if issue.status == "draft" else 0
        require(
            "INV-15",
            ok=abs(held - wanted) <= lines * NANO_PER_CENT,
            detail=f"{period}: {paper.team} is charged {wanted} nano on paper, {held} in the"
            " ledger",
        )
    left = {team: nano for team, nano in charged.items() if nano}
    require("INV-15", ok=not left, detail=f"{period}: charged without a statement: {left}")


def prove_explained(store: Store, issue: StatementSet, pick: int) -> None:
    """A line can be explained back to its calls, exactly.

    Raises:
        TallybookError: it cannot.
        BrokenError: the explanation is of another amount.
    """
    lines = [line for paper in issue.statements for line in (*paper.lines, *paper.notes)]
    if not lines:
        return
    line = lines[pick % len(lines)]
    found = explain(store, line.id, 2)
    total = sum(part.amount_nano for part in found.entries)
    require(
        "explain",
        ok=found.posted_nano == total,
        detail=f"{line.id}: {found.posted_nano} posted, its entries hold {total}",
    )
