"""Figures as people read them. One spelling for the text, the page and the comparison."""

from __future__ import annotations

import re

from tallybook.clock import Period
from tallybook.money import format_cents, format_units, half_even

ISO_DAY = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})")
THOUSAND, MILLION = 10**3, 10**6
PLAIN_TOKENS_MAX = 10_000
SHORT_HASH = 8
PICO_SCALE = 12


def money(cents: int) -> str:
    """``-123456`` as ``"-1,234.56"``."""
    return format_cents(cents, grouped=True)


def signed_money(cents: int) -> str:
    """A movement: always with its sign, ``"+312.60"``."""
    return f"+{money(cents)}" if cents > 0 else money(cents)


def exact(pico: int) -> str:
    """Every digit of an amount, two decimals at least: ``"-1,234.5678"``."""
    whole, _, decimals = format_units(abs(pico), PICO_SCALE).partition(".")
    sign = "-" if pico < 0 else ""
    return f"{sign}{int(whole):,}.{decimals.rstrip('0').ljust(2, '0')}"


def count(number: int) -> str:
    """Whole numbers with thousands marks; nothing used shows as nothing."""
    return f"{number:,}" if number else ""


def tokens(number: int) -> str:
    """Tokens at reading length: ``9,120``, ``18.8 k``, ``91.2 M``; the JSON has them all."""
    if number < PLAIN_TOKENS_MAX:
        return count(number)
    thousands = half_even(number * 10, THOUSAND)
    if thousands < THOUSAND * 10:
        return f"{_tenths(thousands)} k"
    return f"{_tenths(half_even(number * 10, MILLION))} M"


def percent(part: int, whole: int) -> str:
    """``"16.2 %"``, or an empty text where there is no whole to take it of."""
    if not whole:
        return ""
    sign = -1 if whole < 0 else 1
    return f"{_tenths(half_even(sign * part * 1000, abs(whole)))} %"


def whole_percent(part: int, whole: int) -> str:
    """``"74 %"``, or an empty text where there is no whole to take it of."""
    return f"{half_even(part * 100, whole)} %" if whole > 0 else ""


def day(text: str) -> str:
    """``"2026-11-12"`` as ``"12 November 2026"``; any other text stays what it is."""
    found = ISO_DAY.fullmatch(text)
    if found is None:
        return text
    year, month, number = found.groups()
    return f"{int(number)} {Period(int(year), int(month)).label()}"


def month_before(period: str) -> str:
    """``"2026-10"`` gives ``"September 2026"``."""
    return Period.parse(period).previous().label()


def short_hash(text: str) -> str:
    """The first characters of a digest, enough to compare two papers by eye."""
    return text if len(text) <= SHORT_HASH + 2 else f"{text[:SHORT_HASH]}.."


def _tenths(number: int) -> str:
    sign = "-" if number < 0 else ""
    whole, tenth = divmod(abs(number), 10)
    return f"{sign}{whole:,}.{tenth}"
