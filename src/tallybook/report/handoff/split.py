"""Splitting a voucher into parts that each balance, when an ERP limits the lines of one.

Debits and credits are matched from the front, and a part takes matches while its lines fit. A line
that meets the end of a part is cut in two, so no part needs a clearing account, and every line's
pieces add up to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tallybook.errors import HandoffError
from tallybook.report.handoff.model import JournalLine, Voucher

LINES_MIN = 2

Match = tuple[int, int, int]
"""(number of a debit line, number of a credit line, cents that the two share)"""


def parts_of(voucher: Voucher, lines_max: int) -> list[Voucher]:
    """A voucher whole if it fits, else its parts, each balanced and of few enough lines.

    Raises:
        HandoffError: a limit below two lines, with which nothing balances.
    """
    if lines_max < LINES_MIN:
        raise HandoffError(f"no voucher balances in {lines_max} lines", where=voucher.external_id)
    if len(voucher.lines) <= lines_max:
        return [voucher]
    groups = list(_groups(list(_matches(voucher.lines)), lines_max))
    return [
        replace(
            voucher,
            external_id=f"{voucher.external_id}-{number}of{len(groups)}",
            text=f"{voucher.text} ({number} of {len(groups)})",
            lines=_lines(group, voucher.lines),
            part=number,
            parts=len(groups),
        )
        for number, group in enumerate(groups, start=1)
    ]


def _matches(lines: Sequence[JournalLine]) -> Iterator[Match]:
    """Debits against credits, in order; lines of one account meet first."""
    order = sorted(range(len(lines)), key=lambda at: (lines[at].account, lines[at].detail))
    debit_lines = deque(at for at in order if lines[at].amount_cents > 0)
    credit_lines = deque(at for at in order if lines[at].amount_cents < 0)
    left = {at: abs(lines[at].amount_cents) for at in order}
    while debit_lines:
        debit, credit = debit_lines[0], credit_lines[0]
        shared = min(left[debit], left[credit])
        yield debit, credit, shared
        for at, waiting in ((debit, debit_lines), (credit, credit_lines)):
            left[at] -= shared
            if not left[at]:
                waiting.popleft()


def _groups(matches: Sequence[Match], lines_max: int) -> Iterator[list[Match]]:
    group: list[Match] = []
    held: set[int] = set()
    for match in matches:
        both = held | {match[0], match[1]}
        if len(both) > lines_max:
            yield group
            group, both = [], {match[0], match[1]}
        group.append(match)
        held = both
    yield group


def _lines(group: Sequence[Match], lines: Sequence[JournalLine]) -> tuple[JournalLine, ...]:
    cents: dict[int, int] = {}
    for debit, credit, shared in group:
        cents[debit] = cents.get(debit, 0) + shared
        cents[credit] = cents.get(credit, 0) - shared
    return tuple(replace(lines[at], amount_cents=cents[at]) for at in sorted(cents))
