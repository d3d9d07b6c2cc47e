"""What a provider states, what was metered, and the differences between the two, as data.

Amounts are pico (10^-12) of the currency that the field names; instants are microseconds since
1970, UTC, and spans are half-open. Empty text means that nobody said; no quantity is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

DAY_US: Final = 86_400_000_000


class LineKind(StrEnum):
    """What a line of a provider invoice is for. The list is closed."""

    USAGE = "usage"
    CREDIT = "credit"
    DISCOUNT = "discount"
    COMMITMENT = "commitment"
    MINIMUM = "minimum"
    FREE_QUOTA = "free_quota"
    TAX = "tax"
    FEE = "fee"
    FX = "fx"
    ROUNDING = "rounding"
    OTHER = "other"


class VarianceKind(StrEnum):
    """The names of differences between metered and invoiced. The list is closed."""

    PRICE = "price"
    VOLUME = "volume"
    TIMING = "timing"
    CREDIT = "credit"
    DISCOUNT = "discount"
    COMMITMENT = "commitment"
    MINIMUM = "minimum"
    FREE_QUOTA = "free_quota"
    FEE = "fee"
    TAX = "tax"
    FX = "fx"
    ROUNDING = "rounding"
    SUSPENSE = "suspense"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldLine:
    """One line as a provider's file states it, before it is in the books' currency.

    Args:
        place: file and row.
        number: the provider's number of the invoice; empty where a report has none.
        account: whose bill it is: the billing account.
        own_pico: the amount in ``currency``; ``places`` decimals were written.
        quantity: whole units of ``token_class``; None when none is stated, or it is not whole.
        rate: units of ``currency`` for one unit of ``priced_currency``, as the row says it.
        priced_pico: the same amount in ``priced_currency``, where the row states it.
        covered: billed at zero, because a commitment or prepayment covers it.
        raw: the row as it was read.
    """

    place: str
    kind: LineKind
    start_us: int
    end_us: int
    own_pico: int
    places: int
    currency: str
    raw: Mapping[str, Any]
    number: str = ""
    account: str = ""
    product: str = ""
    model: str = ""
    token_class: str = ""
    tier: str = ""
    region: str = ""
    key_id: str = ""
    project: str = ""
    quantity: int | None = None
    rate: str = ""
    rate_date: str = ""
    priced_pico: int | None = None
    priced_currency: str = ""
    covered: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What files of one form tell.

    Attributes:
        form: the name of the form.
        lines: in the order of the files.
        windows: the spans that the files speak for, also where they state nothing; without any,
            each invoice speaks for the span of its lines.
        by_day: whether a later file replaces the days that it speaks for, and no others.
        restates: whether a provider states such a file again as its figures settle.
        left_out: rows of other services, and their amount in pico by currency.
        total_pico: the total that the invoice states, where it does, in the lines' currency.
        issued_on: the date of the invoice.
        notes: what a reader should know.
    """

    form: str
    lines: tuple[ToldLine, ...]
    windows: tuple[tuple[int, int], ...] = ()
    by_day: bool = False
    restates: bool = True
    left_out: int = 0
    left_out_pico: Mapping[str, int] = field(default_factory=dict)
    total_pico: int | None = None
    issued_on: str = ""
    notes: tuple[str, ...] = ()


class InvoiceLine(NamedTuple):
    """One frozen line of one version of a provider invoice; fields in the order of the query.

    ``amount_pico`` is in the books' currency; ``fx_pico`` is the part of it that is there because
    our rate is not the provider's. ``own_pico``, ``currency``, ``rate`` and ``rate_date`` are what
    it came with.
    """

    invoice: str
    version: int
    line: int
    provider: str
    kind: LineKind
    start_us: int
    end_us: int
    product: str
    model: str
    token_class: str
    tier: str
    region: str
    key_id: str
    project: str
    quantity: int | None
    own_pico: int
    currency: str
    rate: str
    rate_date: str
    amount_pico: int
    fx_pico: int
    places: int
    covered: bool
    note: str

    @property
    def ref(self) -> str:
        """How people name the line: invoice, version, number."""
        return f"{self.invoice}.{self.version}:{self.line}"


