"""Differences put into an invoice, each with what the books must call it and how much it is.

Each takes days of its own, apart from the others, so that no day explains another; what stands on
one line is one quantity and one price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import Final

from tallybook.clock import Period
from tallybook.sim.invoices.company import BOOKS, change_days, daily_prices, daily_rates, days_of
from tallybook.sim.invoices.model import KEY, SHADOW_KEY, BilledLine, MonthBill, Sold

CENT_PICO: Final = 10**10
OWN_SIGN: Final = {"credit": -1, "discount": -1, "free_quota": -1, "rounding": 1}
_SPACING: Final = 4
_OF_USAGE: Final = (
    *("price", "outside", "aborted", "not_billed", "moved_day", "cut_off", "free", "decimals"),
)
Days = Iterator[int]


def month_bill(luck: Random, sold: Sold, period: Period) -> MonthBill:
    """A month that is billed exactly as it was metered."""
    rates = daily_rates(period) if sold.currency != BOOKS else {}
    prices = {
        (day, name): int(pico * rates.get(day, Fraction(1)))
        for (day, name), pico in daily_prices(sold, period).items()
    }
    metered = {place: luck.randrange(200_000, 3_000_000) for place in prices}
    lines = [
        BilledLine("usage", day, name, KEY, count, count * prices[day, name])
        for (day, name), count in metered.items()
    ]
    return MonthBill(
        sold, str(period), days_of(period), prices, metered, lines,
        currency=sold.currency, rates=rates,
    )  # fmt: skip


def injected(luck: Random, bill: MonthBill, kinds: Iterator[str]) -> None:
    """Put differences of some kinds in, as many as there are days for."""
    days = [day for day in range(1, bill.days - 2) if day % _SPACING == 1]
    barred = {near for day in change_days(Period.parse(bill.period)) for near in (day - 1, day)}
    free = [day for day in days if day not in barred]
    luck.shuffle(free)
    left = iter(free)
    for kind in kinds:
        try:
            INJECTIONS[kind](luck, bill, left)
        except StopIteration:
            return


def possible(sold: Sold) -> list[str]:
    """What can be put into a provider's form, so that its name can be found again."""
    if not sold.counted:
        return ["amount_more", "amount_less", "ratio"]
    found = [
        "price",
        "outside",
        "aborted",
        "not_billed",
        "moved_day",
        "cut_off",
        "free",
        "decimals",
    ]
    if sold.keyed:
        found.append("unmetered_key")
    if sold.form in ("aws-cur", "focus"):
        found.append("covered")
    return [*found, *(f"own:{kind}" for kind in sold.own)]


def _price(luck: Random, bill: MonthBill, days: Days) -> None:
    line = bill.line(next(days), "output")
    off = luck.choice([-1, 1]) * bill.dollars(1000 * luck.randrange(10**4, 10**8), line.day)
    line.amount_pico += off
    bill.put("price", "contract", off)


def _outside(luck: Random, bill: MonthBill, days: Days) -> None:
    """Whole calls that never passed us: input and output are both more."""
    day = next(days)
    for name in bill.sold.prices:
        _more(bill, bill.line(day, name), luck.randrange(1, 99_999), "outside_gateway")


def _more(bill: MonthBill, line: BilledLine, count: int, cause: str) -> None:
    pico = count * bill.prices[line.day, line.token_class]
    line.quantity += count
    line.amount_pico += pico
    bill.put("volume", cause, pico)


def _aborted(luck: Random, bill: MonthBill, days: Days) -> None:
    """A stream was cut off: the provider bills output that the caller never heard of."""
    day, count = next(days), luck.randrange(1, 99_999)
    bill.cut_off.add(day)
    bill.metered[day, "output"] -= count
    pico = count * bill.prices[day, "output"]
    bill.put("volume", "aborted_streams", pico)


def _not_billed(luck: Random, bill: MonthBill, days: Days) -> None:
    day = next(days)
    for name in bill.sold.prices:
        _more(bill, bill.line(day, name), -luck.randrange(1, 99_999), "not_billed")


def _moved_day(luck: Random, bill: MonthBill, days: Days) -> None:
    """A provider's day ends later: what was metered on one is billed on the next."""
    day, count = next(days), luck.randrange(1, 99_999)
    for at, sign in ((day, -1), (day + 1, 1)):
        line = bill.line(at, "output")
        line.quantity += sign * count
        line.amount_pico += sign * count * bill.prices[day, "output"]


