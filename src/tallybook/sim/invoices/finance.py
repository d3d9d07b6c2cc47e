"""What people do about a closed month: dispute a line of its statements, and settle that."""

from __future__ import annotations

from random import Random
from typing import Final

from tallybook.clock import Period
from tallybook.close.adjust import approve, line_of, post, prepare
from tallybook.close.dispute import dispute, disputes, settle_dispute
from tallybook.money import NANO_SCALE, format_units
from tallybook.report.current import statements_of
from tallybook.report.disputed import disputed_line
from tallybook.store import Store

OTHER: Final = "another"
_REASON: Final = "the year wants to know"


def disputed(store: Store, period: Period, luck: Random, actor: str, now_us: int) -> str:
    """Dispute one line of a closed month's statements; returns the team whose line it is."""
    papers = statements_of(store, period).statements
    line, team = luck.choice([(line.id, paper.team) for paper in papers for line in paper.lines])
    with store.write() as tx:
        about = disputed_line(tx, line)
        today = str(period.next().last_day())
        dispute(tx, about, reason=_REASON, today=today, actor=actor, now_us=now_us)
    return team


def rejected(store: Store, now_us: int) -> None:
    """Settle what is open by a rejection."""
    with store.write() as tx:
        for each in [one for one in disputes(tx) if one.is_open]:
            settle_dispute(
                tx, each.id, "rejected", adjusting="", reason=_REASON, actor=OTHER, now_us=now_us
            )


def adjusted(store: Store, period: Period, nano: int, actor: str, now_us: int) -> None:
    """Settle what is open by an adjusting entry in the month after, which two people make."""
    amount = format_units(nano, NANO_SCALE)
    with store.write() as tx:
        for each in [one for one in disputes(tx) if one.is_open]:
            sides = [f"Charge:{each.team}=-{amount}", f"Variance:goodwill={amount}"]
            made = prepare(
                tx, period.next(), [line_of(side) for side in sides], about=period,
                text="goodwill of the year", reason=_REASON, support=each.id, actor=actor,
                now_us=now_us,
            )  # fmt: skip
            approve(tx, made.id, actor=OTHER, now_us=now_us)
            post(tx, made.id, actor=OTHER, now_us=now_us)
            settle_dispute(
                tx, each.id, "adjusted", adjusting=made.id, reason=_REASON, actor=OTHER,
                now_us=now_us,
            )  # fmt: skip
