"""What decides a figure beside the events: prices and owners, compiled once and kept.

The same price books, the same owner decision as a run. While nothing of it changes, what was added
up stands; the digest tells when it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Final

from tallybook.attribute.chain import NOWHERE, Chain
from tallybook.attribute.owner import OrgAt, carried_fields, epochs_us
from tallybook.clock import Period
from tallybook.live.walk import NAMED, NOBODY, SERVED
from tallybook.post.basis import Basis, read_basis
from tallybook.post.increment import code_digest
from tallybook.rate.compile import compile_prices
from tallybook.rate.model import PriceKey, PriceRow
from tallybook.rate.publish import price_books
from tallybook.rate.rating import Metering
from tallybook.store import Store

OWNERS_KEPT: Final = 200_000
_FORM: Final = "3"
"""What the buckets of a rollup hold; another form is added up anew."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a record says of its owner: `tallybook.live.walk` tells how much a ``word`` counts."""

    team: str
    feature: str
    word: int


class Ground:
    """Prices and owners of a month, as they stand.

    Args:
        basis: what a run would stand on.
    """

    def __init__(self, basis: Basis) -> None:
        org = basis.books.org
        self.basis = basis
        self.carried = carried_fields(org)
        self.epochs_us = epochs_us(org, basis.start_us, basis.end_us)
        starts = (basis.start_us, *self.epochs_us)
        self._charts = [OrgAt(org, start) for start in starts]
        self._said: dict[tuple[int, tuple[str, ...]], Said] = {}
        self._keys: set[PriceKey] = set()
        self.rows: list[PriceRow] = []

    @cached_property
    def digest(self) -> str:
        """The digest of everything that decides a figure but the events."""
        basis = self.basis
        org, prices = (basis.documents.get(kind, 0) for kind in ("org", "prices"))
        published = [replace(one, label="") for one in basis.published]
        parts = (_FORM, code_digest(), str(basis.period), org, prices, basis.policy.rate_card)
        return sha256(repr((parts, published)).encode()).hexdigest()

    def metering(self, meters: Iterable[str], *, has_corrections: bool) -> Metering:
        """How usage of these meters is rated and what of it is carried."""
        basis = self.basis
        return Metering(
            start_us=basis.start_us,
            end_us=basis.end_us,
            carried=self.carried,
            epochs_us=self.epochs_us,
            meters=tuple(sorted(set(meters))),
            has_corrections=has_corrections,
        )

    def price(self, keys: Iterable[tuple[str, str, str, str]]) -> bool:
        """Have the prices of these keys among the rows; whether any was new."""
        missing = {PriceKey(*key) for key in keys} - self._keys
        if not missing:
            return False
        basis = self.basis
        books = price_books(basis.published, basis.prices, basis.books.org.company.currency)
        found, _ = compile_prices(
            sorted(missing), books, basis.policy.rate_card.basis, basis.start_us, basis.end_us
        )
        self._keys |= missing
        before = len(self.rows)
        self.rows += [replace(row, price_id=before + row.price_id) for row in found]
        return True

    def said(self, epoch: int, values: tuple[str, ...]) -> Said:
        """Whose a record says it is, by what it carries: tags, rules, key, then its service."""
        held = self._said.get((epoch, values))
        if held is None:
            if len(self._said) >= OWNERS_KEPT:
                self._said.clear()
            held = self._said[epoch, values] = self._decided(
                epoch, dict(zip(self.carried, values, strict=True))
            )
        return held

    def _decided(self, epoch: int, carried: Mapping[str, str]) -> Said:
        chart = self._charts[epoch]
        said, service = chart.said(carried), chart.service(carried["service"])
        started = chart.started(NOWHERE.then(said), Chain().then(service))
        word = NAMED if said.rule else SERVED if service else NOBODY
        return Said(started.team, started.feature, word)


def read_ground(store: Store, period: Period) -> Ground:
    """The ground of a period as it stands now.

    Raises:
        BooksError: no policy files were applied.
    """
    return Ground(read_basis(store, period))
