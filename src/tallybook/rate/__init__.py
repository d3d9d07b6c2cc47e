"""The price book: what a token costs, for whom, at which instant, under which publication."""

from tallybook.rate.book import Layers, PriceBook
from tallybook.rate.card import Basis, card_prices
from tallybook.rate.compile import compile_prices
from tallybook.rate.lists import DEFAULT_LIST, PriceList, load_list
from tallybook.rate.model import PriceKey, PriceRow, Unpriced, Vector
from tallybook.rate.reference import RowLookup, price_call, row_lookup

__all__ = [
    "DEFAULT_LIST",
    "Basis",
    "Layers",
    "PriceBook",
    "PriceKey",
    "PriceList",
    "PriceRow",
    "RowLookup",
    "Unpriced",
    "Vector",
    "card_prices",
    "compile_prices",
    "load_list",
    "price_call",
    "row_lookup",
]
