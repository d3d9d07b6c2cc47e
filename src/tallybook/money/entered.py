"""Amounts that somebody enters, in a command or a policy file."""

from __future__ import annotations

from typing import Final

from tallybook.errors import MoneyError
from tallybook.money.model import NANO_PER_UNIT, NANO_SCALE, Nano
from tallybook.money.text import parse_units

AMOUNT_MAX: Final = 1_000_000_000
"""The most units of currency that one entered amount may have, so that sums of several fit."""


def parse_amount(text: str) -> Nano:
    """Read an amount of the books' currency, of either sign, as nano.

    Raises:
        MoneyError: no plain decimal, more than nine decimals, or beyond ``AMOUNT_MAX`` units.
    """
    nano = parse_units(text, NANO_SCALE)
    if abs(nano) > AMOUNT_MAX * NANO_PER_UNIT:
        raise MoneyError(
            f"{text} is too large: an amount is at most {AMOUNT_MAX:,}",
            next_step="correct the figure",
        )
    return Nano(nano)
