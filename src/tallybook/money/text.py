"""Decimal text to integers and back, exactly.

Files, JSON and screens carry money as text; inside it is an integer. A figure with more decimals
than the scale holds is refused, never shortened: a lost digit is a lost amount.
"""

from __future__ import annotations

import re
from fractions import Fraction

from tallybook.errors import MoneyError

FIGURE = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
TEXT_CHARACTERS_MAX = 64
GROUP_DIGITS = 3
CENTS_SCALE = 2


def decimal_figures(text: str) -> tuple[str, str, str]:
    """Take a plain decimal text apart into sign (``""`` or ``"-"``), whole digits and decimals.

    Raises:
        MoneyError: not text, or text in another form (exponent, group marks, spaces, plus sign).
    """
    _require_text(text)
    found = FIGURE.fullmatch(text) if len(text) <= TEXT_CHARACTERS_MAX else None
    if found is None:
        raise MoneyError(
            f"{text[:TEXT_CHARACTERS_MAX]!r} is not a plain decimal number",
            next_step='write digits with at most one point, such as "1204.18" or "-0.5"',
        )
    sign, whole, decimals = found.groups(default="")
    return sign, whole, decimals


def parse_units(text: str, scale: int) -> int:
    """Read decimal text as whole units of 10^-scale.

    Args:
        text: plain decimal text: ``"150.00"``, ``"-0.5"``, ``"7"``.
        scale: decimals that the result holds.

    Returns:
        The integer: ``parse_units("1.5", 2) == 150``.

    Raises:
        MoneyError: the text is no plain decimal, is a float, or has more decimals than the scale.
    """
    sign, whole, decimals = decimal_figures(text)
    if len(decimals) > scale:
        raise MoneyError(
            f"{text!r} has {len(decimals)} decimals, but only {scale} can be kept",
            next_step=f"give at most {scale} decimals",
        )
    units = int(whole + decimals.ljust(scale, "0"))
    return -units if sign else units


def format_units(units: int, scale: int) -> str:
    """Write an integer at a scale as plain decimal text with exactly ``scale`` decimals.

    ``format_units(-1250, 2) == "-12.50"``; the inverse of :func:`parse_units`.
    """
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(scale + 1, "0")
    cut = len(digits) - scale
    return f"{sign}{digits[:cut]}.{digits[cut:]}" if scale else sign + digits


def format_cents(cents: int, grouped: bool = False) -> str:  # noqa: FBT001, FBT002 (a look, not a mode)
    """Write cents with two decimals, if ``grouped`` with commas: ``"1,204.18"``."""
    if not grouped:
        return format_units(cents, CENTS_SCALE)
    sign = "-" if cents < 0 else ""
    whole, _, decimals = format_units(abs(cents), CENTS_SCALE).partition(".")
    return f"{sign}{int(whole):,}.{decimals}"


def parse_percent(text: str) -> Fraction:
    """Read ``"15%"`` or ``"12.5%"`` as an exact fraction of one.

    Raises:
        MoneyError: no text, no percent sign, or no plain decimal before it.
    """
    if not _require_text(text).endswith("%"):
        raise MoneyError(
            f"{text!r} is not a percentage",
            next_step='write it as text with a percent sign, such as "15%"',
        )
    sign, whole, decimals = decimal_figures(text.removesuffix("%"))
    parts = Fraction(int(whole + decimals), 100 * 10 ** len(decimals))
    return -parts if sign else parts


def parse_rate(text: str) -> Fraction:
    """Read an exchange rate, ``"1.0842"``, as an exact fraction.

    Raises:
        MoneyError: the text is no plain decimal, or not above zero.
    """
    sign, whole, decimals = decimal_figures(text)
    rate = Fraction(int(whole + decimals), 10 ** len(decimals))
    if sign or not rate:
        raise MoneyError(
            f"the rate {text!r} is not above zero",
            next_step="state how many units of the books' currency one unit is",
        )
    return rate


def _require_text(text: object) -> str:
    if not isinstance(text, str):
        raise MoneyError(
            f"money must come as decimal text, got {type(text).__name__} {text!r}",
            next_step="write it in quotes, so that no reader makes a float of it",
        )
    return text
