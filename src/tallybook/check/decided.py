"""What approvers decided about budgets, against the acts that the chain holds of it.

An approval stands twice: as the row that says what is in force, and as an act on the chain. A row
that was changed, put in or taken out disagrees with its act.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tallybook.clock import format_instant
from tallybook.ledger.walk import Fault
from tallybook.money import NANO_SCALE, format_units
from tallybook.store import Tx


def decision_faults(tx: Tx) -> Iterator[Fault]:
    """Approvals that are not what their act says, have none, or are gone."""
    acts: dict[object, tuple[Any, dict[str, Any]]] = {}
    for act in tx.rows(
        "SELECT id, period, actor, recorded_us, details FROM chain"
        " WHERE kind = 'act' AND reason = 'approval' ORDER BY seq"
    ):
        told = _details(act.details)
        acts[told.get("decision", act.id)] = (act, told)
    for row in tx.rows("SELECT * FROM budget_decision WHERE verdict = 'approved' ORDER BY seq"):
        act, told = acts.pop(row.seq, (None, {}))
        if act is None:
            yield Fault("decision", f"decision {row.seq} on {row.scope}:{row.subject} has no act")
            continue
        said = (act.period, act.actor, act.recorded_us, told)
        if said != (row.period, row.actor, row.at_us, _told(row)):
            where = f"decision {row.seq} on {row.scope}:{row.subject}"
            yield Fault("decision", f"{where} is not what {act.id} says")
    for act, _ in acts.values():
        yield Fault("decision", f"the decision of {act.id} is gone")


def _told(row: Any) -> dict[str, Any]:
    """The details that the act of a row must have."""
    try:
        return {
            "request": row.request,
            "decision": row.seq,
            "kind": row.kind,
            "budget": f"{row.scope}:{row.subject}",
            "amount": format_units(row.amount_nano, NANO_SCALE),
            "from": format_instant(row.from_us),
            "expires": format_instant(row.until_us) if row.until_us else "",
            "requested_by": row.requested_by,
        }
    except (TypeError, ValueError):
        return {}


def _details(text: object) -> dict[str, Any]:
    try:
        told = json.loads(str(text))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
