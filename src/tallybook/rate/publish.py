"""Publications: which price list and contracts a period's rate card was made from, frozen.

The first run of a period publishes number 1; a run after the price file changed publishes the next.
A publication is never edited (INV-14): the card of a key stays what the first publication that
priced it said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tallybook.books.model import Prices
from tallybook.clock import Period
from tallybook.rate.book import PriceBook
from tallybook.rate.card import Basis
from tallybook.rate.lists import DEFAULT_LIST, list_bytes, load_list
from tallybook.store import Tx


@dataclass(frozen=True, slots=True)
class Publication:
    """One published set of prices of a period; ``digest`` is that of the list it stands on."""

    label: str
    period: str
    number: int
    list_version: str
    prices_version: int
    basis: Basis
    digest: str


def publications(tx: Tx, period: Period) -> list[Publication]:
    """The publications of a period, the first first."""
    rows = tx.rows(
        "SELECT label, period, number, list_version, prices_version, basis, digest FROM publication"
        " WHERE period = :period ORDER BY number",
        period=str(period),
    )
    return [Publication(**row._asdict()) for row in rows]


def due_publication(
    held: Sequence[Publication], period: Period, prices_version: int, basis: Basis
) -> Publication | None:
    """The publication that a run has to add, if the prices changed since the last."""
    if held and (held[-1].prices_version, held[-1].basis) == (prices_version, basis):
        return None
    number = len(held) + 1
    list_version = held[0].list_version if held else DEFAULT_LIST
    return Publication(
        label=f"{period.first_day()}.{number}",
        period=str(period),
        number=number,
        list_version=list_version,
        prices_version=prices_version,
        basis=basis,
        digest=sha256(list_bytes(list_version)).hexdigest(),
    )


def publish(tx: Tx, publication: Publication, now_us: int) -> None:
    """Freeze a publication."""
    tx.run(
        "INSERT INTO publication (label, period, number, list_version, prices_version, basis,"
        " digest, at_us) VALUES (:label, :period, :number, :list_version, :prices_version, :basis,"
        " :digest, :at_us)",
        label=publication.label,
        period=publication.period,
        number=publication.number,
        list_version=publication.list_version,
        prices_version=publication.prices_version,
        basis=publication.basis,
        digest=publication.digest,
        at_us=now_us,
    )


def price_books(
    published: Sequence[Publication], prices: Mapping[int, Prices], currency: str
) -> list[PriceBook]:
    """The price book of each publication, in order.

    Args:
        published: the publications of a period.
        prices: the recorded price files by version; version 0 is "no price file".
        currency: the books' currency.
    """
    return [
        PriceBook(load_list(p.list_version), prices[p.prices_version], currency) for p in published
    ]
