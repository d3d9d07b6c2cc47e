"""Recording the policy files. What is closed keeps the versions it was closed under."""

from __future__ import annotations

from collections.abc import Mapping

from tallybook.books.documents import Document, parse
from tallybook.errors import PeriodError
from tallybook.post.basis import latest_books
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command
from tallybook.store.documents import latest_documents, record_documents


def current_documents(store: Store) -> dict[str, Document]:
    """The documents as last applied; empty before the first time."""
    with store.read() as tx:
        return {kind: held.document for kind, held in latest_documents(tx).items()}


def apply_documents(
    store: Store, wanted: Mapping[str, Document], command: Command, now_us: int
) -> dict[str, int]:
    """Record a new version of each file that changed.

    Returns:
        the new version of each kind that changed.

    Raises:
        BooksError: the documents do not fit each other; nothing is recorded.
        PeriodError: the company's zone, currency or calendar would change after a close.
    """
    parse(wanted)
    with store.write() as tx:
        _keep_what_is_fixed(tx, wanted)
        changed = record_documents(tx, wanted, command.actor, now_us)
        outcome = ", ".join(f"{kind} {version}" for kind, version in changed.items())
        log_command(tx, command, now_us, changed, outcome or "nothing changed")
        faults.reached("apply.recorded")
    return changed


def _keep_what_is_fixed(tx: Tx, wanted: Mapping[str, Document]) -> None:
    closed = tx.scalar("SELECT COUNT(*) FROM chain WHERE kind = 'act' AND reason = 'close'")
    if not closed:
        return
    held, _ = latest_books(tx)
    now, then = parse(wanted).org.company, held.org.company
    for name in ("timezone", "currency", "fiscal_year_start"):
        if getattr(now, name) != getattr(then, name):
            raise PeriodError(
                f"company.{name} is {getattr(then, name)!r} and would become"
                f" {getattr(now, name)!r}; it is fixed by the first close",
                where="org.yaml",
                next_step="put it back, or begin new books",
            )
