"""The year-end roll: accounts of the year close to its result, balances carry into the next.

Classical closing: temporary (nominal) accounts are closed by an entry to the result, permanent
(real) accounts carry (OpenStax, *Principles of Accounting 1*, 5.1; the opening balance is the
closing balance of before, HGB section 252 (1) no. 1). Nominal are the charge and central accounts,
rounding, and what is only shown. Suspense carries: it is an open item until somebody explains it.

The entry posts with the close of the fiscal year's last month, or of the first month after it that
closes. What is found out later about a year that is over posts into the open month, as a change of
an estimate does (IAS 8.36, ASC 250-10-45-17); who must restate the year reopens its last month,
which reverses the roll, and the next close rolls anew.
"""

from __future__ import annotations

from tallybook.clock import Calendar, Period
from tallybook.ledger.append import append_entry
from tallybook.ledger.chart import Family
from tallybook.ledger.model import Entry, Link, Posting, Reason
from tallybook.ledger.reverse import reverse
from tallybook.post.beside import ROLL
from tallybook.store import Tx, sql_text

NOMINAL = (
    Family.ABSORPTION, Family.CHARGE, Family.COST, Family.MEMO, Family.POOL, Family.ROUNDING,
    Family.VARIANCE,
)  # fmt: skip


def year_end(calendar: Calendar, period: Period) -> Period:
    """The last month of the newest fiscal year that is over when a month closes."""
    year = calendar.fiscal_year(period)
    month = period
    while calendar.fiscal_year(month.next()) == year:
        month = month.next()
    if month == period:
        return month
    while calendar.fiscal_year(month) == year:
        month = month.previous()
    return month


def roll_entry(tx: Tx, calendar: Calendar, period: Period) -> Entry | None:
    """What the close of a month has to roll; None if no year that is over stands open."""
    end = year_end(calendar, period)
    source = f"{ROLL}:{end}"
    if _rolled(tx, source) or not _has_postings(tx, str(end)):
        return None
    rows = [
        row
        for row in tx.rows(sql_text(__package__, "nominal"), last_period=str(end))
        if str(row.account).partition(":")[0] in NOMINAL
    ]
    postings = [
        Posting(row.account, -int(row.nano), team=row.team, feature=row.feature, source=source)
        for row in rows
    ]
    rest = sum(posting.amount_nano for posting in postings)
    year = calendar.fiscal_year(end)
    if rest:
        postings.append(Posting(f"{Family.RESULT}:FY{year}", -rest, source=source))
    if not postings:
        return None
    return Entry(
        reason=Reason.ROLL,
        period=str(period),
        service_period=str(period),
        text=f"Fiscal year {year} closed to its result; balance accounts carry",
        postings=tuple(postings),
        details={"fiscal_year": year, "last_period": str(end)},
    )


def roll(tx: Tx, calendar: Calendar, period: Period, actor: str, now_us: int) -> Link | None:
    """Post the roll that is due with the close of a month, if one is."""
    entry = roll_entry(tx, calendar, period)
    return append_entry(tx, entry, actor, now_us) if entry else None


def unroll(tx: Tx, period: str, actor: str, now_us: int) -> Link | None:
    """Reverse the roll that posted into a month which is open again, if one stands."""
    standing = tx.scalar(sql_text(__package__, "rolled"), period=period, source="")
    if not standing:
        return None
    return reverse(tx, str(standing), actor, f"{period} is open again", now_us, period=period)


def _rolled(tx: Tx, source: str) -> bool:
    return bool(tx.scalar(sql_text(__package__, "rolled"), period="", source=source))


def _has_postings(tx: Tx, end: str) -> bool:
    statement = "SELECT 1 FROM chain WHERE kind = 'entry' AND period <= :last LIMIT 1"
    return tx.scalar(statement, last=end) is not None
