"""What the year owes beside metered usage: prepaid credits, commitments, capacity, completeness.

It is declared in the policy files, calls run on it, and providers bill it: a credit as they count
it, the minimum of a term, capacity by its product; each as it was accrued or a little off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import Any, Final

from tallybook.clock import Period, format_instant
from tallybook.reconcile.model import DAY_US
from tallybook.sim.invoices.company import AZURE, YEAR, days_of
from tallybook.sim.invoices.model import KEY, BilledLine, MonthBill
from tallybook.sim.oracle.beside import Beside

TIER: Final = "provisioned"
PRODUCTS: Final[Mapping[str, str]] = {"azure": "Provisioned Throughput", "openai": "Hosting"}
"""How invoices call capacity."""
DEALS: Final = {"small": ("2026-04", "2026-09", "2026-12"), "aws": ("2026-12",)}
"""In which months of a provider a term ends."""
POLICY: Final[Mapping[str, Any]] = {
    "completeness": {
        "months": 3, "cap": "5%", "bear": "central",
        "causes": ["unmetered_key", "outside_gateway", "aborted_streams"],
    },
    "teams": {"bee": {"model": "use_case_budget", "charge": "actual"}},
    "pools": [
        {"id": "big", "driver": "capacity", "reserved": {"bee": "20%"}, "idle": "ant"},
        {"id": "tuned", "driver": "capacity", "idle": "bee"},
        {"id": "own", "driver": "capacity", "idle": "platform"},
    ],
}  # fmt: skip
_UNITS: Final = 10**9
"""pico of a dollar, in thousandths"""


def terms(luck: Random) -> dict[str, Any]:
    """The rows of `prices.yaml` beside contracts and rates."""
    return {
        "credits": [
            _credit(luck, "gift", "0", ("01-10", "03-15")),
            _credit(luck, "pack", "80", ("02-01", "05-20")),
            _credit(luck, "more", "95", ("05-05", "10-01")),
            _credit(luck, "last", "100", ("10-12", "12-20")),
        ],
        "commitments": [
            _deal("spring", "small", (1, 4), _dollars(luck, 1_000, 3_000)),
            _deal("summer", "small", (5, 9), _dollars(luck, 500, 3_000)),
            _deal("winter", "small", (10, 12), _dollars(luck, 10, 1_500)),
            _deal("whole", "aws", (1, 12), _dollars(luck, 5_000, 12_000)),
        ],
        "capacity": [
            {"id": "ptu", "kind": "provisioned_throughput", "pool": "big", "provider": "azure",
             "model": AZURE.model, "tier": TIER, "hourly": _dollars(luck, 1, 3), "count": 20,
             "full": luck.randrange(60, 240) * 10**6, "product": "Provisioned*",
             "from": f"{YEAR}-01-11", "to": f"{YEAR}-11-16"},
            {"id": "tuned", "kind": "hosting", "pool": "tuned", "provider": "openai",
             "monthly": _dollars(luck, 100, 900), "product": "Hosting*", "from": f"{YEAR}-02-01"},
            {"id": "run", "kind": "training", "pool": "tuned", "provider": "openai",
             "once": _dollars(luck, 100, 900), "product": "Hosting*", "from": f"{YEAR}-02-04"},
            {"id": "gpu", "kind": "gpu", "pool": "own", "monthly": _dollars(luck, 100, 900),
             "from": f"{YEAR}-01-01"},
        ],
    }  # fmt: skip


def _dollars(luck: Random, least: int, most: int) -> str:
    """An amount with three decimals."""
    whole, rest = divmod(luck.randrange(1000 * least, 1000 * most), 1000)
    return f"{whole}.{rest:03}"


def _credit(luck: Random, name: str, percent: str, held: tuple[str, str]) -> dict[str, str]:
    amount = luck.randrange(50, 3_000)
    whole, rest = divmod(amount * int(percent), 100)
    bought, expires = (f"{YEAR}-{day}" for day in held)
    return {"id": name, "provider": "openai", "amount": str(amount), "cost": f"{whole}.{rest:02}",
            "bought": bought, "expires": expires}  # fmt: skip


def _deal(name: str, provider: str, months: tuple[int, int], amount: str) -> dict[str, str]:
    until = Period(YEAR, months[1]).next()
    return {"id": name, "provider": provider, "amount": amount,
            "from": f"{YEAR}-{months[0]:02}", "to": str(until)}  # fmt: skip


def capacity_calls(luck: Random, period: Period, start_us: int) -> Iterator[dict[str, object]]:
    """Two calls a day of two teams on provisioned throughput, while it stands."""
    for day in range(days_of(period)):
        date = f"{period}-{day + 1:02}"
        if not f"{YEAR}-01-11" <= date < f"{YEAR}-11-16":
            continue
        for team, feature, most in (("ant", "bot", 5_000_000), ("bee", "cat", 2_000_000)):
            tokens = {"input_uncached": luck.randrange(1, most), "output": luck.randrange(1, most)}
            yield {
                "event_id": f"ptu-{team}-{date}", "source": "gateway",
                "started_at": format_instant(start_us + day * DAY_US + DAY_US // 3),
                "provider": AZURE.name, "model": AZURE.model, "tier": TIER, "tokens": tokens,
                "team": team, "feature": feature, "purpose": "production", "key_id": KEY,
                "status": "ok",
            }  # fmt: skip


def bill_terms(luck: Random, bill: MonthBill, beside: Beside) -> None:
    """Put on an invoice what its provider bills of terms: as accrued, or a little off."""
    name, period = bill.sold.name, bill.period
    if name in PRODUCTS:
        owed = beside.owed(name, period, "capacity")
        _put(luck, bill, BilledLine("usage", 0, product=PRODUCTS[name], quantity=1), owed)
    if period in DEALS.get(name, ()):
        kind = "minimum" if "minimum" in bill.sold.own else "commitment"
        _put(luck, bill, BilledLine(kind, 0), beside.owed(name, period, "commitment"))
    if name == "openai":
        _put(luck, bill, BilledLine("credit", 0), beside.owed(name, period, "prepaid"))


def _put(luck: Random, bill: MonthBill, line: BilledLine, owed: Fraction) -> None:
    if not owed:
        return
    off = luck.choice([0, 0, 1]) * luck.randrange(-(10**4), 10**4)
    line.amount_pico = (int(owed * 1000) + off) * _UNITS
    line.key = KEY if line.product else ""
    bill.lines.append(line)
    bill.put("commitment" if line.product else line.kind, "", line.amount_pico)
