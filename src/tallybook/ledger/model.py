"""What the ledger holds: postings, entries, acts and the links of the chain.

An entry that does not balance cannot be made: construction refuses it, long before the database
would (INV-01). Amounts are nano units of the functional currency, debit positive, credit negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from tallybook.clock import Period
from tallybook.errors import ClockError, LedgerError
from tallybook.ledger.chart import check_account, is_memo
from tallybook.money import NANO_SCALE, format_units

NANO_MAX = 2**63 - 1
"""Largest magnitude of a posting: what a signed 64-bit column holds in both signs."""

POSTINGS_MIN = 2


class Reason(StrEnum):
    """Why an entry was made. The list is closed."""

    METER = "meter"
    POOL = "pool"
    EVALUATION = "evaluation"
    POOL_FLOW = "pool_flow"
    CHARGE = "charge"
    MARKUP = "markup"
    ABSORPTION = "absorption"
    TRANSFER = "transfer"
    MEMO = "memo"
    ROUNDING = "rounding"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    TRUE_UP = "true_up"
    MANUAL = "manual"
    ROLL = "roll"
    ACCRUAL = "accrual"
    DISPOSITION = "disposition"
    REVALUATION = "revaluation"
    PREPAID = "prepaid"
    COMMITMENT = "commitment"


USAGE_REASONS = frozenset(
    {
        Reason.METER,
        Reason.POOL,
        Reason.EVALUATION,
        Reason.POOL_FLOW,
        Reason.CHARGE,
        Reason.MARKUP,
        Reason.ABSORPTION,
        Reason.TRANSFER,
        Reason.MEMO,
        Reason.ADJUSTMENT,
    }
)
"""Reasons of entries that come from usage: a soft-closed period refuses them. All other reasons are
finance's own. The trigger of the database names the same list (`store/migrations`)."""


class ActKind(StrEnum):
    """What was decided without postings. The list is closed."""

    SOFT_CLOSE = "soft_close"
    CLOSE = "close"
    REOPEN = "reopen"
    WAIVER = "waiver"
    SIGNOFF = "signoff"
    ACCRUAL = "accrual"
    APPROVAL = "approval"


class PostingKey(NamedTuple):
    """A posting without its amount: what balances are kept by. Fields in the table's order."""

    account: str
    team: str
    feature: str
    purpose: str
    kind: str
    provider: str
    service: str
    detail: str
    source: str
    service_period: str
    price_version: str
    policy_version: int


