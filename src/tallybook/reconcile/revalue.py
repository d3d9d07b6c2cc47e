"""Accrued balances in foreign currency at the closing rate of each month end.

What a contract in another currency accrues is a monetary liability. It is recognised at the rate
that held when the usage happened (IAS 21.21), and translated at the closing rate at each month end;
the difference is unrealised and goes to profit or loss of the month in which it arises (IAS
21.23(a) and 21.28; ASC 830-20-35-1 and 35-2). We post it cumulatively: the balance is what the rate
says now less what was recognised, and each month takes only what it adds, so nothing has to be
reversed on the first of the next. When the invoice comes the balance is released, and the invoice's
own difference is the realised one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallybook.allocate.cost_layer import account_part
from tallybook.books.model import Prices
from tallybook.books.terms import ContractRow, ExchangeRate
from tallybook.clock import Period
from tallybook.ledger.balance import booked
from tallybook.ledger.model import PostingKey
from tallybook.money import exchanged, format_units, nano_of_pico
from tallybook.post.basis import Basis
from tallybook.post.breakdown import standing_basis
from tallybook.post.compute import attributed
from tallybook.rate.book import PriceBook
from tallybook.rate.compile import compile_foreign
from tallybook.rate.lists import load_list
from tallybook.rate.model import PriceKey, PriceRow
from tallybook.rate.rating import REQUEST
from tallybook.reconcile.history import History, beside_key, history
from tallybook.store import Store, Tx

FAMILY = "revalue"
ACCOUNT = "Variance:fx"
_PICO_SCALE = 12


@dataclass(frozen=True, slots=True)
class Foreign:
    """What usage of one month accrued in a foreign currency: there, and as it was recognised.

    ``own_pico`` is in ``currency``, ``recognised_pico`` in the books' currency.
    """

    provider: str
    service_period: str
    currency: str
    own_pico: int
    recognised_pico: int


@dataclass(frozen=True, slots=True)
class Revaluation:
    """A month's accrued balance of a provider at the closing rate.

    ``difference_nano`` is what it stands above what was recognised; ``wanted`` and ``held`` are its
    postings as they must be and as they are.
    """

    provider: str
    service_period: str
    difference_nano: int
    text: str
    wanted: Sequence[tuple[PostingKey, int]]
    held: Mapping[PostingKey, int]


def foreign_accrued(store: Store, basis: Basis) -> list[Foreign]:
    """What is accrued in foreign currency, of a month and of those before that await an invoice.

    Raises:
        CorruptedError: a sealed file is not what was written.
    """
    if not basis.books.prices.rates:
        return []
    period = str(basis.period)
    with store.read() as tx:
        found = history(tx, period)
    earlier = sorted(
        {
            row.service_period
            for row in found.rows
            if row.family == "meter"
            and row.service_period < period
            and row.service_period not in found.reconciled(row.provider, period)
        }
    )
    made = [_of_month(store, standing_basis(store, Period.parse(name))) for name in earlier]
    made.append(_of_month(store, basis))
    return [one for month in made for one in month]


def _of_month(store: Store, basis: Basis) -> list[Foreign]:
    prices = basis.prices[basis.published[-1].prices_version]
    held = [
        row for row in prices.contracts if row.from_us < basis.end_us and row.to_us > basis.start_us
    ]
    found = []
    for currency in sorted({row.currency for row in held if row.currency}):
        rows = _price_rows(basis, prices, currency)
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for line in attributed(store, basis, rows).lines:
            sums[line.provider][0] += line.contract_pico
            sums[line.provider][1] += line.card_pico
        found += [
            Foreign(provider, str(basis.period), currency, own, recognised)
            for provider, (own, recognised) in sorted(sums.items())
            if own
        ]
    return found


def _price_rows(basis: Basis, prices: Prices, currency: str) -> list[PriceRow]:
    """Rows that price what contracts in one currency price, and nothing else.

    Their contract layer is in that currency, their card the same in the books' currency.
    """
    price_list = load_list(basis.published[-1].list_version)
    books = basis.books.org.company.currency
    own, recognised = (
        PriceBook(
            price_list,
            replace(prices, contracts=tuple(_only(r, currency, own=own) for r in prices.contracts)),
            books,
            bare=True,
        )
        for own in (True, False)
    )
    keys = sorted({PriceKey(*key) for file in basis.snapshot.files for key in file.price_keys})
    meters = sorted({REQUEST, *(meter for file in basis.snapshot.files for meter in file.meters)})
    nothing = dict.fromkeys(meters, 0)
    rows = compile_foreign(keys, own, recognised, basis.start_us, basis.end_us)
    return [
        replace(
            row,
            list=nothing,
            contract={**nothing, **(row.contract or {})},
            card={**nothing, **(row.card or {})},
        )
        for row in rows
    ]


def _only(row: ContractRow, currency: str, *, own: bool) -> ContractRow:
    """A contract row that still wins what it wins, and prices only what is in a currency."""
    if row.currency != currency:
        return replace(row, prices={}, long_context_prices={})
    if not own:
        return row
    return replace(row, prices=row.own_prices, long_context_prices=row.own_long_context_prices)


def revaluations(
    tx: Tx, found: History, basis: Basis, foreign: Sequence[Foreign]
) -> tuple[Revaluation, ...]:
    """Each open balance in foreign currency at the closing rate of a month."""
    period = str(basis.period)
    prices = basis.prices[basis.published[-1].prices_version]
    by_place: dict[tuple[str, str], list[Foreign]] = defaultdict(list)
    for one in foreign:
        by_place[one.provider, one.service_period].append(one)
    made = []
    for (provider, about), ones in sorted(by_place.items()):
        source = f"{FAMILY}:{provider}"
        held = {key: nano for key, nano in booked(tx, about).items() if key.source == source}
        is_billed = about in found.reconciled(provider, period + "~")
        told = [] if is_billed else [(one, _closing(prices, one, basis.end_us)) for one in ones]
        wanted: list[tuple[PostingKey, int]] = []
        total = 0
        for one, rate in told:
            nano = nano_of_pico(exchanged(one.own_pico, rate.rate) - one.recognised_pico)
            key = beside_key(
                ACCOUNT, source, about, provider=provider, detail=f"unrealised {one.currency}"
            )
            wanted.append((key, nano))
            total += nano
        accrued = beside_key(f"Accrued:{account_part(provider)}", source, about, provider=provider)
        wanted.append((accrued, -total))
        text = "; ".join(_words(one, rate) for one, rate in told) or "the invoice came"
        made.append(
            Revaluation(provider, about, total, f"Accrued at {provider}: {text}", wanted, held)
        )
    return tuple(made)


def _closing(prices: Prices, one: Foreign, end_us: int) -> ExchangeRate:
    """The rate that holds at the last instant of a month; the contract itself needed an earlier."""
    rate = prices.rate_at(one.currency, end_us - 1)
    assert rate is not None, "a contract in a foreign currency has a rate from its first instant"
    return rate


def _words(one: Foreign, rate: ExchangeRate) -> str:
    own = format_units(one.own_pico, _PICO_SCALE).rstrip("0").rstrip(".")
    at = f"{rate.text} of {rate.date}"
    return f"{own} {one.currency} of {one.service_period} at the closing rate {at}"
