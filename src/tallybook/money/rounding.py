"""The crossings between scales: each one named, each one half-even, none anywhere else."""

from __future__ import annotations

from fractions import Fraction

from tallybook.errors import MoneyError
from tallybook.money.model import NANO_PER_CENT, PICO_PER_NANO, Cents, Nano, Pico
from tallybook.money.text import decimal_figures


def half_even(numerator: int, denominator: int) -> int:
    """Round a quotient of integers to the nearest integer, halves to the even one.

    Half-even, because halves are frequent in money and always rounding them up would add up to a
    bias; it is also symmetric, so the rounding of a negated amount is the negated rounding.

    Raises:
        MoneyError: an argument is not an integer, or the denominator is not positive.
    """
    if type(numerator) is not int or type(denominator) is not int:
        raise MoneyError(f"only integers are rounded, got {numerator!r} over {denominator!r}")
    if denominator <= 0:
        raise MoneyError(f"the denominator {denominator} of a rounding must be positive")
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and whole % 2 == 1):
        return whole + 1
    return whole


def nano_of_pico(pico: int) -> Nano:
    """Cross one rated amount (10^-12) to posting scale (10^-9), half-even."""
    return Nano(half_even(pico, PICO_PER_NANO))


def nano_covering(pico: int) -> Nano:
    """The fewest nano that cover an amount of pico: what is held back for it is never too little.

    Only what is held or counted against a limit crosses here; what is posted is rounded half-even.
    """
    return Nano(-(-pico // PICO_PER_NANO))


def cents_of_nano(nano: int) -> Cents:
    """Cross one balance (10^-9) to statement scale (10^-2), half-even."""
    return Cents(half_even(nano, NANO_PER_CENT))


def discounted_price(pico: int, discount: Fraction) -> int:
    """Take a discount off a unit price; the one rounding of a price, made at its publication.

    Args:
        pico: list price of one unit, in 10^-12 currency units.
        discount: share taken off, 0 to 1.

    Returns:
        The price to publish, in 10^-12 currency units, half-even.

    Raises:
        MoneyError: the discount is not a fraction between 0 and 1.
    """
    if type(discount) is not Fraction or not 0 <= discount <= 1:
        raise MoneyError(
            f"discount {discount!r} is not a fraction between 0 and 1",
            next_step='write it as a percentage from "0%" to "100%"',
        )
    kept = 1 - discount
    return half_even(pico * kept.numerator, kept.denominator)


def pico_of_figure(text: str, scale: int = 12) -> tuple[Pico, int]:
    """Read a provider's figure at pico, half-even past the last decimal that pico holds.

    What we state ourselves has no more decimals than its scale (`parse_units`). A provider's figure
    may have seventeen, the noise of a float; whoever calls keeps the text that was written.

    Args:
        text: plain decimal text, in units, or in cents with ``scale`` 10.
        scale: how many decimals of the text one pico holds.

    Returns:
        the figure in pico, and how many decimals it was written with, zeros at the end left out.
    """
    sign, whole, decimals = decimal_figures(text)
    kept = decimals.rstrip("0")
    beyond = max(0, len(kept) - scale)
    pico = half_even(int(whole + kept.ljust(scale, "0")), 10**beyond)
    return Pico(-pico if sign else pico), len(kept)


def exchanged(pico: int, rate: Fraction) -> Pico:
    """Cross an amount into another currency at an exact rate, half-even.

    Args:
        pico: 10^-12 units of one currency.
        rate: units of the other currency for one unit of the first.
    """
    return Pico(half_even(pico * rate.numerator, rate.denominator))


def proportional(pico: int, part: int, whole: int) -> Pico:
    """The part of an amount that belongs to a part of its quantity, half-even.

    Raises:
        MoneyError: the whole is not positive.
    """
    return Pico(half_even(pico * part, whole))