@dataclass(frozen=True, slots=True)
class ProviderInvoice:
    """One version of what a provider bills for one account and month.

    ``total_pico`` is the sum of the lines that stand in this version, in the books' currency;
    ``stated_pico`` the total that the provider states, in its own, or None. ``lines`` came with
    this version.
    """

    id: str
    version: int
    provider: str
    form: str
    account: str
    number: str
    period: str
    currency: str
    issued_on: str
    stated_pico: int | None
    total_pico: int
    lines: int
    windows: tuple[tuple[int, int], ...]
    files: tuple[tuple[str, str], ...]
    digest: str
    by_day: bool
    reason: str
    actor: str
    at_us: int

    @property
    def is_withdrawn(self) -> bool:
        """Whether nothing of it stands: whatever comes in has a line."""
        return not self.lines


@dataclass(frozen=True, slots=True)
class Cell:
    """Metered usage of one UTC day: one model, tier, token class and key, rated at contract.

    Args:
        token_class: a token class or a unit.
        price: pico per unit if all of it had one price, else None.
        amount_pico: at contract; usage that has no price adds quantity and no amount.
        inside_pico: the part of it whose calls began inside the period.
        unpriced: the part of the quantity that has no price.
        calls: in the whole group of classes; ``open_calls`` of them were cut off or their usage is
            not fully known.
    """

    day_us: int
    provider: str
    model: str
    tier: str
    token_class: str
    key_id: str
    quantity: int
    amount_pico: int
    inside_pico: int
    price: int | None
    unpriced: int = 0
    calls: int = 0
    open_calls: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a variance: one day, token class and key.

    ``quantity`` is invoiced minus metered, None where no quantity is stated. ``day_us`` is the UTC
    day, or the first of ``days``. ``lines`` are the invoice lines that it stands on.
    """

    kind: VarianceKind
    cause: str
    provider: str
    day_us: int
    days: int
    model: str
    token_class: str
    tier: str
    key_id: str
    quantity: int | None
    amount_pico: int
    evidence: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variance:
    """A named difference: all items of one kind, cause, model and key of a provider.

    ``route`` is where the tolerance sends it, ``review`` or ``accept``; it is listed and posted
    alike. ``owner`` is the team that answers for it; ``status`` and ``reason`` are what people
    decided, last.
    """

    id: str
    provider: str
    kind: VarianceKind
    cause: str
    model: str
    key_id: str
    quantity: int | None
    amount_pico: int
    items: tuple[Item, ...]
    route: str = "review"
    owner: str = ""
    status: str = "open"
    reason: str = ""
    decided_by: str = ""


class Beside(NamedTuple):
    """What stands for a provider beside metered usage, in nano: owed, or held as prepaid credit.

    ``what`` is capacity, completeness, commitment, prepaid, revaluation, or prepaid_balance.
    """

    what: str
    amount_nano: int


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """The identity of one provider in one period: invoiced = metered + the sum of variances.

    ``accrued_pico`` is the part of the metered amount that these invoices clear: metered plus
    timing. ``matched_lines`` reconcile to the last digit. ``beside`` is what stands in the books
    beside metered usage; it is no part of the identity.
    """

    provider: str
    metered_pico: int
    invoiced_pico: int
    variances: tuple[Variance, ...]
    invoices: tuple[str, ...]
    lines: int
    matched_lines: int
    calls: int
    unpriced_calls: int
    beside: tuple[Beside, ...] = ()

    @property
    def awaits_invoice(self) -> bool:
        """Whether nothing was invoiced yet, so that the accrual simply stands."""
        return not self.invoices

    def of_kind(self, kind: VarianceKind) -> int:
        """The sum of the variances of a kind."""
        return sum(each.amount_pico for each in self.variances if each.kind is kind)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A period's result, provider by provider. ``period_state`` is open or closed."""

    period: str
    currency: str
    period_state: str
    providers: tuple[ProviderResult, ...]
    tolerance: str

    def variance(self, variance_id: str) -> Variance | None:
        """The variance of an id, or None."""
        every = (one for each in self.providers for one in each.variances)
        return next((one for one in every if one.id == variance_id), None)


Lines = Sequence[InvoiceLine]
