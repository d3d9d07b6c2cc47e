"""FOCUS rows as frozen data, before they are spelled; amounts in pico (scale 12), exact."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal

Category = Literal["Usage", "Adjustment"]

RATIO_ONE: Final = 10**12
"""A ratio of one in whole units, so that the ratios of a split add up to it exactly."""


@dataclass(frozen=True, slots=True, order=True)
class Sku:
    """What was priced: one meter of one model at one list and contract price, in pico each.

    An unpriced one has no prices: its cost is not known, and zero in sums only.
    """

    provider: str
    model: str
    tier: str
    region: str
    meter: str
    list_pico: int | None
    contract_pico: int | None
    contract: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Bearer:
    """Who a row names: the payer, with who started and who ran it where that is another."""

    team: str
    feature: str = ""
    purpose: str = ""
    origin: str = ""
    executor: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A row's part of a split charge.

    Attributes:
        method: id of the documented method.
        origin: id of the charge that was split; ``origin_pico`` its effective cost.
        team, feature: whom this part is allocated to; the central team for what no team bears.
        ratio: of ``RATIO_ONE``; the ratios of one origin add up to it.
        unit, quantity: of the driver behind it, empty and 0 where there is none.
    """

    method: str
    origin: str
    origin_pico: int
    team: str
    feature: str
    ratio: int
    unit: str = ""
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One charge.

    Attributes:
        category: ``Adjustment`` for what is neither usage nor a share of a pool.
        service_period: the month that it is about; ``corrects`` says that this one is closed.
        quantity: in tokens or units; None where nothing was counted.
        state: of the usage: reported, estimated, partial, unknown, unpriced; empty if none.
        pool: the cost pool behind it, empty for usage.
        account: the ledger's, of a row that stands for postings alone.
        step: ``reversal`` or ``rebooked``, of a correction.
    """

    category: Category
    description: str
    service_period: str
    bearer: Bearer
    list_pico: int
    contract_pico: int
    effective_pico: int
    sku: Sku | None = None
    quantity: int | None = None
    state: str = ""
    pool: str = ""
    account: str = ""
    part: Part | None = None
    corrects: bool = False
    step: str = ""

    def turned(self) -> Row:
        """The row that takes this one back."""
        part = self.part and replace(
            self.part,
            origin=f"{self.part.origin}/reversal",
            origin_pico=-self.part.origin_pico,
            quantity=-self.part.quantity,
        )
        return replace(
            self,
            list_pico=-self.list_pico,
            contract_pico=-self.contract_pico,
            effective_pico=-self.effective_pico,
            quantity=None if self.quantity is None else -self.quantity,
            part=part,
            corrects=True,
            step="reversal",
        )

    def rebooked(self) -> Row:
        """The row that states anew what another one took back."""
        part = self.part and replace(self.part, origin=f"{self.part.origin}/rebooked")
        return replace(self, part=part, corrects=True, step="rebooked")


@dataclass(slots=True)
class Totals:
    """What the rows add up to, in pico, while they pass; ``rows`` counts them."""

    rows: int = 0
    list_pico: int = 0
    contract_pico: int = 0
    effective_pico: int = 0
    by_period: dict[str, int] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Count a row."""
        self.rows += 1
        self.list_pico += row.list_pico
        self.contract_pico += row.contract_pico
        self.effective_pico += row.effective_pico
        month = row.service_period
        self.by_period[month] = self.by_period.get(month, 0) + row.effective_pico
