"""prices.yaml from form to model: prices in whole pico, and one price per moment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tallybook.books.build_terms import (
    build_capacity,
    build_commitments,
    build_credits,
    build_rates,
    check_rated,
    in_books,
)
from tallybook.books.faults import Place, Sheet, nearest, one_of, shown
from tallybook.books.globs import globs_meet, is_glob
from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.books.model import FOREVER_US, Org, PriceAlias, Prices
from tallybook.books.scalars import PRICE_DECIMALS, UNIT_PRICE_DECIMALS, instant_us
from tallybook.books.schema import AliasForm, ContractForm, PricesForm
from tallybook.books.terms import ContractRow
from tallybook.money import parse_percent, parse_units

# A contract price is a price of standard processing unless it says otherwise: batch and priority
# have prices of their own, and a negotiated figure must not fall on them by silence.
_PRICED_TIER: Final = "standard"
_ANY_TIER: Final = "all"
_ANY_REGION: Final = "any"
_UNIT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def build_prices(form: PricesForm, org: Org, sheet: Sheet) -> Prices:
    """Make the prices of their form, noting every row that is wrong or contradicts another.

    The result is only of use when no fault was noted.
    """
    rates = build_rates(form, org.company.currency, sheet)
    for number, row in enumerate(form.contracts):
        _check_contract(row, ("contracts", number), sheet)
    for number, alias in enumerate(form.aliases):
        _check_alias(alias, number, form, sheet)
    own = org.company.currency
    stated = tuple(_contract(n, row, form.currency, own) for n, row in enumerate(form.contracts, 1))
    _check_one_price(stated, sheet)
    for number, contract in enumerate(stated):
        check_rated(contract, rates, ("contracts", number), sheet)
    aliases = tuple(
        PriceAlias(row.provider, row.model, row.is_provider or row.provider, row.is_)
        for row in form.aliases
    )
    return Prices(
        tuple(row for contract in stated for row in in_books(contract, rates)),
        aliases,
        rates,
        build_commitments(form, sheet),
        build_credits(form, sheet),
        build_capacity(form, sheet),
    )


def _contract(number: int, form: ContractForm, stated: str, own: str) -> ContractRow:
    """A row as it is written: in its own currency, or the file's; a discount has none."""
    currency = "" if form.discount else form.currency or stated
    prices = _per_token(form.per_million_tokens)
    for unit, price in form.per_unit.items():
        prices[unit] = parse_units(price, UNIT_PRICE_DECIMALS)
    long = form.long_context
    tier = form.tier or ("" if form.discount else _PRICED_TIER)
    made = ContractRow(
        contract=form.contract,
        provider=form.provider,
        model="" if form.model == "*" else form.model,
        tier="" if tier == _ANY_TIER else tier,
        region="" if form.region == _ANY_REGION else form.region,
        discount=parse_percent(form.discount) if form.discount else None,
        prices=_by_name(prices),
        long_context_over=long.over if long else None,
        long_context_prices=_by_name(_per_token(long.per_million_tokens) if long else {}),
        from_us=instant_us(form.from_) if form.from_ else 0,
        to_us=instant_us(form.to) if form.to else FOREVER_US,
        line=f"contracts {number}",
    )
    if currency in ("", own):
        return made
    return replace(
        made,
        currency=currency,
        own_prices=made.prices,
        own_long_context_prices=made.long_context_prices,
    )


def _per_token(prices: Mapping[str, str]) -> dict[str, int]:
    """Pico per token: a price per million at scale 6 is the same integer."""
    return {name: parse_units(price, PRICE_DECIMALS) for name, price in prices.items()}


