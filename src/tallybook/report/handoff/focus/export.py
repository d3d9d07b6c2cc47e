"""A period's FOCUS file: streamed, tied to the ledger cost, whole or not there."""

from __future__ import annotations

from pathlib import Path

from tallybook.clock import Period
from tallybook.post.basis import books_at
from tallybook.report.handoff.focus.model import Totals
from tallybook.report.handoff.focus.rows import held, period_rows
from tallybook.report.handoff.focus.spell import Names, write_rows
from tallybook.report.handoff.write import whole_file
from tallybook.store import Store


def write_focus(store: Store, period: Period, version: str, path: Path) -> Totals:
    """Write what posted into a period as Cost and Usage of a FOCUS version.

    Args:
        store: open books.
        period: by posting.
        version: one of `tallybook.report.handoff.focus.spell.VERSIONS`.
        path: the file; when this raises, it is as it was before.

    Returns:
        what the rows add up to.

    Raises:
        PeriodError: nothing is booked in the period.
        HandoffError: the rows are not the ledger cost of the period.
        CorruptedError: a sealed file is not what was written.
    """
    sheet = held(store, period).sheet
    with store.read() as tx:
        books, _ = books_at(tx, period, sheet.versions)
    totals = Totals()
    with whole_file(path) as file:
        write_rows(file, period_rows(store, period, totals), Names.of(books, period), version)
    return totals
