"""Withdrawing: an invoice that was imported by mistake bills nothing from its next version on.

What stood stays readable. What a true-up booked of it is undone by the next true-up, as whatever
an invoice does not bill any more is.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from tallybook.clock import format_instant
from tallybook.errors import InvoiceError
from tallybook.reconcile.invoices import add_version, invoice_versions
from tallybook.reconcile.model import ProviderInvoice
from tallybook.store import Store
from tallybook.store.commands import Command, log_command


def withdraw(
    store: Store, invoice: str, *, reason: str, command: Command, now_us: int
) -> ProviderInvoice:
    """Withdraw an invoice: its next version has no lines.

    Args:
        store: open books.
        invoice: its id, as ``P-000001``.
        reason: why.
        command: as it was given; its actor withdraws.
        now_us: when.

    Returns:
        the version that stands now.

    Raises:
        InvoiceError: there is none of this id, it is withdrawn already, or no reason is given.
    """
    if not reason.strip():
        raise InvoiceError("no reason is given", next_step='say why: --reason "WHY"')
    with store.write() as tx:
        last = invoice_versions(tx, invoice)[-1]
        if last.is_withdrawn:
            raise InvoiceError(
                f"{invoice} is withdrawn already, by {last.actor} at {format_instant(last.at_us)}:"
                f" {last.reason}",
                next_step='if it stands after all, import it again with --restate "WHY"',
            )
        made = replace(
            last,
            version=last.version + 1,
            stated_pico=None,
            total_pico=0,
            lines=0,
            windows=(),
            files=(),
            digest=sha256(b"").hexdigest(),
            reason=reason.strip(),
            actor=command.actor,
            at_us=now_us,
        )
        add_version(tx, made)
        log_command(tx, command, now_us, {}, f"{made.id} version {made.version} withdrawn")
    return made
