"""An invoice's amounts in the books' currency, and the part of them that is exchange.

Rates come from whoever imports, else from the row, else from the rates of the books at the date of
the invoice. What a contract in the invoice's currency was recognised at is the rate of its day;
what the invoice's rate differs by from it is exchange, realised (IAS 21.28).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tallybook.books.model import Prices
from tallybook.errors import InvoiceError
from tallybook.meter.providers import provider_of
from tallybook.money import exchanged, parse_rate
from tallybook.reconcile.model import DAY_US, ToldLine
from tallybook.reconcile.read.told import in_units, instant_of

Rates = Mapping[str, tuple[str, str]]
"""Rate and date by currency, as whoever imports states them."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is known of rates when an invoice comes in.

    Attributes:
        currency: of the books.
        stated: rates that whoever imports gives.
        prices: the books' rates, and the currencies of contracts.
        provider: whose invoice it is, in its canonical name.
        issued_on: its date as it states it; empty where it states none.
    """

    currency: str
    stated: Rates
    prices: Prices
    provider: str
    issued_on: str

    def in_books(self, told: ToldLine) -> tuple[int, int, str, str]:
        """An amount in the books' currency, the part of it that is exchange, the rate, its date.

        Raises:
            InvoiceError: there is no rate.
        """
        if told.currency == self.currency:
            return told.own_pico, 0, "", ""
        amount, fx, rate, date = self._crossed(told)
        recognised = self._recognised(told)
        return amount, fx if recognised is None else amount - recognised, rate, date

    def _crossed(self, told: ToldLine) -> tuple[int, int, str, str]:
        """Our own rate goes first; what it differs by from the provider's is exchange."""
        if told.currency in self.stated:
            rate, date = self.stated[told.currency]
            amount = exchanged(told.own_pico, parse_rate(rate))
            theirs = told.priced_pico if told.priced_currency == self.currency else None
            return amount, 0 if theirs is None else amount - theirs, rate, date
        if told.priced_pico is not None and told.priced_currency == self.currency:
            return told.priced_pico, 0, told.rate, told.rate_date
        if told.rate and not told.priced_currency:
            return exchanged(told.own_pico, parse_rate(told.rate)), 0, told.rate, told.rate_date
        known = self.prices.rate_at(told.currency, self._issued_us(told))
        if known is not None:
            return exchanged(told.own_pico, known.rate), 0, known.text, known.date
        raise InvoiceError(
            f"{in_units(told.own_pico)} is in {told.currency}, the books are in {self.currency},"
            " and there is no rate",
            where=told.place,
            next_step=f"say it: --rate {told.currency}=1.0842@2026-11-03, or add it to rates in"
            " prices.yaml",
        )

    def _issued_us(self, told: ToldLine) -> int:
        """When the invoice was issued; what says nothing of it is as of the end of its line."""
        return instant_of(self.issued_on, "the invoice's date") if self.issued_on else told.end_us

    def _recognised(self, told: ToldLine) -> int | None:
        """What the line was recognised at, where a contract of the provider is in its currency.

        Only a line of one day says at which rate; a longer one stays as it is.
        """
        is_foreign = any(
            row.currency == told.currency and provider_of(row.provider) == self.provider
            for row in self.prices.contracts
        )
        if not is_foreign or told.end_us - told.start_us > DAY_US:
            return None
        known = self.prices.rate_at(told.currency, told.start_us)
        return None if known is None else exchanged(told.own_pico, known.rate)
