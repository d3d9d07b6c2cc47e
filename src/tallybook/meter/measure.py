"""What an event says it used, and how far that is known. Unknown is never zero."""

from __future__ import annotations

from tallybook.books.meters import TOKEN_CLASSES_INFORMATIVE, TOKEN_CLASSES_INPUT
from tallybook.meter.model import State, UsageEvent

_INPUT = frozenset(TOKEN_CLASSES_INPUT)
_INFORMATIVE = frozenset(TOKEN_CLASSES_INFORMATIVE)


def state(event: UsageEvent) -> State:
    """How far the usage is known.

    ``unknown``: no figure was given (an error without figures is not billed: it is zero and
    ``reported``), or the source says so. ``partial``: some class is null. Otherwise what the source
    says, ``reported`` when it says nothing.
    """
    tokens, units = event.tokens, event.units
    if tokens and not units and event.usage != "unknown" and None not in tokens.values():
        return event.usage or "reported"  # nearly every call
    figures = [*(event.tokens or {}).values(), *(event.units or {}).values()]
    known = sum(figure is not None for figure in figures)
    if event.usage == "unknown":
        return "unknown"
    if not figures:
        return "reported" if event.status == "error" else "unknown"
    if not known:
        return "unknown"
    if known < len(figures):
        return "partial"
    return event.usage or "reported"


def context_tokens(event: UsageEvent) -> int:
    """The sum of the known input classes: what decides a long-context price."""
    tokens = event.tokens
    return sum(count or 0 for name, count in tokens.items() if name in _INPUT) if tokens else 0


def total_tokens(event: UsageEvent) -> int:
    """The sum of the known disjoint classes; ``reasoning`` is part of ``output`` and not added."""
    tokens = event.tokens
    if not tokens:
        return 0
    return sum(count or 0 for name, count in tokens.items() if name not in _INFORMATIVE)
