"""What every reader of invoices does: collect lines and faults, read amounts, quantities, days."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallybook.clock import parse_instant
from tallybook.errors import ClockError, InvoiceError, MoneyError
from tallybook.meter.explain import shown
from tallybook.money import format_units, pico_of_figure
from tallybook.money.text import decimal_figures
from tallybook.reconcile.model import DAY_US, ToldLine
from tallybook.reconcile.read.rows import Row, figure, not_an_instant

FAULTS_SHOWN: Final = 5
PICO_PLACES: Final = 12
CENTS: Final = 10
"""The decimals of a figure in cents that one pico holds."""
QUANTITY_MAX: Final = 2**63 - 1

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_SECONDS = re.compile(r"\d{9,10}")
_FACTOR = re.compile(r"([\d,.]*)\s*(k|m|thousands?|millions?)?(?=$|[\s/(]|tokens)", re.IGNORECASE)
_TIMES: Final = {"": 1, "k": 1000, "t": 1000, "m": 1_000_000}


@dataclass(frozen=True, slots=True)
class Ask:
    """What whoever imports says beside the files.

    ``window`` is the span of ``--period``, for rows that have no date.
    """

    provider: str
    window: tuple[int, int] | None = None


Reader = Callable[[Row, Ask], Iterable[ToldLine] | None]
"""The lines of a row; None for a row of another service.

Raises:
    InvoiceError: the row cannot be read.
"""


@dataclass(frozen=True, slots=True)
class Read:
    """The lines of some rows, and what was left out."""

    lines: tuple[ToldLine, ...]
    left_out: int
    left_out_pico: Mapping[str, int]


def read_rows(
    rows: Iterable[Row], ask: Ask, reader: Reader, cost: Callable[[Mapping[str, Any]], str]
) -> Read:
    """Read every row, or none.

    Args:
        rows: places and fields.
        ask: what was said beside them.
        reader: of one row.
        cost: the amount of a row that is left out, as ``12.50 USD``.

    Raises:
        InvoiceError: naming how many rows cannot be read, and the first.
    """
    lines: list[ToldLine] = []
    faults: list[str] = []
    out: dict[str, int] = defaultdict(int)
    count = 0
    for row in rows:
        try:
            read = reader(row, ask)
            if read is None:
                count += 1
                amount, _, currency = cost(row[1]).partition(" ")
                out[currency] += pico_of_figure(figure(amount or "0", "the amount"))[0]
            else:
                lines.extend(read)
        except (InvoiceError, ClockError, MoneyError) as fault:
            faults.append(f"{row[0]}: {fault.what}")
    refuse_faults(faults)
    return Read(tuple(lines), count, dict(out))


def refuse_faults(faults: list[str]) -> None:
    """Refuse a file that has faults.

    Raises:
        InvoiceError: naming how many lines cannot be read, and the first.
    """
    if faults:
        more = len(faults) - FAULTS_SHOWN
        listed = "\n  ".join(faults[:FAULTS_SHOWN]) + (f"\n  and {more} more" if more > 0 else "")
        raise InvoiceError(
            f"{len(faults)} line{'s' * (len(faults) != 1)} cannot be read, nothing was taken in:"
            f"\n  {listed}",
            next_step="correct the file or the mapping and import it again",
        )


def amount_of(told: object, what: str, scale: int = PICO_PLACES) -> tuple[int, int]:
    """An amount in pico, and the decimals that it was written with, of units.

    Raises:
        InvoiceError: it is no figure.
    """
    pico, written = pico_of_figure(figure(told, what), scale)
    return pico, written + PICO_PLACES - scale


def quantity_of(told: object, factor: int, what: str) -> int | None:
    """Whole units of a stated quantity times its factor; None if absent or not whole.

    Raises:
        InvoiceError: it is no figure.
    """
    if told is None or told == "":
        return None
    sign, whole, decimals = decimal_figures(figure(told, what))
    scale: int = 10 ** len(decimals)
    units, rest = divmod(int(whole + decimals) * factor, scale)
    if rest or units > QUANTITY_MAX:
        return None
    return -units if sign else units


def unit_factor(unit: str, default: int = 1) -> int:
    """How many units one of the stated ones is: ``1K tokens`` is 1000, ``1M`` a million.

    Raises:
        InvoiceError: the number in it is not whole.
    """
    text = unit.strip()
    found = _FACTOR.match(text)
    if not text or not found or not found[0].strip():
        return default
    count = (found[1] or "1").replace(",", "")
    if not count.isdecimal():
        raise InvoiceError(f"the unit {shown(unit)} is of no whole number")
    return int(count) * _TIMES[(found[2] or "")[:1].lower()]


def instant_of(told: object, what: str) -> int:
    """A date or instant of a provider, in microseconds; what has no zone is UTC.

    Raises:
        InvoiceError: it is none.
    """
    text = str(told).strip()
    if _SECONDS.fullmatch(text):
        return int(text) * 1_000_000
    if slashed := _SLASHED.fullmatch(text):
        text = f"{slashed[3]}-{slashed[1]:0>2}-{slashed[2]:0>2}"
    if _DATE.fullmatch(text):
        text = f"{text}T00:00:00Z"
    text = text.removesuffix(" UTC")
    try:
        return parse_instant(text)
    except ClockError:
        try:
            return parse_instant(f"{text}Z")
        except ClockError as error:
            raise not_an_instant(told, what) from error


def day_of(told: object, what: str) -> tuple[int, int]:
    """The UTC day of a date."""
    start = instant_of(told, what)
    start -= start % DAY_US
    return start, start + DAY_US


def span_of(start: object, end: object, what: str) -> tuple[int, int]:
    """A span from two instants.

    Raises:
        InvoiceError: the end is not after the start.
    """
    first, last = instant_of(start, f"start of {what}"), instant_of(end, f"end of {what}")
    if first >= last:
        raise InvoiceError(f"{what} runs from {shown(start)} to {shown(end)}, which is no span")
    return first, last


def asked_window(ask: Ask) -> tuple[int, int]:
    """The span that rows without a date are about.

    Raises:
        InvoiceError: none was given.
    """
    if ask.window is None:
        raise InvoiceError(
            "the row has no date", next_step="say which month it is: --period 2026-10"
        )
    return ask.window


def currency_of(told: str) -> str:
    """An ISO code in capitals.

    Raises:
        InvoiceError: it is none.
    """
    code = told.strip().upper()
    if not (len(code) == len("USD") and code.isascii() and code.isalpha()):
        raise InvoiceError(f"the currency is {shown(told)}; it is a code of three letters")
    return code


def in_units(pico: int) -> str:
    """An amount with every digit it has, and two decimals at least."""
    whole, _, places = format_units(pico, PICO_PLACES).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
