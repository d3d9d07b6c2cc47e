"""What a month books beside metered usage, by naive folds: docs/accruals.md, rule by rule.

Prepaid credits, commitments, balances in another currency, completeness, and what an invoice clears
of them. Every amount stands in a plain list of what is booked about which month by what; a rule
says what must stand there, and the list takes it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallybook.sim.oracle import usage
from tallybook.sim.oracle.books import TICK, Books, Row, instant, next_month, percent, read_books
from tallybook.sim.oracle.capacity import cost_of_capacity
from tallybook.sim.oracle.lines import ZERO
from tallybook.sim.oracle.price import cost_of, rate_of

Place = tuple[str, str, str]
"""the month that it is about, what booked it, and the account"""
Cause = tuple[str, str]
"""kind and cause of a variance"""
SPENT = ("price", "volume", "discount", "rounding")
"""Variances that count as spent under a commitment."""
ACCOUNTS = {"suspense": "Suspense:{}", "tax": "Tax:recoverable"}
DAY = 10
"""The characters of a date."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider's invoice of a month comes to.

    `truth` is what it differs by from the meter, by name; `owner` the team whose keys were not
    metered.
    """

    provider: str
    period: str
    billed: Fraction
    truth: Mapping[Cause, Fraction]
    owner: str


class Beside:
    """A year's memory of what is booked beside metered usage.

    Args:
        texts: the YAML files of the whole year; a day is that of UTC.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._read: dict[str, Books] = {}
        self._used: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        self._own: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        self._booked: dict[Place, Fraction] = {}
        self._bills: dict[tuple[str, str], Bill] = {}
        self._cleared: dict[tuple[str, str], str] = {}

    def use(self, period: str, events: Iterable[usage.Event]) -> None:
        """Take note of a month's calls: what they cost, in the books' currency and in their own."""
        books = self._books(period)
        for event in events:
            cost = cost_of(books, {}, event).contract
            day = str(event["started_at"])[:DAY]
            self._used[event["provider"]][day] += cost
            currency = _currency(books.prices, event["provider"])
            if currency:
                rate = rate_of(books, currency, instant(event["started_at"]))
                self._own[event["provider"]][day] += cost / rate

    def _books(self, period: str) -> Books:
        if period not in self._read:
            self._read[period] = read_books(self._texts, period)
        return self._read[period]

    def about(self, period: str) -> dict[str, Fraction]:
        """What is booked about a month, by account."""
        found: dict[str, Fraction] = defaultdict(Fraction)
        for (month, _, account), amount in self._booked.items():
            if month == period:
                found[account] += amount
        return dict(found)

    def by_hand(self, period: str, source: str, sides: Mapping[str, Fraction]) -> None:
        """Take note of what somebody booked about a month."""
        self._set(period, source, sides)

    def owed(self, provider: str, period: str, family: str) -> Fraction:
        """What an invoice of a month would clear of a family.

        Of a commitment that is what stands up to the month, and no other month's invoice cleared.
        """
        if family == "capacity":
            return self._capacity(provider, period)
        parts = self._parts(provider, family)
        if family == "commitment":
            free = {p: x for p, x in parts.items() if self._cleared.get(p, period) == period}
            return sum((x for (month, _), x in free.items() if month <= period), ZERO)
        return sum((x for (month, _), x in parts.items() if month == period), ZERO)

    def _parts(self, provider: str, family: str) -> dict[tuple[str, str], Fraction]:
        """By month and source, what a family accrued at a provider."""
        account = f"Accrued:{provider}"
        return {
            (month, source): -amount
            for (month, source, held), amount in self._booked.items()
            if held == account and source.startswith(f"{family}:")
        }

    def accrue(self, period: str) -> None:
        """Everything that a month accrues before it closes."""
        books = self._books(period)
        for provider in self._used:
            self._complete(books.policy.get("completeness"), provider, period)
        for provider in {row["provider"] for row in books.prices.get("credits", [])}:
            self._credits(books.prices["credits"], provider, period)
        for row in books.prices.get("commitments", []):
            if row["from"] <= period < row["to"]:
                self._commitment(row, period)
        for provider in self._own:
            self._revalue(provider, period)

    def true_up(self, bill: Bill) -> None:
        """What an invoice books: it clears the accrual, and each difference goes to its name."""
        provider, period = bill.provider, bill.period
        self._bills[provider, period] = bill
        source = f"true_up:{provider}"
        timing = sum((x for (kind, _), x in bill.truth.items() if kind == "timing"), ZERO)
        sides: dict[str, Fraction] = defaultdict(Fraction)
        sides[f"Accrued:{provider}"] += self._metered(provider, period) + timing
        for (kind, _), amount in bill.truth.items():
            if kind != "timing":
                sides[ACCOUNTS.get(kind, f"Variance:{kind}").format(provider)] += amount
        sides[f"Payable:{provider}"] -= bill.billed
        assert not sum(sides.values(), ZERO), "what is billed is metered and what differs"
        self._set(period, source, sides)
        owned = bill.truth.get(("volume", "unmetered_key"), ZERO)
        charged = {f"Charge:{bill.owner}:variance": owned, "Variance:volume": -owned}
        self._set(period, f"recharge:{provider}", charged)
        for family in ("accrual", "revalue"):
            self._set(period, f"{family}:{provider}", {})
        for family, kinds in (
            ("capacity", ("commitment",)),
            ("commitment", ("minimum", "commitment")),
            ("prepaid", ("credit",)),
        ):
            kind = next((kind for kind in kinds if _of_kind(bill, kind)), "")
            owed = self.owed(provider, period, family) if kind else ZERO
            if family == "commitment":
                self._clear(provider, period, is_billed=bool(kind))
            cleared = {f"Accrued:{provider}": owed, f"Variance:{kind}": -owed}
            self._set(period, f"cleared {family}:{provider}", cleared)

    def _clear(self, provider: str, period: str, *, is_billed: bool) -> None:
        """Which month's invoice cleared each part of a shortfall: the first that billed it."""
        mine = {part for part, month in self._cleared.items() if month == period}
        for part in self._parts(provider, "commitment"):
            if is_billed and part[0] <= period:
                self._cleared.setdefault(part, period)
            elif part in mine:
                del self._cleared[part]

    def _set(self, period: str, source: str, sides: Mapping[str, Fraction]) -> None:
        """What a source books about a month stands as said, and nothing else of it."""
        for place in [p for p in self._booked if p[:2] == (period, source)]:
            del self._booked[place]
        self._booked |= {(period, source, account): x for account, x in sides.items() if x}

    def _metered(self, provider: str, period: str) -> Fraction:
        return _of_month(self._used[provider], period)

    def _capacity(self, provider: str, period: str) -> Fraction:
        """What the capacity of a provider costs in a month."""
        books = self._books(period)
        rows = books.prices.get("capacity", [])
        mine = (cost_of_capacity(books, row) for row in rows if row.get("provider") == provider)
        return sum(mine, ZERO)

    def _complete(self, rule: Row | None, provider: str, period: str) -> None:
        """The share that the last trued-up months billed beyond the meter, at most the cap."""
        if rule is None or (provider, period) in self._bills:
            return
        known = sorted((m for p, m in self._bills if p == provider and m < period), reverse=True)
        months = known[: int(rule["months"])]
        beyond: dict[str, Fraction] = defaultdict(Fraction)
        for month in months:
            for (kind, cause), amount in self._bills[provider, month].truth.items():
                if kind == "volume" and cause in rule["causes"]:
                    beyond[cause] += amount
        metered = sum((self._metered(provider, month) for month in months), ZERO)
        more = sum((x for x in beyond.values() if x > 0), ZERO)
        share = min(more / metered, percent(rule["cap"])) if metered else ZERO
        amount = self._metered(provider, period) * share
        sides = {"Variance:completeness": amount, f"Accrued:{provider}": -amount}
        self._set(period, f"accrual:{provider}", sides)

    def _credits(self, rows: Sequence[Row], provider: str, period: str) -> None:
        """What a month buys of credits, uses of them, and loses when they expire."""
        mine = [row for row in rows if row["provider"] == provider]
        mine.sort(key=lambda row: (row["expires"], row["bought"], row["id"]))
        used = self._paid_by(mine, provider, period)
        first, after = f"{period}-01", f"{next_month(period)}-01"
        for row in mine:
            if not (row["bought"] < after and row["expires"] > first):
                continue
            name, amount = f"prepaid:{row['id']}", Fraction(row["amount"])
            cost = Fraction(row.get("cost", amount))
            prepaid = f"Prepaid:{provider}"
            if first <= row["bought"]:
                bought = {prepaid: cost, f"Payable:{provider}": -cost}
                self._set(period, f"{name}:bought", bought)
            now = used[row["id"]].get(period, ZERO)
            paid = now * cost / amount
            sides = {f"Accrued:{provider}": now, prepaid: -paid, "Variance:credit": paid - now}
            self._set(period, f"{name}:used", sides)
            if row["expires"] <= after:
                left = (amount - sum(used[row["id"]].values(), ZERO)) * cost / amount
                lost = {"Variance:expired_credit": left, prepaid: -left}
                self._set(period, f"{name}:gone", lost)

    def _paid_by(
        self, rows: Sequence[Row], provider: str, period: str
    ) -> dict[str, dict[str, Fraction]]:
        """By credit and month, what it paid: day after day, what expires first, first."""
        left = {row["id"]: Fraction(row["amount"]) for row in rows}
        used: dict[str, dict[str, Fraction]] = {row["id"]: defaultdict(Fraction) for row in rows}
        for day in sorted(self._used[provider]):
            if day[: len(period)] > period:
                break
            rest = self._used[provider][day]
            for row in rows:
                if row["bought"] <= day < row["expires"]:
                    part = min(rest, left[row["id"]])
                    left[row["id"]] -= part
                    used[row["id"]][day[: len(period)]] += part
                    rest -= part
        return used

    def _commitment(self, row: Row, period: str) -> None:
        """The promise, straight-line, less what was spent; earlier months stay as they were."""
        provider, source = row["provider"], f"commitment:{row['id']}"
        term = list(_months(row["from"], row["to"]))
        gone = [month for month in term if month <= period]
        spent = sum((self._spent(provider, month) for month in gone), ZERO)
        due = max(Fraction(row["amount"]) * len(gone) / len(term) - spent, ZERO)
        account = f"Accrued:{provider}"
        before = -sum(
            (
                amount
                for (month, name, held), amount in self._booked.items()
                if (name, held) == (source, account) and month < period
            ),
            ZERO,
        )
        sides = {"Variance:commitment": due - before, account: before - due}
        self._set(period, source, sides)

    def _spent(self, provider: str, period: str) -> Fraction:
        """What counts as spent in a month: metered, capacity, and what its invoice corrected."""
        bill = self._bills.get((provider, period))
        corrected = sum((_of_kind(bill, kind) for kind in SPENT), ZERO) if bill else ZERO
        return self._metered(provider, period) + self._capacity(provider, period) + corrected

    def _revalue(self, provider: str, period: str) -> None:
        """What is accrued and not billed, at the last rate of the month."""
        books = self._books(period)
        closing = rate_of(books, _currency(books.prices, provider), books.end - TICK)
        for month in sorted({day[: len(period)] for day in self._used[provider]}):
            if month > period or (provider, month) in self._bills:
                continue
            off = _of_month(self._own[provider], month) * closing - self._metered(provider, month)
            sides = {"Variance:fx": off, f"Accrued:{provider}": -off}
            self._set(month, f"revalue:{provider}", sides)


def _currency(prices: Row, provider: str) -> str:
    """What a provider's contracts are in; "" is the books' currency."""
    mine = (row for row in prices.get("contracts", []) if row["provider"] == provider)
    return next((str(row["currency"]) for row in mine if "currency" in row), "")


def _of_month(days: Mapping[str, Fraction], period: str) -> Fraction:
    return sum((x for day, x in days.items() if day.startswith(period)), ZERO)


def _of_kind(bill: Bill, kind: str) -> Fraction:
    return sum((x for (name, _), x in bill.truth.items() if name == kind), ZERO)


def _months(first: str, until: str) -> Iterator[str]:
    month = first
    while month < until:
        yield month
        month = next_month(month)