def _by_name(prices: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType({name: prices[name] for name in sorted(prices)})


def _check_contract(row: ContractForm, place: Place, sheet: Sheet) -> None:
    has_prices = bool(row.per_million_tokens or row.per_unit)
    if bool(row.discount) == has_prices:
        sheet.refuse(
            place,
            "a discount and prices" if has_prices else "neither a discount nor a price",
            expected="discount, or per_million_tokens and per_unit",
            remedy="split it into two rows" if has_prices else "add one of them",
        )
    if row.from_ and row.to and instant_us(row.from_) >= instant_us(row.to):
        sheet.refuse(
            (*place, "to"),
            f"from {row.from_} is not before to {row.to}",
            expected="from before to; to is the first instant without the price",
            remedy="swap or correct them",
        )
    _check_classes(row.per_million_tokens, (*place, "per_million_tokens"), sheet)
    for unit in row.per_unit:
        _check_unit(unit, (*place, "per_unit", unit), sheet)
    if row.long_context is None:
        return
    below: Place = (*place, "long_context", "per_million_tokens")
    _check_classes(row.long_context.per_million_tokens, below, sheet)
    for name in row.long_context.per_million_tokens:
        if name in TOKEN_CLASSES and name not in row.per_million_tokens:
            sheet.refuse(
                (*below, name),
                f"a long-context price of {name} without a plain one",
                expected=f"{name} in per_million_tokens of the row too",
                remedy="add it there",
            )


def _check_classes(prices: Mapping[str, str], place: Place, sheet: Sheet) -> None:
    for name in prices:
        if name in TOKEN_CLASSES_INFORMATIVE:
            sheet.refuse(
                (*place, name),
                f"{name} is part of output and has no price of its own",
                expected=one_of(TOKEN_CLASSES),
                remedy="remove it; the price of output holds",
            )
        elif name not in TOKEN_CLASSES:
            sheet.refuse(
                (*place, name),
                f"unknown token class{nearest(name, TOKEN_CLASSES)}",
                expected=one_of(TOKEN_CLASSES),
                remedy="correct it; what is not counted in tokens belongs under per_unit",
            )


def _check_unit(unit: str, place: Place, sheet: Sheet) -> None:
    if unit in (*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE):
        sheet.refuse(
            place,
            f"{unit} is a token class",
            expected="a unit such as web_search or request",
            remedy="move it to per_million_tokens, with the price of a million tokens",
        )
    elif not _UNIT_NAME.fullmatch(unit):
        sheet.refuse(
            place,
            f"{shown(unit)} is not the name of a unit",
            expected="lower-case letters, digits and underscores",
            remedy="write it as events carry it",
        )


def _check_one_price(rows: tuple[ContractRow, ...], sheet: Sheet) -> None:
    """No call may find two rows of the same precedence that price the same class."""
    by_provider: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        others = by_provider.setdefault(row.provider, [])
        for other in others:
            if _compete(row, rows[other]):
                sheet.refuse(
                    ("contracts", number),
                    f"prices the same calls as the row at {sheet.at(('contracts', other))} "
                    f"({rows[other].contract})",
                    expected="one price per moment",
                    remedy="end one row with to: where the other begins, or narrow its model",
                )
                break
        others.append(number)


def _compete(row: ContractRow, other: ContractRow) -> bool:
    return (
        row.precedence == other.precedence
        and row.span.overlaps(other.span)
        and row.tier == other.tier
        and row.region == other.region
        and (row.is_discount or not row.prices.keys().isdisjoint(other.prices))
        and globs_meet(row.model or "*", other.model or "*")
    )


def _check_alias(alias: AliasForm, number: int, form: PricesForm, sheet: Sheet) -> None:
    place: Place = ("aliases", number)
    name = (alias.provider, alias.model)
    target = (alias.is_provider or alias.provider, alias.is_)
    for key, text in (("model", alias.model), ("is", alias.is_)):
        if is_glob(text):
            sheet.refuse(
                (*place, key),
                f"{shown(text)} has a wildcard",
                expected="the name of one model",
                remedy="write one row per model",
            )
    names = [(row.provider, row.model) for row in form.aliases]
    if name in names[:number]:
        first: Place = ("aliases", names.index(name))
        sheet.refuse(
            place,
            f"alias of {shown(alias.model)} stands twice, first at {sheet.at(first)}",
            expected="one row per provider and model",
            remedy="remove one of the two",
        )
    if target in names:
        sheet.refuse(
            (*place, "is"),
            f"{shown(alias.is_)} is an alias itself",
            expected="a model that the list knows",
            remedy="name the last model of the chain",
        )
