"""Usage that has no price or no owner, from the latest cost sheets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tallybook.post.sheet import Sheet, latest_sheet
from tallybook.store import Tx


class Waiting(NamedTuple):
    """Usage of one provider in one period that waits for a price or an owner."""

    period: str
    provider: str
    calls: str
    tokens: str


def unpriced_usage(tx: Tx, period: str = "") -> list[Waiting]:
    """What no price covers; '' means every period that was run."""
    return _waiting(tx, period, "unpriced")


def unallocated_calls(tx: Tx, period: str = "") -> list[Waiting]:
    """What only the fallback gave an owner; '' means every period that was run."""
    return _waiting(tx, period, "unallocated")


def _waiting(tx: Tx, period: str, state: str) -> list[Waiting]:
    found = []
    for sheet in _sheets(tx, period):
        calls: Counter[str] = Counter()
        tokens: Counter[str] = Counter()
        for line in sheet.lines:
            if line.unpriced if state == "unpriced" else line.owner.is_fallback:
                calls[line.provider] += line.calls
                tokens[line.provider] += line.tokens
        found += [
            Waiting(sheet.period, provider, str(calls[provider]), str(tokens[provider]))
            for provider in sorted(calls)
        ]
    return found


def _sheets(tx: Tx, period: str) -> Iterator[Sheet]:
    rows = tx.rows("SELECT DISTINCT period FROM sheet ORDER BY period")
    for row in rows:
        if period in ("", row.period):
            sheet = latest_sheet(tx, row.period)
            assert sheet is not None, "the period has a sheet"
            yield sheet
