"""Money as integers: the scales, their types and the amount that carries its scale and currency."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NewType

from tallybook.errors import MoneyError
from tallybook.money.text import decimal_figures, format_units, parse_units

Pico = NewType("Pico", int)
"""10^-12 currency units: rating. A price per million tokens with six decimals is whole here."""

Nano = NewType("Nano", int)
"""10^-9 currency units: postings. A signed 64-bit integer holds nine billion units."""

Cents = NewType("Cents", int)
"""10^-2 currency units: statements, journals and provider invoices."""

PICO_PER_UNIT = 10**12
NANO_PER_UNIT = 10**9
PICO_SCALE, NANO_SCALE = 12, 9
"""decimals of each in text"""
CENTS_PER_UNIT = 10**2
PICO_PER_NANO = PICO_PER_UNIT // NANO_PER_UNIT
NANO_PER_CENT = NANO_PER_UNIT // CENTS_PER_UNIT

SCALE_MAX = 18
CURRENCY_LETTERS = 3


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class Amount:
    """An exact amount that knows its scale and currency.

    Equality compares all three fields; ``+``, ``-`` and order refuse to mix them, because the sum
    of a nano-dollar and a cent is a number that means nothing.

    Args:
        units: whole units of 10^-scale of the currency.
        scale: number of decimals, 0 to 18.
        currency: ISO 4217 code, three capital letters.

    Raises:
        MoneyError: a field of another type or out of range, or two amounts that do not mix.
    """

    units: int
    scale: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.units) is not int or type(self.scale) is not int:
            raise MoneyError(
                f"units {self.units!r} and scale {self.scale!r} of an amount must be integers",
                next_step="parse the decimal text with parse_units",
            )
        if not 0 <= self.scale <= SCALE_MAX:
            raise MoneyError(f"scale {self.scale} is outside 0 to {SCALE_MAX}")
        code = self.currency
        letters = code.isascii() and code.isalpha() and code.isupper()
        if not letters or len(code) != CURRENCY_LETTERS:
            raise MoneyError(
                f"currency {code!r} is not a code of three capital letters",
                next_step="use the ISO 4217 code, such as USD",
            )

    @classmethod
    def parse(cls, text: str) -> Amount:
        """Read ``"12.50 USD"``; the number of decimals is the scale.

        Raises:
            MoneyError: the text is not one decimal figure, one space and one currency code.
        """
        figure, _, currency = text.partition(" ")
        scale = len(decimal_figures(figure)[2])
        return cls(parse_units(figure, scale), scale, currency)

    def __str__(self) -> str:
        return f"{format_units(self.units, self.scale)} {self.currency}"

    def __add__(self, other: Amount) -> Amount:
        self._require_same(other)
        return Amount(self.units + other.units, self.scale, self.currency)

    def __sub__(self, other: Amount) -> Amount:
        self._require_same(other)
        return Amount(self.units - other.units, self.scale, self.currency)

    def __neg__(self) -> Amount:
        return Amount(-self.units, self.scale, self.currency)

    def __lt__(self, other: Amount) -> bool:
        self._require_same(other)
        return self.units < other.units

    def _require_same(self, other: object) -> None:
        if not isinstance(other, Amount):
            raise MoneyError(f"{self} cannot be combined with {other!r}, which is no amount")
        if (self.scale, self.currency) != (other.scale, other.currency):
            raise MoneyError(
                f"{self} (scale {self.scale}) cannot be combined with "
                f"{other} (scale {other.scale})",
                next_step="bring both to one scale and currency by a named crossing first",
            )
