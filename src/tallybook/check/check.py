"""Run the invariants by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from tallybook.check import bills, graph, intake, journal, months, restated
from tallybook.check.model import Check, Finding
from tallybook.errors import TallybookError, WrongUsageError
from tallybook.store import Store

CHECKS: dict[str, Check] = {
    "INV-01": journal.balance,
    "INV-02": journal.exact,
    "INV-03": journal.append_only,
    "INV-04": months.closed_is_fixed,
    "INV-05": restated.late_is_posted,
    "INV-06": intake.idempotent,
    "INV-07": intake.order_free,
    "INV-08": intake.atomic,
    "INV-09": restated.reproducible,
    "INV-10": months.allocated_once,
    "INV-11": graph.graph_conserves,
    "INV-12": months.model_neutral,
    "INV-13": bills.bills_reconcile,
    "INV-14": months.one_price,
    "INV-15": journal.tamper_evidence,
}
"""Each invariant with its proof; docs/invariants.md says what each one means."""


def check(
    store: Store, names: Sequence[str] = (), on_done: Callable[[int], None] | None = None
) -> list[Finding]:
    """Prove invariants on live books.

    Args:
        store: open books.
        names: which, as ``INV-01``; none means all.
        on_done: told 1 after each.

    Raises:
        WrongUsageError: a name that is none of ours.
    """
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise WrongUsageError(
            f"there is no check {', '.join(unknown)}", next_step=f"name some of {', '.join(CHECKS)}"
        )
    findings = []
    with ExitStack() as kept:
        # Where the books do not even open, each proof says so.
        with suppress(TallybookError):
            kept.enter_context(store.held_open())
        for name in names or CHECKS:
            findings.append(_proven(store, name))
            if on_done:
                on_done(1)
    return findings


def _proven(store: Store, name: str) -> Finding:
    try:
        return CHECKS[name](store)
    except TallybookError as error:
        # A finding is one line; what to do next is part of it.
        return Finding(name, ok=False, examined=0, detail=str(error).replace("\n  ", "; "))
    except Exception as error:  # noqa: BLE001 - damaged books raise what they like
        detail = f"cannot be proven, the books are damaged: {type(error).__name__}: {error}"
        return Finding(name, ok=False, examined=0, detail=detail)
