"""What a caller is told at a limit: whose budget, its figures, and the next step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tallybook.budget.model import Act, Limit
from tallybook.gateway.call import Call
from tallybook.gateway.model import BudgetPolicy, Refusal
from tallybook.gateway.prices import as_text
from tallybook.money import PICO_PER_NANO

_CODES: Final[dict[Act, str]] = {
    "stop": "budget_spent",
    "approval": "budget_needs_approval",
    "throttle": "budget_throttled",
    "busy": "budget_busy",
    "unpriced": "model_unpriced",
}
_TOO_MANY: Final = 429
_FORBIDDEN: Final = 403


def refusal_of(
    act: Act,
    limit: Limit,
    call: Call,
    spent_nano: int,
    need_nano: int,
    policy: BudgetPolicy,
    model: str = "",
) -> Refusal:
    """The refusal of a call.

    Args:
        act: what was done.
        limit: that did it.
        call: that was refused.
        spent_nano: what is known to be spent of the limit.
        need_nano: what the call may cost.
        policy: of the configuration.
        model: that has no price, where it does not stand in the request itself.
    """
    asked = call.asked
    model = model or (asked.model if asked is not None else "")
    details = {"budget": limit.budget, "period": str(limit.period)}
    if act == "unpriced" and not model:
        text = (
            f"The request names no model, so nobody can say what it may cost of {limit.budget}, "
            "which has a limit. Name the model in a JSON body."
        )
        return Refusal(_FORBIDDEN, _CODES[act], text, details=details, is_final=True)
    if act == "unpriced":
        text = (
            f"Model {model[:120]!r} has no price, and {limit.budget} has a limit that its cost "
            "would not count against. Use a model with a price, or have one stated in prices.yaml."
        )
        return Refusal(_FORBIDDEN, _CODES[act], text, details=details, is_final=True)
    limit_text, spent, need = text_of(limit.limit_nano), text_of(spent_nano), text_of(need_nano)
    details |= {"limit": limit_text, "spent": spent, "estimate": need}
    when = f"in {limit.period}" if limit.since is None else f"since {limit.since}"
    figures = f"{spent} of {limit_text} is spent {when}, and this call may cost {need}"
    if act == "throttle":
        text = (
            f"Budget {limit.budget} is at its limit ({figures}): beyond it "
            f"{limit.calls_per_minute} calls a minute are let through. Try again in the next "
            f"minute. {_for_more(limit, policy)}"
        )
    elif act == "busy":
        text = (
            f"Calls under way hold what is left of budget {limit.budget}: {figures}. Try again "
            "when they have ended; a call that states fewer output tokens needs less."
        )
    else:
        waits = "waits for approval beyond" if act == "approval" else "stops at"
        text = (
            f"Budget {limit.budget} {waits} its limit: {figures}. {_for_more(limit, policy)} "
            f"{_anew(limit)}"
        )
    is_final = act in ("stop", "approval")
    return Refusal(_TOO_MANY, _CODES[act], text, details=details, is_final=is_final)


def _anew(limit: Limit) -> str:
    if limit.since is None:
        return f"It begins anew with {limit.period.next()}."
    return "It does not begin anew with a month."


def _for_more(limit: Limit, policy: BudgetPolicy) -> str:
    """The next step of somebody who needs more."""
    command = f"tallybook budget request {limit.budget} {limit.period} AMOUNT --reason TEXT"
    where = f", or {policy.request_url}" if policy.request_url else ""
    return f"To ask for more: {command}{where}."


def remaining_line(left: Iterable[tuple[Limit, int]]) -> bytes:
    """The header that tells what is left of each budget that a call is under."""
    told = ", ".join(f"{limit.budget}={text_of(nano)}" for limit, nano in left)
    return f"x-tallybook-budget-remaining: {told}\r\n".encode() if told else b""


def text_of(nano: int) -> str:
    """An amount in units of the currency, two decimals at least."""
    return as_text(nano * PICO_PER_NANO)
