"""Capacity: what it costs in a month, by the time that it stands or once."""

from datetime import timedelta
from fractions import Fraction

from tallybook.sim.oracle.books import Books, Row, begins, ends

HOUR = timedelta(hours=1)


def stood(books: Books, row: Row) -> Fraction:
    """The part of the month that it stands."""
    held = min(ends(row), books.end) - max(begins(row), books.start)
    return Fraction(max(held, timedelta()) // timedelta.resolution) / (
        (books.end - books.start) // timedelta.resolution
    )


def cost_of_capacity(books: Books, row: Row) -> Fraction:
    """Its cost: a part of the monthly price, hours, or once in the month in which it begins."""
    if "once" in row:
        begun = books.start <= begins(row) < books.end
        return Fraction(row["once"]) if begun else Fraction(0)
    count = int(row.get("count", "1"))
    if "monthly" in row:
        return Fraction(row["monthly"]) * count * stood(books, row)
    month = Fraction((books.end - books.start) // timedelta.resolution)
    hours = month * stood(books, row) / (HOUR // timedelta.resolution)
    return Fraction(row["hourly"]) * count * hours
