"""What stands in a period: about itself, and as adjustments about periods that were closed."""

from __future__ import annotations

from tallybook.ledger.balance import booked_into
from tallybook.ledger.model import PostingKey
from tallybook.post.beside import is_of_close
from tallybook.post.sheet import Sheet
from tallybook.report.adjustments import Adjustment, adjustments_of
from tallybook.store import Tx


def held_in(tx: Tx, sheet: Sheet) -> tuple[dict[PostingKey, int], list[Adjustment]]:
    """Everything that posted into a period but what an earlier close did: statements read this.

    Returns:
        balances of the period about itself, and the adjustments about others.
    """
    exact = {
        key: nano for key, nano in booked_into(tx, sheet.period).items() if not is_of_close(key)
    }
    own = {key: nano for key, nano in exact.items() if key.service_period == sheet.period}
    others = {key: nano for key, nano in exact.items() if key.service_period != sheet.period}
    return own, adjustments_of(tx, sheet, others)
