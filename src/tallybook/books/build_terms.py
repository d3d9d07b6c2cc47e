"""What contracts say beside unit prices, from form to model: rates, commitments, credits, capacity.

A contract in another currency becomes one row for each exchange rate that holds while it does, so
that rating sees prices in the books' currency and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from tallybook.books.faults import Place, Sheet, shown
from tallybook.books.scalars import instant_us
from tallybook.books.schema import CapacityForm, PricesForm
from tallybook.books.span import FOREVER_US
from tallybook.books.terms import Capacity, Commitment, ContractRow, Credit, ExchangeRate
from tallybook.clock import Period
from tallybook.errors import MoneyError
from tallybook.money import NANO_SCALE, exchanged, parse_rate, parse_units


def build_rates(form: PricesForm, currency: str, sheet: Sheet) -> tuple[ExchangeRate, ...]:
    """The rate table, by currency and day; one rate a day."""
    found: dict[tuple[str, str], ExchangeRate] = {}
    for number, row in enumerate(form.rates):
        place: Place = ("rates", number)
        if row.currency == currency:
            sheet.refuse(
                place,
                f"a rate of {currency}, which the books are in",
                expected="another currency",
                remedy="remove the row",
            )
        if (row.currency, row.date) in found:
            sheet.refuse(
                place,
                f"two rates of {row.currency} on {row.date}",
                expected="one rate per currency and day",
                remedy="remove one of them",
            )
        try:
            rate = parse_rate(row.rate)
        except MoneyError as fault:
            sheet.refuse(
                (*place, "rate"),
                fault.what,
                expected="a rate above zero, such as 1.0842",
                remedy=f"state how many {currency} one {row.currency} is",
            )
            continue
        from_us = instant_us(row.date)
        found[row.currency, row.date] = ExchangeRate(
            row.currency, from_us, row.date, rate, row.rate
        )
    return tuple(found[key] for key in sorted(found))


def in_books(row: ContractRow, rates: Sequence[ExchangeRate]) -> Iterator[ContractRow]:
    """A contract row in the books' currency: itself, or one row for each rate while it holds.

    Each price is rounded once, to a pico of the books' currency, when it is converted.
    """
    if not row.currency:
        yield row
        return
    mine = [rate for rate in rates if rate.currency == row.currency]
    ends = [*(rate.from_us for rate in mine[1:]), FOREVER_US][: len(mine)]
    for rate, until_us in zip(mine, ends, strict=True):
        from_us, to_us = max(row.from_us, rate.from_us), min(row.to_us, until_us)
        if from_us < to_us:
            yield replace(
                row,
                prices=_exchanged(row.own_prices, rate),
                long_context_prices=_exchanged(row.own_long_context_prices, rate),
                from_us=from_us,
                to_us=to_us,
            )


def _exchanged(prices: Mapping[str, int], rate: ExchangeRate) -> Mapping[str, int]:
    return MappingProxyType({name: exchanged(pico, rate.rate) for name, pico in prices.items()})


def check_rated(
    row: ContractRow, rates: Sequence[ExchangeRate], place: Place, sheet: Sheet
) -> None:
    """A row in another currency has a rate from its first instant on."""
    first = min((rate.from_us for rate in rates if rate.currency == row.currency), default=None)
    if row.currency and (first is None or row.from_us < first):
        since = f"from {_day(rates, row.currency)} on" if first is not None else "none"
        sheet.refuse(
            (*place, "currency"),
            f"priced in {row.currency}, with rates {since}",
            expected=f"a rate of {row.currency} on or before the first day of the row",
            remedy=f"add it under rates, or give the row a from: that a rate of {row.currency}"
            " precedes",
        )


def _day(rates: Sequence[ExchangeRate], currency: str) -> str:
    return min(rate.date for rate in rates if rate.currency == currency)


def build_commitments(form: PricesForm, sheet: Sheet) -> tuple[Commitment, ...]:
    """Commitments over terms of whole months."""
    _check_distinct(form.commitments, "commitments", sheet)
    for number, row in enumerate(form.commitments):
        if row.from_ >= row.to:
            _refuse_span(("commitments", number, "to"), row.from_, row.to, sheet)
    return tuple(
        Commitment(
            row.id,
            row.provider,
            parse_units(row.amount, NANO_SCALE),
            Period.parse(row.from_),
            Period.parse(row.to),
        )
        for row in form.commitments
    )


def build_credits(form: PricesForm, sheet: Sheet) -> tuple[Credit, ...]:
    """Prepaid credits, in the order in which they are used: what expires first, first."""
    _check_distinct(form.credits, "credits", sheet)
    found = []
    for number, row in enumerate(form.credits):
        amount = parse_units(row.amount, NANO_SCALE)
        if row.bought >= row.expires:
            _refuse_span(("credits", number, "expires"), row.bought, row.expires, sheet)
        if not amount:
            sheet.refuse(
                ("credits", number, "amount"),
                "a credit of nothing",
                expected="an amount above zero",
                remedy="remove the row",
            )
        found.append(
            Credit(
                id=row.id,
                provider=row.provider,
                amount_nano=amount,
                cost_nano=parse_units(row.cost or row.amount, NANO_SCALE),
                bought_us=instant_us(row.bought),
                expires_us=instant_us(row.expires),
                bought_on=row.bought,
                expires_on=row.expires,
            )
        )
    return tuple(sorted(found, key=lambda credit: (credit.expires_us, credit.bought_us, credit.id)))


def build_capacity(form: PricesForm, sheet: Sheet) -> tuple[Capacity, ...]:
    """Capacity with one price each; no call runs on two at a time."""
    _check_distinct(form.capacity, "capacity", sheet)
    for number, row in enumerate(form.capacity):
        _check_capacity(row, ("capacity", number), sheet)
    return tuple(_capacity(row) for row in form.capacity)


def _capacity(row: CapacityForm) -> Capacity:
    def nano(text: str) -> int:
        return parse_units(text, NANO_SCALE) if text else 0

    return Capacity(
        id=row.id,
        kind=row.kind,
        pool=row.pool,
        provider=row.provider,
        model=row.model,
        tier=row.tier,
        region=row.region,
        product=row.product,
        monthly_nano=nano(row.monthly),
        hourly_nano=nano(row.hourly),
        count=row.count,
        once_nano=nano(row.once),
        full=row.full,
        from_us=instant_us(row.from_),
        to_us=instant_us(row.to) if row.to else FOREVER_US,
    )


def _check_capacity(row: CapacityForm, place: Place, sheet: Sheet) -> None:
    named = [name for name in ("monthly", "hourly", "once") if getattr(row, name)]
    if len(named) != 1:
        sheet.refuse(
            place,
            f"{' and '.join(named) if named else 'no price'} on capacity {shown(row.id)}",
            expected="exactly one of monthly, hourly, once",
            remedy="keep the one that the contract states",
        )
    if row.to and instant_us(row.from_) >= instant_us(row.to):
        _refuse_span((*place, "to"), row.from_, row.to, sheet)
    if (row.model or row.tier or row.region) and not row.provider:
        sheet.refuse(
            place,
            f"calls run on {shown(row.id)} and it names no provider",
            expected="the provider that those calls carry",
            remedy="add provider:",
        )
    if row.full and not (row.model or row.tier or row.region):
        sheet.refuse(
            (*place, "full"),
            f"no call runs on {shown(row.id)}, so nothing can fill it",
            expected="full beside model, tier or region",
            remedy="remove full, or say which calls run on it",
        )


def _check_distinct(rows: Sequence[Any], key: str, sheet: Sheet) -> None:
    order = sorted(range(len(rows)), key=lambda number: (rows[number].id, number))
    for one, other in pairwise(order):
        if rows[one].id == rows[other].id:
            sheet.refuse(
                (key, other),
                f"{shown(rows[other].id)} stands twice, first at {sheet.at((key, one))}",
                expected="one row per id",
                remedy="rename or remove one of the two",
            )


def _refuse_span(place: Place, first: str, last: str, sheet: Sheet) -> None:
    sheet.refuse(
        place,
        f"{last} is not after {first}",
        expected="the first day or month without it, after the one with which it begins",
        remedy="swap or correct them",
    )
