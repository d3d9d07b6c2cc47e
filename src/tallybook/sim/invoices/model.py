"""What providers sell, what their invoices say, and what was put into them, as data.

Amounts are pico of US dollars, prices pico per token; a day is a number from 0 in its month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

PICO_PER_MILLION: Final = 10**6
"""A price of one dollar per million tokens, in pico per token."""
Cause = tuple[str, str]
"""kind and cause of a variance"""


@dataclass(frozen=True, slots=True)
class Sold:
    """One provider of the simulation, with one model.

    Args:
        name: the provider; ``model`` as calls name it.
        form: of its report.
        products: how the report names each token class.
        counted: whether its lines state quantities.
        keyed: whether they name keys.
        own: kinds of lines beside usage that the form can say.
        prices: per million at the start of the year, as text, by token class.
        currency: of the prices.
    """

    name: str
    model: str
    form: str
    products: Mapping[str, str]
    counted: bool
    keyed: bool
    own: tuple[str, ...]
    prices: Mapping[str, str]
    currency: str = "USD"


@dataclass(slots=True)
class BilledLine:
    """One line as the provider bills it.

    ``places`` decimals of a dollar are written. ``covered``: a commitment bears it. ``product`` is
    the name of what is no token, such as capacity.
    """

    kind: str
    day: int
    token_class: str = ""
    key: str = ""
    quantity: int = 0
    amount_pico: int = 0
    places: int = 12
    covered: bool = False
    product: str = ""


@dataclass(slots=True)
class MonthBill:
    """A provider's month: what was metered, what is billed, and what lies between.

    Args:
        period: the month; ``days`` it has.
        metered: tokens by (day, class), as events will say it.
        lines: what the invoice will say.
        cut_off: days whose call was cut off: its event tells less output than was billed.
        truth: the amount of each variance that the books must find.
        currency: that it is billed in; ``rates`` are dollars for one of another, by day.
    """

    sold: Sold
    period: str
    days: int
    prices: Mapping[tuple[int, str], int]
    metered: dict[tuple[int, str], int]
    lines: list[BilledLine]
    cut_off: set[int] = field(default_factory=set)
    truth: dict[Cause, int] = field(default_factory=dict)
    currency: str = "USD"
    rates: Mapping[int, Fraction] = field(default_factory=dict)

    def dollars(self, own_pico: int, day: int) -> int:
        """What an amount of the bill's currency comes to, in pico of dollars."""
        return _whole(own_pico * self.rates.get(day, Fraction(1)))

    def own_pico(self, line: BilledLine) -> int:
        """A line's amount as it is billed."""
        return _whole(line.amount_pico / self.rates.get(line.day, Fraction(1)))

    def put(self, kind: str, cause: str, amount_pico: int) -> None:
        """Note what was put in."""
        found = self.truth.get((kind, cause), 0) + amount_pico
        self.truth[kind, cause] = found
        if not found:
            del self.truth[kind, cause]

    def line(self, day: int, token_class: str) -> BilledLine:
        """The line of usage of a day and class."""
        return next(
            line
            for line in self.lines
            if line.kind == "usage"
            and (line.day, line.token_class, line.key) == (day, token_class, KEY)
        )

    @property
    def total_pico(self) -> int:
        """What the invoice comes to."""
        return sum(line.amount_pico for line in self.lines)


def _whole(pico: Fraction) -> int:
    assert pico.denominator == 1, "amounts and rates of the year divide"
    return int(pico)


KEY: Final = "key-prod"
"""The key of all metered calls."""
SHADOW_KEY: Final = "key-shadow"
"""A key that nobody meters."""
