"""The neutral journal as frozen data: vouchers that balance, and what they are checked by.

A voucher that does not balance cannot be made. Amounts are cents, debit positive, credit negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from tallybook.errors import HandoffError
from tallybook.money import format_cents

Kind = Literal["accrual", "prepaid", "recharge"]
AccrualMode = Literal["reversing", "standing"]

EXPENSE: Final = "inference_expense"
ALLOCATED: Final = "allocated_ai"
ACCRUED: Final = "accrued_liabilities"
PREPAID: Final = "prepaid"
TAX: Final = "recoverable_tax"
DUE_FROM: Final = "due_from"
DUE_TO: Final = "due_to"
NEUTRAL_ACCOUNTS: Final = (EXPENSE, ALLOCATED, ACCRUED, PREPAID, TAX, DUE_FROM, DUE_TO)

COST_OF_REVENUE: Final = "cost_of_revenue"
RESEARCH: Final = "research_and_development"
OPERATING: Final = "operating_expense"
COST_CLASSES: Final = (COST_OF_REVENUE, RESEARCH, OPERATING)

PURPOSE_CLASSES: Final[Mapping[str, str]] = {
    "production": COST_OF_REVENUE,
    "batch": COST_OF_REVENUE,
    "evaluation": RESEARCH,
    "experiment": RESEARCH,
    "development": RESEARCH,
    "training": RESEARCH,
    "internal": OPERATING,
}
"""Where a purpose belongs unless the accounts file says otherwise; any other is operating."""


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a voucher.

    Attributes:
        account: one of ``NEUTRAL_ACCOUNTS``.
        detail: what tells accounts of one name apart: the cost class of an expense, the provider
            of an accrual, the other legal entity of an amount due.
        service_period: when it was used, ``"2026-10"``.
        amount_cents: debit positive, credit negative, never zero.
        text: for the reader of the ERP's journal.
    """

    account: str
    detail: str
    cost_center: str
    team: str
    feature: str
    service_period: str
    amount_cents: int
    text: str


@dataclass(frozen=True, slots=True)
class Voucher:
    """One journal of one legal entity.

    Attributes:
        external_id: the same for the same books, version and content; an ERP that has it refuses
            it the second time.
        date: ISO date that it posts on; ``reverses_on`` is the date of its automatic reversal,
            empty when it stands.
        part: number of this part of ``parts``, when a limit of lines split it.

    Raises:
        HandoffError: it does not balance, or has a zero line.
    """

    external_id: str
    kind: Kind
    entity: str
    date: str
    period: str
    currency: str
    reverses_on: str
    text: str
    lines: tuple[JournalLine, ...]
    part: int = 1
    parts: int = 1

    def __post_init__(self) -> None:
        rest = sum(line.amount_cents for line in self.lines)
        if rest or any(not line.amount_cents for line in self.lines):
            what = f"is out of balance by {format_cents(rest)}" if rest else "has a line of zero"
            raise HandoffError(
                f"{self.external_id} {what}",
                where=self.external_id,
                next_step="nothing was written; run `tallybook check INV-01` and report it",
            )

    @property
    def debit_cents(self) -> int:
        """The sum of the debits, which is that of the credits."""
        return sum(line.amount_cents for line in self.lines if line.amount_cents > 0)

    def reversed(self, external_id: str, date: str, text: str) -> Voucher:
        """The same voucher with every sign turned."""
        turned = tuple(replace(line, amount_cents=-line.amount_cents) for line in self.lines)
        return replace(self, external_id=external_id, date=date, text=text, lines=turned)


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """What a controller ties: the platform's cost center, from what the ERP holds to central.

    All in cents. ``held + accrued + billed - recharged`` is what stays with the platform, which is
    ``central`` but for ``rounding``, the cents between separately rounded totals.

    Attributes:
        held_cents: what the ERP books itself, from the sources of cost pools.
        accrued_cents: the expense of the period's accruals.
        billed_cents: cost that comes with provider invoices through accounts payable.
    """

    held_cents: int
    accrued_cents: int
    billed_cents: int
    recharged_cents: int
    central_cents: int
    ledger_cost_cents: int

    @property
    def rounding_cents(self) -> int:
        """What separately rounded totals differ by."""
        stays = self.held_cents + self.accrued_cents + self.billed_cents - self.recharged_cents
        return self.central_cents - stays


@dataclass(frozen=True, slots=True)
class NeutralJournal:
    """The two journals of a period, accrual and recharge, as vouchers, with their control totals.

    Attributes:
        version: of the statements that the recharge is; ``is_draft`` when they are not issued.
        platform: the cost center of the central team.
        simulated: the figures come from a simulated company and say so.
    """

    ledger: str
    company: str
    period: str
    version: int
    is_draft: bool
    accrual: AccrualMode
    platform: str
    vouchers: tuple[Voucher, ...]
    control: ControlTotals
    simulated: bool = False


def short(text: str) -> str:
    """A name as a part of an id: what is neither letter nor digit becomes a hyphen."""
    signs = (sign if sign.isascii() and sign.isalnum() else "-" for sign in text.strip().lower())
    return "-".join(part for part in "".join(signs).split("-") if part) or "books"
