"""The scalars of the policy files: each says what it found, what it expected and what to do.

A reader takes the value as the file or the stored document has it and returns checked text, so
that a document keeps what was written; amounts are made of it only when the books are built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from tallybook.books.faults import nearest, one_of, shown
from tallybook.clock import Calendar, Period, parse_instant
from tallybook.errors import ClockError, MoneyError
from tallybook.money import AMOUNT_MAX, parse_percent, parse_units

TEXT_CHARACTERS_MAX: Final = 200
PRICE_DECIMALS: Final = 6
UNIT_PRICE_DECIMALS: Final = 12
# Postings are 64-bit integers at scale 9, prices at scale 12 (per unit): room for sums is kept.
PRICE_MAX: Final = 1_000_000
YEAR_FIRST: Final = 2000
YEAR_LAST: Final = 2999

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL: Final = re.compile(r"[0-9]{1,20}(?:\.([0-9]{1,30}))?")
_PERCENT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?%")


def refusal(what: str, expected: str, remedy: str) -> PydanticCustomError:
    """A fault for the schema to raise; its place is added where the file is known."""
    said = {"what": what, "expected": expected, "remedy": remedy}
    return PydanticCustomError("books", "{what}", said)


def read_text(value: object) -> str:
    """Any text of a line, not empty; a plain integer counts as its text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise refusal(
            f"{shown(value)} stands here", "text", "write the text, in quotes if in doubt"
        )
    text = str(value)
    if not text.strip() or text != text.strip():
        raise refusal(f"{shown(text)} is empty or has spaces around it", "text", "write the text")
    if not text.isprintable() or len(text) > TEXT_CHARACTERS_MAX:
        expected = f"at most {TEXT_CHARACTERS_MAX} printable characters"
        raise refusal(f"{text[:40]!r} has {len(text)} characters", expected, "shorten or clean it")
    return text


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = read_text(value)
        if not pattern.fullmatch(text):
            raise refusal(f"{shown(text)} has another form", expected, "write it in that form")
        return text

    return read


def read_money(value: object) -> str:
    """An amount of the company's currency, zero or more, at most nine decimals."""
    return _read_decimal(value, "an amount", "1204.18", decimals_max=9, most=AMOUNT_MAX)


def read_token_price(value: object) -> str:
    """A price per million tokens; six decimals are a whole number of pico per token."""
    return _read_decimal(
        value, "a price per million tokens", "2.10", decimals_max=PRICE_DECIMALS, most=PRICE_MAX
    )


def read_unit_price(value: object) -> str:
    """A price per unit, at most twelve decimals."""
    return _read_decimal(
        value, "a price per unit", "0.01", decimals_max=UNIT_PRICE_DECIMALS, most=PRICE_MAX
    )


def _read_decimal(value: object, noun: str, sample: str, *, decimals_max: int, most: int) -> str:
    wanted = f'{noun}, zero or more, in quotes, such as "{sample}"'
    text = read_text(value)
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise refusal(f"{shown(text)} is not {noun}", wanted, "write plain digits with one point")
    decimals = len(found[1] or "")
    if decimals > decimals_max:
        what = f"{shown(text)} has {decimals} decimals, as a binary float leaves them"
        expected = f"at most {decimals_max} decimals"
        raise refusal(what, expected, "copy the figure from the paper it was agreed on")
    if parse_units(text, decimals_max) > most * 10**decimals_max:
        raise refusal(f"{shown(text)} is too large", f"at most {most}", "correct the figure")
    return text


