"""Anthropic Messages, on any cloud: cache by time to live, iterations, server tools, tiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallybook.meter.usage.conventions import ANTHROPIC, tier_of
from tallybook.meter.usage.draft import Draft, units_of
from tallybook.meter.usage.figures import items, text

_OPERATIONS: Final = {
    "message": "",
    "compaction": "compaction",
    "advisor_message": "advisor",
    "fallback_message": "fallback",
}
_PLAIN: Final = frozenset({"", "standard"})
_NOWHERE: Final = frozenset({"", "not_available"})


def read_messages(body: Mapping[str, Any], draft: Draft) -> None:
    """One message.

    ``usage.iterations`` is what is billed: the figures beside it leave out compaction and advisors,
    and add up the rounds of a tool loop, whose context is each round's own.
    """
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return
    _conditions(usage, draft)
    searches = usage.get("server_tool_use")
    units = units_of(searches)
    if isinstance(searches, dict) and units.get("web_search"):
        draft.extras["web_search_requests"] = units["web_search"] or 0
    iterations = items(usage.get("iterations"))
    if len(iterations) == 1 and iterations[0].get("type") == "message":
        iterations = []  # the same figures; only those above tell thinking
    if not iterations:
        draft.add(draft.tokens(usage, ANTHROPIC), units)
        return
    whole = draft.tokens(usage, ANTHROPIC) or {}
    for number, each in enumerate(iterations):
        kind = text(each.get("type"))
        draft.add(
            draft.tokens(each, ANTHROPIC),
            units if number == 0 else None,
            model=text(each.get("model")),
            operation=_OPERATIONS.get(kind, kind),
        )
    if whole.get("reasoning"):
        draft.extras["reasoning_tokens"] = whole["reasoning"] or 0


def _conditions(usage: Mapping[str, Any], draft: Draft) -> None:
    """What decides the price besides the model."""
    draft.tier = draft.tier or tier_of(usage.get("service_tier"))
    speed = text(usage.get("speed"))
    if draft.tier in _PLAIN and speed not in _PLAIN:
        draft.tier = speed  # fast: a price of its own
    region = text(usage.get("inference_geo"))
    if not draft.region and region not in _NOWHERE:
        draft.region = region
    credit = usage.get("fallback_credit")
    if isinstance(credit, dict) and credit.get("status") == "redeemed":
        draft.notes.append(
            "a fallback credit was redeemed: the invoice differs from tokens at list price"
        )
