"""Every charge that posted into a period: its own month, corrections of closed ones, and the rest.

The rest is what no run made: variances of invoices, adjusting entries, whatever comes. It is found
by the chart's families, so nothing that is cost can be missing; the total is the ledger cost of the
period to the last unit, or there is no file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tallybook.clock import Period
from tallybook.errors import CorruptedError, HandoffError, PeriodError
from tallybook.ledger.balance import booked_into
from tallybook.ledger.chart import check_account
from tallybook.ledger.model import PostingKey
from tallybook.money import NANO_SCALE, PICO_PER_NANO, format_units
from tallybook.post.beside import is_of_close
from tallybook.post.frozen import frozen_sheet
from tallybook.post.late import Span, standing_ranges
from tallybook.post.sheet import Sheet, sheet_at
from tallybook.report.handoff.accrual import LEDGER_COST
from tallybook.report.handoff.focus.model import Bearer, Row, Totals
from tallybook.report.handoff.focus.month import MonthRows
from tallybook.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Held:
    """What posted into a period, and the sheets that explain it."""

    sheet: Sheet
    keys: Mapping[PostingKey, int]
    late: Mapping[str, tuple[Span, ...]]

    def ledger_nano(self) -> dict[str, int]:
        """The ledger cost by service period."""
        found: dict[str, int] = defaultdict(int)
        for key, nano in self.keys.items():
            if check_account(key.account) in LEDGER_COST:
                found[key.service_period] += nano
        return {period: nano for period, nano in sorted(found.items()) if nano}


def held(store: Store, period: Period) -> Held:
    """What a period holds: a closed one as it was closed, an open one as it was last run.

    Raises:
        PeriodError: nothing is booked in it.
    """
    with store.read() as tx:
        sheet = frozen_sheet(tx, str(period))
        if sheet is None:
            raise PeriodError(f"nothing is booked in {period}", next_step=f"tallybook run {period}")
        ranges = standing_ranges(tx, sheet.versions.late)
        posted = booked_into(tx, str(period))
        exact = {key: nano for key, nano in posted.items() if not is_of_close(key)}
        return Held(sheet, exact, ranges.spans)


def period_rows(store: Store, period: Period, totals: Totals) -> Iterator[Row]:
    """The rows of a period, the same each time; when the last has passed, they add up.

    Args:
        store: open books.
        period: by posting: what is about closed months and posted now is a correction here.
        totals: what the rows that have passed add up to.

    Raises:
        HandoffError: the rows are not the ledger cost of the period.
    """
    found = held(store, period)
    explained: dict[str, set[str]] = defaultdict(set)
    for row in _made(store, found, explained):
        totals.add(row)
        yield row
    for row in _others(found, explained):
        totals.add(row)
        yield row
    _require_tied(str(period), found.ledger_nano(), totals)


def _made(store: Store, found: Held, explained: dict[str, set[str]]) -> Iterator[Row]:
    own = MonthRows(store, found.sheet)
    explained[found.sheet.period] |= own.groups
    yield from own.rows()
    for period, spans in sorted(found.late.items()):
        for before, after in spans:
            ends = [MonthRows(store, _sheet(store, period, number)) for number in (before, after)]
            explained[period] |= ends[0].groups | ends[1].groups
            yield from corrections(ends[0].rows(), ends[1].rows())


def _sheet(store: Store, period: str, number: int) -> Sheet:
    with store.read() as tx:
        return _require_sheet(tx, period, number)


def _require_sheet(tx: Tx, period: str, number: int) -> Sheet:
    found = sheet_at(tx, period, number)
    if found is None:
        raise CorruptedError(
            f"cost sheet {number} of {period} is gone",
            where="sheet",
            next_step="restore the book from a backup, then run: tallybook verify",
        )
    return found


def corrections(before: Iterable[Row], after: Iterable[Row]) -> Iterator[Row]:
    """What a closed month's charges became: each that changed is reversed and booked again.

    A split charge is corrected with all of its parts, so that the parts of each stay whole.
    """
    was, now = _by_charge(before), _by_charge(after)
    for name in [*was, *(name for name in now if name not in was)]:
        if was.get(name) == now.get(name):
            continue
        yield from (row.turned() for row in was.get(name, ()))
        yield from (row.rebooked() for row in now.get(name, ()))


def _by_charge(rows: Iterable[Row]) -> dict[object, list[Row]]:
    found: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        plain = replace(row, list_pico=0, contract_pico=0, effective_pico=0, quantity=None)
        found[row.part.origin if row.part else plain].append(row)
    return found


def _others(found: Held, explained: Mapping[str, set[str]]) -> Iterator[Row]:
    """Postings on cost that no run made, by account, team and month."""
    sums: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for key, nano in found.keys.items():
        made = key.source in explained.get(key.service_period, ())
        if not made and check_account(key.account) in LEDGER_COST:
            sums[key.service_period, key.account, key.team, key.feature] += nano
    for (period, account, team, feature), nano in sorted(sums.items()):
        if nano:
            pico = nano * PICO_PER_NANO
            yield Row(
                "Adjustment", f"Booked on {account}", period, Bearer(team, feature), pico, pico,
                pico, account=account, corrects=period != found.sheet.period,
            )  # fmt: skip


def _require_tied(period: str, ledger_nano: Mapping[str, int], totals: Totals) -> None:
    for month in sorted({*ledger_nano, *totals.by_period}):
        booked = ledger_nano.get(month, 0)
        rows_pico = totals.by_period.get(month, 0)
        if rows_pico != booked * PICO_PER_NANO:
            raise HandoffError(
                f"the rows about {month} add up to {format_units(rows_pico, 12)}, the ledger cost"
                f" is {format_units(booked, NANO_SCALE)}",
                where=period,
                next_step=f"if it is open: tallybook run {period}; then: tallybook check",
            )
