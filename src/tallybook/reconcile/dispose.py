"""Dispositions: what becomes of a variance, of absorption, of suspense that stands about a month.

Absorbed, it stays central: the decision alone is recorded. Recharged, it moves to the teams whose
usage it came from. Written off, it moves to ``Variance:written_off`` and its account is clear.
Withdrawn, what was decided is taken back. Each is an act with actor and reason on the chain, and an
entry where something moves: target minus booked, so deciding the same again posts nothing, and a
later invoice only what changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from tallybook.books.model import PolicyVersion
from tallybook.clock import Clock, Period
from tallybook.errors import InvoiceError, LedgerError
from tallybook.ledger.append import append_act, append_entry
from tallybook.ledger.balance import booked
from tallybook.ledger.chart import Family, check_account
from tallybook.ledger.model import Act, ActKind, Entry, Posting, PostingKey, Reason
from tallybook.post.basis import latest_books
from tallybook.post.beside import is_of_close
from tallybook.post.recharge import DISPOSE, Shares, base_of, decisions, recharged
from tallybook.reconcile.landing import corrected, due, landing
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command

Decision = Literal["absorb", "recharge", "write_off", "withdraw"]
DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)
WRITTEN_OFF: Final = "Variance:written_off"
_DISPOSABLE: Final = (Family.VARIANCE, Family.ABSORPTION, Family.SUSPENSE)


@dataclass(frozen=True, slots=True)
class Disposable:
    """One account about a month: what stands there, what was decided, by whom and why.

    ``amount_nano`` is before any decision; ``central_nano`` what is central of it now.
    """

    account: str
    amount_nano: int
    central_nano: int
    decision: str = ""
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Disposed:
    """What a decision did: the month that it posted into, its act, and its entries."""

    period: str
    service_period: str
    account: str
    decision: Decision
    act: str
    entries: tuple[str, ...]
    charged_nano: Mapping[str, int]


def disposable(store: Store, period: Period) -> list[Disposable]:
    """What stands centrally about a month and may be decided about, by account."""
    with store.read() as tx:
        return _disposable(tx, str(period))


def _disposable(tx: Tx, period: str) -> list[Disposable]:
    held = booked(tx, period)
    said = decisions(tx, period)
    amounts: dict[str, int] = defaultdict(int)
    left: dict[str, int] = defaultdict(int)
    for key, nano in held.items():
        if is_of_close(key) or key.account == WRITTEN_OFF:
            continue
        if check_account(key.account) in _DISPOSABLE:
            left[key.account] += nano
    for account in left:
        amounts[account] = sum(base_of(held, account).values())
    return [
        Disposable(
            account,
            amounts[account],
            left[account],
            str(act.details["decision"]) if (act := said.get(account)) else "",
            act.actor if act else "",
            act.text if act else "",
        )
        for account in sorted(left)
        if amounts[account] or left[account]
    ]


def dispose(
    store: Store,
    period: Period,
    account: str,
    decision: Decision,
    *,
    reason: str,
    approved_by: str = "",
    into: Period | None = None,
    clock: Clock,
    actor: str,
) -> Disposed:
    """Decide what becomes of an account about a month.

    Args:
        store: open books.
        period: the service period.
        account: such as ``Variance:price`` or ``Suspense:openai``.
        decision: absorb, recharge, write_off, or withdraw what was decided before.
        reason: why.
        approved_by: who agrees; a write-off takes two people.
        into: the month to post into; by default the period itself while it takes finance's
            entries, else the month after the last closed one.
        clock: for the recorded time.
        actor: who decides.

    Raises:
        LedgerError: the account is none of which anything can be decided.
        InvoiceError: nothing stands there, nobody can be charged, no reason, or nobody else agrees.
        PeriodError: the month to post into takes no entry.
    """
    _require_said(account, decision, reason, approved_by, actor)
    name = str(period)
    with store.write() as tx:
        held = booked(tx, name)
        base = base_of(held, account)
        mine = {key: nano for key, nano in held.items() if key.source == f"{DISPOSE}:{account}"}
        if not base and not mine:
            raise InvoiceError(
                f"nothing stands on {account} about {name}",
                next_step=f"see what does: tallybook dispose {name}",
            )
        books, _ = latest_books(tx)
        policy, unowned = books.policy.at(period), books.org.unowned_team
        wanted = _wanted(decision, held, account, policy, unowned)
        lands = landing(tx, period, into, Reason.DISPOSITION)
        now_us = clock.now_us()
        details = {"disposition": account, "decision": decision, "approved_by": approved_by}
        act = append_act(tx, Act(ActKind.SIGNOFF, name, reason.strip(), details), actor, now_us)
        entries = tuple(
            append_entry(tx, entry, actor, now_us).id
            for entry in _entries(tx, name, lands, decision, reason, due(wanted, mine))
        )
        faults.reached("dispose.posted")
        args = {"period": name, "account": account, "decision": decision, "reason": reason,
                "approved_by": approved_by, "into": lands}  # fmt: skip
        outcome = ", ".join(entries) or "nothing new"
        log_command(tx, Command("dispose", args, actor), now_us, {}, outcome)
    return Disposed(lands, name, account, decision, act.id, entries, _charged(wanted))


def _require_said(
    account: str, decision: Decision, reason: str, approved_by: str, actor: str
) -> None:
    if check_account(account) not in _DISPOSABLE or account == WRITTEN_OFF:
        raise LedgerError(
            f"nothing is decided about {account}",
            next_step="name an account of Variance, Absorption or Suspense",
        )
    if not reason.strip():
        raise InvoiceError("no reason is given", next_step='say why: --reason "WHY"')
    alone = approved_by.strip().casefold() in ("", actor.strip().casefold())
    if decision == "write_off" and alone:
        raise InvoiceError(
            f"{actor} writes off alone; it takes two people",
            next_step="name another person with --approved-by",
        )


def _wanted(
    decision: Decision,
    held: Mapping[PostingKey, int],
    account: str,
    policy: PolicyVersion,
    unowned: str,
) -> Shares:
    if decision == "recharge":
        found = recharged(held, account, policy, unowned)
        if not found:
            raise InvoiceError(
                f"nobody can be charged with {account}: no team that is charged came with it",
                next_step="absorb it or write it off",
            )
        return found
    if decision == "write_off":
        moved: Shares = []
        for key, nano in sorted(base_of(held, account).items()):
            off = key._replace(
                source=f"{DISPOSE}:{account}", kind="", purpose="", service="",
                price_version="", policy_version=0,
            )  # fmt: skip
            moved += [(off, -nano), (off._replace(account=WRITTEN_OFF, detail=account), nano)]
        return moved
    return []


def _entries(
    tx: Tx,
    period: str,
    lands: str,
    decision: Decision,
    reason: str,
    groups: Mapping[str, tuple[Posting, ...]],
) -> list[Entry]:
    words = {
        "absorb": "no longer recharged or written off, absorbed",
        "recharge": "recharged to the teams whose usage it came from",
        "write_off": "written off",
        "withdraw": "the decision is withdrawn",
    }
    return [
        Entry(
            reason=Reason.DISPOSITION,
            period=lands,
            service_period=period,
            text=f"{source.partition(':')[2]} of {period}: {words[decision]}. {reason.strip()}",
            postings=postings,
            corrects=corrected(tx, period, lands),
            details={"account": source.partition(":")[2], "decision": decision},
        )
        for source, postings in groups.items()
    ]


def _charged(wanted: Shares) -> dict[str, int]:
    """What each team is charged, in nano."""
    found: dict[str, int] = defaultdict(int)
    for key, nano in wanted:
        if key.account.startswith("Charge:"):
            found[key.team] += nano
    return dict(found)
