"""Reading a month's flow from the books: the cost sheet of its last run."""

from __future__ import annotations

from tallybook.attribute.model import Transferred
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.post.basis import books_at
from tallybook.post.sheet import latest_sheet
from tallybook.report.graph.model import GraphView
from tallybook.report.graph.view import graph_view
from tallybook.store import Store


def month_graph(store: Store, period: Period) -> GraphView:
    """The flow between teams as the period's last run saw it, closed or open.

    Raises:
        PeriodError: the period was never run.
        CorruptedError: its cost sheet is not what was written.
    """
    with store.read() as tx:
        sheet = latest_sheet(tx, str(period))
        if sheet is None:
            raise PeriodError(
                f"{period} was never run, so nobody knows yet who caused what",
                next_step=f"tallybook run {period}",
            )
        books, _ = books_at(tx, period, sheet.versions)
    return graph_view(Transferred(sheet.lines, sheet.uses), books.org, period)
