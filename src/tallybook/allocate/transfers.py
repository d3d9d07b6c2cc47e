"""Transfer prices: what the team that pays above a boundary owes the team of the service below.

`caller_pays`, `callee_absorbs`, `split` and joint cost choose the payer, who is charged directly:
they arrive as cells. Only a transfer price moves an amount between teams. Both legs stand in one
group, so it sums to zero by itself. It carries no markup and no tokens, and burns no budget.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tallybook.allocate.model import AllocatedLine, Month
from tallybook.attribute.model import JOINT, TransferUse

GROUP = "transfer"
ABSORPTION = "Absorption:transfer"
"""Where the leg of a team goes whose cost is central: one on showback, or the unowned team."""

OWED, EARNED = "owed to ", "earned from "
"""How the ``detail`` of a leg begins; the other team follows."""

PAID_FOR = "paid for "
"""How the ``detail`` of a charge begins whose origin is another team, which follows."""

_PLAIN = ("", "caller_pays")
_SAID = ("callee_absorbs", "split", "transfer_price", JOINT)


def standing(team: str, origin: str, rule: str) -> str:
    """Why a payer pays, as the ``detail`` of its charge; empty for what it caused itself.

    What another team started says who and by which rule; what the payer started and a rule shares
    with others says the rule. Usage that its payer started and `caller_pays` left with it needs no
    words, so its posting key is what it is without a call graph.

    Args:
        team: the payer.
        origin: the team that started it; '' when the payer did.
        rule: which made the payer pay, as `tallybook.attribute.model.Owner` names it.
    """
    if rule == JOINT:
        return JOINT
    if origin not in ("", team):
        return f"{PAID_FOR}{origin}: {rule}"
    return "" if rule in _PLAIN else rule


def is_standing(detail: str) -> bool:
    """Whether the ``detail`` of a line is what `standing` says, and says something."""
    return detail in _SAID or detail.startswith(PAID_FOR)


def is_price(detail: str) -> bool:
    """Whether the ``detail`` of a line is that of a leg of a transfer price."""
    return detail.startswith((OWED, EARNED))


def legs(
    use: TransferUse, feature_of: Mapping[tuple[str, str], str]
) -> tuple[AllocatedLine, AllocatedLine]:
    """What the payer owes and what the team of the service earns, as if both were charged.

    Args:
        use: what is owed.
        feature_of: the feature of a service in a team, as a month has it.
    """
    group = f"{GROUP}:{use.service}"
    owed = AllocatedLine(
        group,
        f"Charge:{use.team}:transfer",
        use.amount_nano,
        team=use.team,
        feature=use.feature,
        purpose=use.purpose,
        kind="transfer",
        service=use.service,
        detail=f"{OWED}{use.executor}",
    )
    earned = AllocatedLine(
        group,
        f"Charge:{use.executor}:transfer",
        -use.amount_nano,
        team=use.executor,
        feature=feature_of.get((use.service, use.executor), ""),
        purpose=use.purpose,
        kind="transfer",
        service=use.service,
        detail=f"{EARNED}{use.team}",
    )
    return owed, earned


def price_lines(month: Month) -> list[AllocatedLine]:
    """Dr ``Charge`` of who owes, Cr ``Charge`` of who earns, under every model.

    If one of the two is on showback or is the unowned team, its leg goes to `ABSORPTION`; if both
    are, nothing is booked. What showback shows of it is `shown_legs`.
    """
    return [
        leg if month.is_charged(leg.team) else replace(leg, account=ABSORPTION)
        for use in month.uses
        if month.is_charged(use.team) or month.is_charged(use.executor)
        for leg in legs(use, month.feature_of)
    ]


def shown_legs(month: Month, model: str) -> Iterator[AllocatedLine]:
    """The legs of the teams on ``model``, whoever the other side is."""
    for use in month.uses:
        for leg in legs(use, month.feature_of):
            if leg.team != month.unowned and month.model_of(leg.team) == model:
                yield leg
