"""What contracts say: prices, exchange rates, commitments, prepaid credits, capacity.

Amounts are nano of the books' currency; instants are microseconds since 1970, UTC; spans are
half-open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal, get_args

from tallybook.books.span import Span
from tallybook.clock import Period

Cause = Literal["unmetered_key", "outside_gateway", "aborted_streams"]
CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)
CapacityKind = Literal["provisioned_throughput", "gpu", "training", "hosting"]
CAPACITY_KINDS: Final[tuple[CapacityKind, ...]] = get_args(CapacityKind)


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A negotiated price or discount. Either ``discount`` or ``prices`` is set.

    ``model`` may be a glob; empty ``model``, ``tier`` or ``region`` means any. ``prices`` are in
    pico per token (by token class) or per unit (by unit). Calls with more input tokens than
    ``long_context_over`` take ``long_context_prices`` where it names the class. ``line`` tells
    which row of the file this is, in words, for messages.
    """

    contract: str
    provider: str
    model: str
    tier: str
    region: str
    discount: Fraction | None
    prices: Mapping[str, int]
    long_context_over: int | None
    long_context_prices: Mapping[str, int]
    from_us: int
    to_us: int
    line: str
    currency: str = ""
    """what the contract is priced in, where that is not the books' currency"""
    own_prices: Mapping[str, int] = field(default_factory=dict)
    """in pico of ``currency``; ``prices`` are these at the rate that holds in the span"""
    own_long_context_prices: Mapping[str, int] = field(default_factory=dict)

    @property
    def span(self) -> Span:
        """When the row holds."""
        return Span(self.from_us, self.to_us)

    @property
    def precedence(self) -> tuple[int, int, bool, bool, bool]:
        """Of the rows that match a call, those of the highest precedence price it.

        An exact model before a glob before any model, a glob with more literal characters first;
        then a named tier, a named region, and a price before a discount. Rows of one precedence
        share the call by class; two that price the same class at the same time are refused.
        """
        literal = sum(char not in "*?" for char in self.model)
        exact = 0 if not self.model else 2 - (literal < len(self.model))
        return (
            exact,
            literal if exact == 1 else 0,
            bool(self.tier),
            bool(self.region),
            not self.is_discount,
        )

    @property
    def is_discount(self) -> bool:
        """Whether the row is a percentage off the list price of everything it matches."""
        return self.discount is not None


@dataclass(frozen=True, slots=True)
class Completeness:
    """The accrual for usage that past months show to be unmetered.

    The share of the last ``months`` reconciled months, at most ``cap`` of the metered cost, over
    the ``causes`` of volume that are counted. ``bear`` says who bears it: what is central, or the
    owner of the key that was not metered.
    """

    months: int
    cap: Fraction
    causes: tuple[Cause, ...]
    bear: Literal["central", "owner"]


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """Units of the books' currency for one unit of ``currency``, from an instant until the next.

    ``date`` is the day, and ``text`` the rate, as the file says them.
    """

    currency: str
    from_us: int
    date: str
    rate: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class Commitment:
    """What was promised to a provider over a term: the least that is spent, or billed all the same.

    The term runs from ``first`` until before ``until``.
    """

    id: str
    provider: str
    amount_nano: int
    first: Period
    until: Period

    def holds(self, period: Period) -> bool:
        """Whether a month is in the term."""
        return self.first <= period < self.until


@dataclass(frozen=True, slots=True)
class Credit:
    """Prepaid credit: ``amount_nano`` of usage, bought for ``cost_nano``; unused, it expires.

    A gift costs nothing. ``bought_on`` and ``expires_on`` are the UTC days as the file says them;
    the day of expiry is the first without it.
    """

    id: str
    provider: str
    amount_nano: int
    cost_nano: int
    bought_us: int
    expires_us: int
    bought_on: str
    expires_on: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """Capacity that is paid by time, not by the token: its dated cost goes to a cost pool.

    Either ``monthly_nano`` and ``hourly_nano`` (times ``count``) are its price, by the time that it
    stands, or ``once_nano`` is paid in the month in which it begins. ``provider`` bills it; without
    one it mirrors what the ERP holds. Calls that match ``model``, ``tier`` and ``region`` (empty:
    any; all empty: none) run on it at no price of their own. ``full`` is how many tokens it
    carries in a whole month, 0 where nobody knows. ``product`` is what the provider's invoice calls
    it, as a glob.
    """

    id: str
    kind: CapacityKind
    pool: str
    provider: str
    model: str
    tier: str
    region: str
    product: str
    monthly_nano: int
    hourly_nano: int
    count: int
    once_nano: int
    full: int
    from_us: int
    to_us: int

    @property
    def serves(self) -> bool:
        """Whether calls run on it."""
        return bool(self.model or self.tier or self.region)

    def holds(self, instant_us: int) -> bool:
        """Whether it stands at an instant."""
        return self.from_us <= instant_us < self.to_us
