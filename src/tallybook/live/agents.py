"""Which agent made a sealed call: the innermost at or above each step and call that is a parent.

Only where some step is an agent. Parents are found by name and gone up in whole columns: each round
looks twice as far up, so a chain of a million steps takes twenty. What no name places hangs under
the root of its trace, if there is one root, as everywhere (docs/call_graph.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from tallybook.attribute.nodes import NOBODY, Digests, Names, Positions
from tallybook.live.walk import AGENT_OPERATIONS
from tallybook.rate.rating import TOUCHED
from tallybook.store import sql_text
from tallybook.store.memory import release_unused
from tallybook.store.session import Columns, Session

AGENTS: Final = """LEFT JOIN live_agent a
  ON hash(e.trace_id) = a.trace AND hash(e.parent_span_id) = a.span
  AND (e.parent_span_id <> '' OR e.span_id = '')
  LEFT JOIN live_agent_name n ON a.agent = n.number"""
"""What finds the agent of an event ``e``, as ``n.agent``."""

_NO_AGENT: Final = 0
_NOWHERE: Final = np.uint64(2**64 - 1)
"""The parent of a step that names none."""
_NO_ROOTS: Final = np.zeros(0, np.int64)


def find_agents(session: Session, *, only_touched: bool, netted: str = "") -> bool:
    """Make ``live_agent``: ``trace`` and ``span`` of what calls hang under, and its ``agent``.

    All are whole numbers; ``live_agent_name`` names the agent of each ``number``. A parent that
    nobody told of has a row where its calls hang under the root, and so has the digest of no name.

    Args:
        session: an engine with the events, and what is told of their traces as ``beside``.
        only_touched: only in the traces of the table ``touched``.
        netted: what takes off events that others supersede (`netting_sql`).

    Returns:
        whether any step is an agent; without one there is no table.
    """
    parts = _PARTS | {"touched": TOUCHED if only_touched else "", "netted": netted}
    names = [name for (name,) in session.rows(sql_text(__package__, "agent_names").format(**parts))]
    if not names:
        return False
    numbered = list(enumerate(sorted(names), start=1))
    session.table("live_agent_name", {"number": "whole", "agent": "text"}, numbered)
    session.run(sql_text(__package__, "agent_above").format(**parts))
    steps, loose = (_read(session, name, parts) for name in ("agent_steps", "agent_loose"))

    def call_roots(traces: Digests) -> Columns:
        session.put("live_loose", {"trace": traces})
        return _read(session, "agent_roots", parts)

    session.put("live_agent", _found(steps, loose, call_roots))
    del steps, loose
    release_unused()  # the engine needs as much for rating the month
    return True


def _read(session: Session, name: str, parts: Mapping[str, str]) -> Columns:
    """The rows of a statement of this room as whole columns, by trace and span at least."""
    told = list(session.columns(sql_text(__package__, name).format(**parts)))
    if not told:
        return {"trace": np.zeros(0, np.uint64), "span": np.zeros(0, np.uint64)}
    return {column: np.concatenate([part[column] for part in told]) for column in told[0]}


def _found(steps: Columns, loose: Columns, call_roots: Callable[[Digests], Columns]) -> Columns:
    """The innermost agent at or above each step that has one, by number.

    Args:
        steps: as `agent_steps.sql` tells them.
        loose: what calls hang under that no name places.
        call_roots: tells the calls that are roots of some traces.
    """
    trace, span = steps["trace"], steps["span"]
    every = np.arange(len(span))
    names = Names((trace, span), every)
    found = steps["agent"].copy()
    above = np.where(steps["parent"] == span, _NOWHERE, steps["parent"])
    # A span that several rows tell of is an agent if one says so, and hangs where one says.
    twice = np.flatnonzero(names.holder != every)
    np.maximum.at(found, names.holder[twice], found[twice])
    np.minimum.at(above, names.holder[twice], above[twice])
    up = names.find((trace, above))
    lost = np.flatnonzero((above != _NOWHERE) & (up == NOBODY))
    traces = np.unique(np.concatenate((trace[lost], loose["trace"])))
    root = _NO_ROOTS
    if len(traces):
        roots = np.flatnonzero((above == _NOWHERE) & (names.holder == every))
        calls = call_roots(traces)
        apart = names.find((calls["trace"], calls["span"])) == NOBODY
        root = _only_root(traces, trace[roots], roots, calls["trace"][apart])
        up[lost] = root[np.searchsorted(traces, trace[lost])]
    up[found != _NO_AGENT] = NOBODY
    for _ in range(len(up).bit_length()):
        waits = np.flatnonzero(up != NOBODY)
        if not len(waits):
            break
        at = up[waits]
        found[waits], up[waits] = found[at], np.where(found[at] != _NO_AGENT, NOBODY, up[at])
    has = (found != _NO_AGENT) & (names.holder == every)
    under = root[np.searchsorted(traces, loose["trace"])]
    hung = (under != NOBODY) & (found[under] != _NO_AGENT)
    return {
        "trace": np.concatenate((trace[has], loose["trace"][hung])),
        "span": np.concatenate((span[has], loose["span"][hung])),
        "agent": np.concatenate((found[has], found[under[hung]])),
    }


def _only_root(traces: Digests, of: Digests, roots: Positions, calls: Digests) -> Positions:
    """The root of each of some traces, if it is the only one and a step.

    Args:
        traces: distinct, in order.
        of: the trace of each step that is a root.
        roots: where those steps are.
        calls: the trace of each call that is a root.
    """
    told = np.concatenate((of, calls))
    node = np.concatenate((roots, np.full(len(calls), NOBODY)))
    at = np.minimum(np.searchsorted(traces, told), len(traces) - 1)
    mine = traces[at] == told
    found = np.full(len(traces), NOBODY, np.int64)
    found[at[mine]] = node[mine]
    found[np.bincount(at[mine], minlength=len(traces)) != 1] = NOBODY
    return found


_PARTS: Final = {
    "is_agent": (
        "(e.role = 'agent' OR (e.role = 'span' AND e.operation IN"
        f" ({', '.join(repr(name) for name in sorted(AGENT_OPERATIONS))})))"
    ),
    "agent": "CASE WHEN e.service <> '' THEN e.service ELSE e.operation END",
}
