"""Which agent made a sealed call: the innermost at or above each step and call that is a parent.

Only where some step is an agent. Parents are found by name and gone up in whole columns: each round
looks twice as far up, so a chain of a million steps takes twenty.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tallybook.attribute.nodes import NOBODY, Names
from tallybook.live.walk import AGENT_OPERATIONS
from tallybook.rate.rating import TOUCHED
from tallybook.store import sql_text
from tallybook.store.memory import release_unused
from tallybook.store.session import Columns, Session

AGENTS: Final = """LEFT JOIN live_agent a
  ON hash(e.trace_id) = a.trace AND hash(e.parent_span_id) = a.span
  LEFT JOIN live_agent_name n ON a.agent = n.number"""
"""What finds the agent of an event ``e``, as ``n.agent``."""

_NO_AGENT: Final = 0
_NOWHERE: Final = np.uint64(2**64 - 1)
"""The parent of a step that names none."""


def find_agents(session: Session, *, only_touched: bool) -> bool:
    """Make ``live_agent``: ``trace`` and ``span`` of what calls hang under, and its ``agent``.

    All are whole numbers; ``live_agent_name`` names the agent of each ``number``.

    Args:
        session: an engine with the events, and what is told of their traces as ``beside``.
        only_touched: only in the traces of the table ``touched``.

    Returns:
        whether any step is an agent; without one there is no table.
    """
    parts = _PARTS | {"touched": TOUCHED if only_touched else ""}
    names = [name for (name,) in session.rows(sql_text(__package__, "agent_names").format(**parts))]
    if not names:
        return False
    numbered = list(enumerate(sorted(names), start=1))
    session.table("live_agent_name", {"number": "whole", "agent": "text"}, numbered)
    session.run(sql_text(__package__, "agent_above").format(**parts))
    steps = list(session.columns(sql_text(__package__, "agent_steps").format(**parts)))
    session.put("live_agent", _found({k: np.concatenate([s[k] for s in steps]) for k in steps[0]}))
    del steps
    release_unused()  # the engine needs as much for rating the month
    return True


def _found(steps: Columns) -> Columns:
    """The innermost agent at or above each step that has one, by number."""
    trace, span = steps["trace"], steps["span"]
    every = np.arange(len(span))
    names = Names((trace, span), every)
    found = steps["agent"].copy()
    above = np.where(steps["parent"] == span, _NOWHERE, steps["parent"])
    # A span that several rows tell of is an agent if one says so, and hangs where one says.
    twice = np.flatnonzero(names.holder != every)
    np.maximum.at(found, names.holder[twice], found[twice])
    np.minimum.at(above, names.holder[twice], above[twice])
    up = np.where(found != _NO_AGENT, NOBODY, names.find((trace, above)))
    for _ in range(len(up).bit_length()):
        waits = np.flatnonzero(up != NOBODY)
        if not len(waits):
            break
        at = up[waits]
        found[waits], up[waits] = found[at], np.where(found[at] != _NO_AGENT, NOBODY, up[at])
    has = (found != _NO_AGENT) & (names.holder == every)
    return {"trace": trace[has], "span": span[has], "agent": found[has]}


_PARTS: Final = {
    "is_agent": (
        "(e.role = 'agent' OR (e.role = 'span' AND e.operation IN"
        f" ({', '.join(repr(name) for name in sorted(AGENT_OPERATIONS))})))"
    ),
    "agent": "CASE WHEN e.service <> '' THEN e.service ELSE e.operation END",
}
