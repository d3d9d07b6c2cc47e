"""What stands in a period beside what its runs posted: invoices, adjusting entries, dispositions.

It does not come from events, so whoever makes a month again takes it from the journal. What a close
itself posts is neither: it follows from the statements, and statements do not read it.
"""

from __future__ import annotations

from typing import Final

from tallybook.ledger.model import PostingKey
from tallybook.post.run import is_from_events
from tallybook.store import Tx, sql_text

ROUNDING: Final = "rounding"
"""the group of what a close posts so that issued cents equal balances"""
ROLL: Final = "roll"
"""the family of what the close of a fiscal year's last month posts, to the result"""


def is_of_close(key: PostingKey) -> bool:
    """Whether a close made the posting: sub-cent remainders, or the roll of a year."""
    return key.source.partition(":")[0] in (ROUNDING, ROLL)


def beside(tx: Tx, period: str, before_seq: int) -> dict[PostingKey, int]:
    """What posted into a period before a link, and comes neither from events nor from a close.

    Returns:
        balances in nano by key, of every service period, without zeros.
    """
    rows = tx.rows(sql_text(__package__, "beside"), period=period, before_seq=before_seq)
    found = {PostingKey._make(row[:-1]): int(row.nano) for row in rows}
    return {
        key: nano for key, nano in found.items() if not is_from_events(key) and not is_of_close(key)
    }