@dataclass(frozen=True, slots=True)
class Posting:
    """One signed amount on one account.

    Args:
        account: a name that the chart of accounts declares.
        amount_nano: nano units; debit positive, credit negative, never zero.
        team: and ``feature``, ``purpose``, ``kind``, ``provider``, ``service``, ``detail``: plain
            text dimensions; empty means none.
        source: the group that the posting belongs to inside its entry, such as ``meter:openai``.
        service_period: when it was used, ``"2026-10"``; empty takes the entry's.
        price_version: label of the prices that made the amount; empty means none.
        policy_version: number of the policy that made it; 0 means none.
    """

    account: str
    amount_nano: int
    team: str = ""
    feature: str = ""
    purpose: str = ""
    kind: str = ""
    provider: str = ""
    service: str = ""
    detail: str = ""
    source: str = ""
    service_period: str = ""
    price_version: str = ""
    policy_version: int = 0

    @classmethod
    def of(cls, key: PostingKey, amount_nano: int) -> Posting:
        """The posting of an amount under a key."""
        return cls(key[0], amount_nano, *key[1:])

    @property
    def key(self) -> PostingKey:
        """Everything but the amount."""
        return PostingKey(
            self.account,
            self.team,
            self.feature,
            self.purpose,
            self.kind,
            self.provider,
            self.service,
            self.detail,
            self.source,
            self.service_period,
            self.price_version,
            self.policy_version,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One balanced group of postings with a reason.

    Args:
        reason: why it was made.
        period: the period it posts to, ``"2026-10"``.
        service_period: the period it is about; postings without their own take it.
        text: a sentence for the reader of the journal.
        postings: two or more; their amounts sum to zero.
        versions: the versions of rules and data that made it.
        corrects: id of the entry or statement line that it corrects; empty means none.
        details: anything else that JSON holds without fractions.

    Raises:
        LedgerError: fewer than two postings, a zero posting, an amount that is no integer or beyond
            64 bits, a sum other than zero over all or over the memo postings, an undeclared
            account, a period that is none, or a fraction in ``versions`` or ``details``.
    """

    reason: Reason
    period: str
    service_period: str
    text: str
    postings: tuple[Posting, ...]
    versions: Mapping[str, str | int] = field(default_factory=dict)
    corrects: str = ""
    details: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_period(self.period, "the period")
        check_period(self.service_period, "the service period")
        dated = (_dated(posting, self.service_period) for posting in self.postings)
        object.__setattr__(self, "postings", tuple(dated))
        object.__setattr__(self, "versions", frozen_mapping(self.versions, "versions"))
        object.__setattr__(self, "details", frozen_mapping(self.details, "details"))
        _check_balance(self.postings)


@dataclass(frozen=True, slots=True)
class Act:
    """A recorded decision without postings, on the same chain as the entries.

    Args:
        kind: what was decided.
        period: the period that it is about; a waiver, a sign-off or an approval may be about
            none.
        text: the reason given.
        details: what was decided, as JSON without fractions.
        versions: the versions of rules and data that it saw.

    Raises:
        LedgerError: a period that is none, or a fraction in ``versions`` or ``details``.
    """

    kind: ActKind
    period: str
    text: str
    details: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.period or self.kind in (ActKind.SOFT_CLOSE, ActKind.CLOSE, ActKind.REOPEN):
            check_period(self.period, f"the period of a {self.kind}")
        object.__setattr__(self, "versions", frozen_mapping(self.versions, "versions"))
        object.__setattr__(self, "details", frozen_mapping(self.details, "details"))


@dataclass(frozen=True, slots=True)
class Link:
    """Place of an entry or act on the chain: number from 1, id, SHA-256 as hex."""

    seq: int
    id: str
    hash: str


def check_period(text: str, what: str) -> None:
    """Refuse a period that is none.

    Raises:
        LedgerError: the text is not ``YYYY-MM``.
    """
    try:
        Period.parse(text)
    except ClockError as fault:
        raise LedgerError(
            f"{what} is {text!r}, not a month such as 2026-10", next_step="name the month"
        ) from fault


def frozen_mapping(mapping: Mapping[str, object], what: str) -> Mapping[str, object]:
    """A read-only copy, if it holds nothing but text, integers, truth values, none and their lists.

    Raises:
        LedgerError: it holds a fraction, which would not read back the same everywhere, or
            something that JSON has no word for.
    """
    _check_plain(mapping, what)
    return MappingProxyType(dict(mapping))


def _check_plain(value: object, where: str) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if type(name) is not str:
                raise LedgerError(f"{where} has the name {name!r}, which is no text")
            _check_plain(inner, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            _check_plain(inner, f"{where}[{number}]")
    elif value is not None and not isinstance(value, str | int):
        raise LedgerError(
            f"{where} is {value!r}, a {type(value).__name__}; entries and acts hold text and "
            "integers",
            next_step="write amounts as integers or as decimal text",
        )


def _dated(posting: Posting, service_period: str) -> Posting:
    if posting.service_period:
        check_period(
            posting.service_period, f"the service period of a posting on {posting.account}"
        )
        return posting
    key = posting.key._replace(service_period=service_period)
    return Posting.of(key, posting.amount_nano)


def _check_balance(postings: tuple[Posting, ...]) -> None:
    if len(postings) < POSTINGS_MIN:
        raise LedgerError(
            f"an entry of {len(postings)} posting{'s' * (len(postings) != 1)}; it needs at least "
            f"{POSTINGS_MIN}",
            next_step="name the other side",
        )
    for line, posting in enumerate(postings, start=1):
        _check_posting(line, posting)
    debit_nano = sum(p.amount_nano for p in postings if p.amount_nano > 0)
    credit_nano = -sum(p.amount_nano for p in postings if p.amount_nano < 0)
    if debit_nano != credit_nano:
        raise LedgerError(
            f"debits {_figure(debit_nano)} and credits {_figure(credit_nano)} differ by "
            f"{_figure(debit_nano - credit_nano)} over {len(postings)} postings: "
            f"{_accounts(p.account for p in postings)}",
            next_step="post the difference to the account that it belongs to; none is inferred",
        )
    memo_nano = sum(p.amount_nano for p in postings if is_memo(p.account))
    if memo_nano:
        raise LedgerError(
            f"the memo postings sum to {_figure(memo_nano)}; they balance among themselves, so "
            "that what is booked balances without them",
            next_step="post the other side on Memo:Contra",
        )
    if debit_nano > NANO_MAX:
        raise LedgerError(
            f"the debits sum to {_figure(debit_nano)}, more than {_figure(NANO_MAX)}",
            next_step="make two entries of it",
        )


def _check_posting(line: int, posting: Posting) -> None:
    check_account(posting.account)
    amount_nano = posting.amount_nano
    if type(amount_nano) is not int:
        raise LedgerError(
            f"posting {line} on {posting.account} has the amount {amount_nano!r}, which is no "
            "integer",
            next_step="state every amount in whole nano units; none is inferred",
        )
    if amount_nano == 0:
        raise LedgerError(f"posting {line} on {posting.account} is zero", next_step="leave it out")
    if abs(amount_nano) > NANO_MAX:
        raise LedgerError(
            f"posting {line} on {posting.account} is {_figure(amount_nano)}, beyond "
            f"{_figure(NANO_MAX)}",
            next_step="check the unit: amounts are nano units of the currency",
        )


def _figure(nano: int) -> str:
    return format_units(nano, NANO_SCALE)


def _accounts(names: Iterable[str], shown_max: int = 4) -> str:
    distinct = list(dict.fromkeys(names))
    rest = len(distinct) - shown_max
    return ", ".join(distinct[:shown_max]) + (f" and {rest} more" if rest > 0 else "")