def _percent(most: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        expected = f'a percentage from "0%" to "{most}%", such as "15%"'
        remedy = "write it with a percent sign"
        text = read_text(value)
        if not _PERCENT.fullmatch(text):
            raise refusal(f"{shown(value)} is not a percentage", expected, remedy)
        try:
            fraction = parse_percent(text)
        except MoneyError as error:
            raise refusal(error.what, expected, remedy) from error
        if fraction > Fraction(most, 100):
            raise refusal(f"{shown(value)} is out of range", expected, "correct the figure")
        return text

    return read


def _year_kept(text: str) -> bool:
    return str(YEAR_FIRST) <= text[:4] <= str(YEAR_LAST)


def read_date(value: object) -> str:
    """A calendar date ``YYYY-MM-DD``."""
    text = read_text(value)
    try:
        fine = _DATE.fullmatch(text) is not None and _year_kept(text) and instant_us(text) > 0
    except ClockError:
        fine = False
    if not fine:
        expected = f"a date from {YEAR_FIRST}-01-01 to {YEAR_LAST}-12-31, such as 2026-10-01"
        raise refusal(f"{shown(text)} is not a date", expected, "write it as YYYY-MM-DD")
    return text


def read_month(value: object) -> str:
    """A month ``YYYY-MM``."""
    text = read_text(value)
    try:
        fine = _year_kept(str(Period.parse(text)))
    except ClockError:
        fine = False
    if not fine:
        expected = f"a month from {YEAR_FIRST}-01 to {YEAR_LAST}-12, such as 2026-10"
        raise refusal(f"{shown(text)} is not a month", expected, "write it as YYYY-MM")
    return text


def instant_us(text: str) -> int:
    """A date (its first instant in UTC) or an instant with its zone, in microseconds."""
    return parse_instant(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)


def read_instant(value: object) -> str:
    """A UTC date, or an instant with its zone."""
    text = read_text(value)
    if _DATE.fullmatch(text):
        return read_date(text)
    try:
        fine = _year_kept(text) and instant_us(text) > 0
    except ClockError:
        fine = False
    if not fine:
        expected = "a UTC date such as 2026-10-01, or an instant such as 2026-10-01T12:00:00Z"
        raise refusal(f"{shown(text)} is not an instant", expected, "write the zone, Z for UTC")
    return text


def read_zone(value: object) -> str:
    """The name of a time zone; ``localtime`` is refused, because each machine has its own."""
    text = read_text(value)
    expected = "a zone of the IANA list, such as UTC or Europe/Berlin"
    if text in ("localtime", "Factory") or text.startswith(("posix/", "right/")):
        raise refusal(f"{shown(text)} is no zone of its own", expected, "name the zone")
    try:
        Calendar(text, "2000-01")
    except ClockError as error:
        raise refusal(f"{shown(text)} is not a known time zone", expected, "correct it") from error
    return text


def read_count(value: object) -> int:
    """A whole number, zero or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        expected = "a whole number, zero or more"
        raise refusal(f"{shown(value)} is not a count", expected, "write digits, without quotes")
    return value


def choice(
    names: tuple[str, ...], later: Mapping[str, str] | None = None
) -> Callable[[object], str]:
    """One of a closed list; ``later`` names what the design knows and this version does not."""

    def read(value: object) -> str:
        text = read_text(value)
        if later is not None and text in later:
            what = f"{shown(text)} is not in this version: {later[text]}"
            raise refusal(what, one_of(names), "choose one of these")
        if text not in names:
            what = f"{shown(text)} is not known{nearest(text, names)}"
            raise refusal(what, one_of(names), "choose one of these")
        return text

    return read


def read_rows(value: object) -> object:
    """A list; one whose rows are all commented out is empty."""
    return [] if value is None else value


def read_chain(value: object) -> object:
    """A list in the order in which it is tried; one name alone is a list of one."""
    return [value] if isinstance(value, str) else read_rows(value)


def read_mapping(value: object) -> object:
    """A mapping; one whose keys are all commented out is empty."""
    return {} if value is None else value


Text = Annotated[str, BeforeValidator(read_text)]
Id = Annotated[
    str,
    BeforeValidator(
        _matching(_ID, "an id of at most 64 letters, digits, dots, dashes and underscores")
    ),
]
Currency = Annotated[
    str, BeforeValidator(_matching(re.compile("[A-Z]{3}"), "a currency code such as USD"))
]
Money = Annotated[str, BeforeValidator(read_money)]
TokenPrice = Annotated[str, BeforeValidator(read_token_price)]
UnitPrice = Annotated[str, BeforeValidator(read_unit_price)]
Percent = Annotated[str, BeforeValidator(_percent(100))]
WarnLevel = Annotated[str, BeforeValidator(_percent(999))]
Date = Annotated[str, BeforeValidator(read_date)]
Month = Annotated[str, BeforeValidator(read_month)]
Instant = Annotated[str, BeforeValidator(read_instant)]
Zone = Annotated[str, BeforeValidator(read_zone)]
Count = Annotated[int, BeforeValidator(read_count)]