def _cut_off(luck: Random, bill: MonthBill, _: Days) -> None:
    """The last day is not billed whole; `carried_over` brings the rest on the next invoice."""
    line = bill.line(bill.days - 1, "output")
    count = luck.randrange(1, 99_999)
    pico = count * bill.prices[line.day, "output"]
    line.quantity -= count
    line.amount_pico -= pico
    bill.put("timing", "cut_off", -pico)


def carried_over(before: MonthBill, bill: MonthBill) -> None:
    """What the month before left out at its end stands on the first day of the next invoice."""
    last = before.line(before.days - 1, "output")
    count = before.metered[last.day, "output"] - last.quantity
    if count <= 0:
        return
    pico = count * before.prices[last.day, "output"]
    line = bill.line(0, "output")
    line.quantity += count
    line.amount_pico += pico
    bill.put("timing", "day", pico)


def settled(bill: MonthBill) -> None:
    """Once the next invoice is in, what was cut off is known to be billed on another day."""
    pico = bill.truth.pop(("timing", "cut_off"), 0)
    if pico:
        bill.put("timing", "day", pico)


def _free(_: Random, bill: MonthBill, days: Days) -> None:
    line = bill.line(next(days), "output")
    bill.put("free_quota", "billed_at_nothing", -line.amount_pico)
    line.amount_pico = 0


def _covered(_: Random, bill: MonthBill, days: Days) -> None:
    line = bill.line(next(days), "output")
    bill.put("commitment", "covered", -line.amount_pico)
    line.amount_pico, line.covered = 0, True


def _decimals(_: Random, bill: MonthBill, days: Days) -> None:
    """A line in whole cents, cut off or rounded up."""
    line = bill.line(next(days), "output")
    rest = line.amount_pico % CENT_PICO
    off = -rest if 2 * rest <= CENT_PICO else CENT_PICO - rest
    line.amount_pico += off
    line.places = 2
    bill.put("rounding", "last_decimals", off)


def _unmetered_key(luck: Random, bill: MonthBill, days: Days) -> None:
    day, count = next(days), luck.randrange(1, 999_999)
    pico = count * bill.prices[day, "output"]
    bill.lines.append(BilledLine("usage", day, "output", SHADOW_KEY, count, pico))
    bill.put("volume", "unmetered_key", pico)


def _amount_more(luck: Random, bill: MonthBill, days: Days) -> None:
    """No quantities are stated; other days agree to the last digit, so it is usage."""
    line = bill.line(next(days), "output")
    pico = 1000 * luck.randrange(10**6, 10**9)
    line.amount_pico += pico
    bill.put("volume", "outside_gateway", pico)


def _amount_less(luck: Random, bill: MonthBill, days: Days) -> None:
    line = bill.line(next(days), "output")
    pico = 1000 * luck.randrange(10**6, 10**8)
    line.amount_pico -= pico
    bill.put("volume", "not_billed", -pico)


def _ratio(luck: Random, bill: MonthBill, _: Days) -> None:
    """Every day of one class is off by one ratio: a price."""
    part = luck.choice([8, 9, 11, 12])
    for day in range(bill.days):
        line = bill.line(day, "output")
        off = line.amount_pico * (part - 10) // 10
        line.amount_pico += off
        bill.put("price", "contract", off)


def _own(kind: str) -> Callable[[Random, MonthBill, Days], None]:
    def put(luck: Random, bill: MonthBill, _: Days) -> None:
        own, day = 1000 * luck.randrange(10**6, 10**10), luck.randrange(bill.days)
        pico = OWN_SIGN.get(kind, 1) * bill.dollars(own, day)
        bill.lines.append(BilledLine(kind, day, amount_pico=pico))
        bill.put("suspense" if kind == "other" else kind, "", pico)

    return put


_OWN_KINDS: Final = ("credit", "discount", "commitment", "fee", "tax", "other", "rounding",
                     "free_quota", "minimum", "fx")  # fmt: skip
INJECTIONS: Final[Mapping[str, Callable[[Random, MonthBill, Days], None]]] = {
    "price": _price,
    "outside": _outside,
    "aborted": _aborted,
    "not_billed": _not_billed,
    "moved_day": _moved_day,
    "cut_off": _cut_off,
    "free": _free,
    "covered": _covered,
    "decimals": _decimals,
    "unmetered_key": _unmetered_key,
    "amount_more": _amount_more,
    "amount_less": _amount_less,
    "ratio": _ratio,
    **{f"own:{kind}": _own(kind) for kind in _OWN_KINDS},
}
"""What can be put in, by name. Lines of a kind of their own have the cause that they name."""
