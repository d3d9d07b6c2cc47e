"""What a use case would cost at today's prices, and what cheaper models would cost instead.

Prices are those of the price book now: the published list with the company's contracts over it. A
model is an alternative if it prices every class that the calls use and puts out the same kinds of
things, at a lower cost. Nothing is said of how well it answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tallybook.books.meters import TOKEN_CLASSES_OUTPUT
from tallybook.books.model import Prices
from tallybook.errors import PriceError
from tallybook.money import NANO_PER_UNIT, nano_covering, proportional
from tallybook.rate.book import PriceBook
from tallybook.rate.compile import compile_prices
from tallybook.rate.lists import DEFAULT_LIST, load_list
from tallybook.rate.model import PriceKey
from tallybook.rate.reference import context_of, price_call, row_lookup

HEADROOM: Final = Fraction(5, 4)
"""What is suggested beyond an estimate: volume is guessed, and a limit that always acts is none."""
ALTERNATIVES: Final = 5
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with what the use case would cost on it in a month, in pico."""

    provider: str
    model: str
    per_call_pico: int
    monthly_pico: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was asked about, and the cheaper models, the cheapest first."""

    asked: Candidate
    alternatives: tuple[Candidate, ...]

    @property
    def suggested_nano(self) -> int:
        """A limit: the estimate with headroom, up to the next whole unit of the currency."""
        share = HEADROOM
        pico = proportional(self.asked.monthly_pico, share.numerator, share.denominator)
        units = -(-nano_covering(pico) // NANO_PER_UNIT)
        return max(units, 1) * NANO_PER_UNIT


def estimate(
    prices: Prices,
    currency: str,
    key: PriceKey,
    tokens: Mapping[str, int],
    calls: int,
    at_us: int,
    *,
    every_provider: bool = False,
) -> Estimate:
    """Price the calls of a month.

    Args:
        prices: contracts and aliases of the books.
        currency: of the books.
        key: provider, model, tier and region of the calls.
        tokens: of one call, by token class.
        calls: a month.
        at_us: at whose prices.
        every_provider: alternatives of all providers, else of the asked one and of those with a
            contract.

    Raises:
        PriceError: the model, or a class of token that the calls use, has no price.
    """
    book = PriceBook(load_list(DEFAULT_LIST), prices, currency)
    asked = _priced(book, key, tokens, at_us)
    if isinstance(asked, str):
        raise PriceError(
            f"{key.provider}/{key.model} cannot be estimated: {asked}",
            where="prices",
            next_step="name a model that has a price, or add it to prices.yaml and apply",
        )
    per_call, outputs = asked
    told = Candidate(key.provider, key.model, per_call, per_call * calls)
    providers = {key.provider, *(row.provider for row in prices.contracts)}
    found = []
    for other in _models(book, None if every_provider else providers):
        if (other.provider, other.model) == (key.provider, key.model):
            continue
        price = _priced(book, other, tokens, at_us)
        if isinstance(price, tuple) and price[1] == outputs and price[0] < per_call:
            found.append(Candidate(other.provider, other.model, price[0], price[0] * calls))
    found.sort(key=lambda one: (one.per_call_pico, one.provider, one.model))
    return Estimate(told, tuple(found[:ALTERNATIVES]))


def _models(book: PriceBook, providers: set[str] | None) -> Iterator[PriceKey]:
    """Every model of the list, and every one that a contract names, of some providers."""
    seen = set()
    for provider in book.price_list.providers.values():
        for model in provider.models:
            seen.add(PriceKey(provider.id, model.id, "standard", ""))
    for row in book.prices.contracts:
        if row.model and not set(row.model) & set("*?"):
            seen.add(PriceKey(row.provider, row.model, "standard", ""))
    yield from sorted(key for key in seen if providers is None or key.provider in providers)


def _priced(
    book: PriceBook, key: PriceKey, tokens: Mapping[str, int], at_us: int
) -> tuple[int, frozenset[str]] | str:
    """What one call costs under contract, and what kinds of output the model has a price for."""
    rows, _ = compile_prices([key], [book], "contract", at_us, at_us + _DAY_US)
    found = price_call(row_lookup(rows), key, tokens, {}, at_us)
    if not isinstance(found, dict):
        return found.reason
    row = row_lookup(rows)(key, at_us, context_of(tokens))
    vector = (row.contract if row else None) or {}
    return found["contract"], frozenset(vector.keys() & set(TOKEN_CLASSES_OUTPUT))
