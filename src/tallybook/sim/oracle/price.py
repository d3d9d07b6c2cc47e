"""What a call costs: the contract price at its instant, and the rate card of its month.

Prices are exact, in currency units per token or per unit. The most specific contract rows that
match a call price it; rows of one specificity share it by meter; what they do not name has its list
price. A call with any used meter without a price is unpriced as a whole. A fee per `request` is for
each call that is no error, whatever else is known of it. Calls on capacity pay nothing for their
tokens. A price in another currency is exchanged at the rate of the call's instant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from tallybook.sim.oracle import usage
from tallybook.sim.oracle.books import (
    Books,
    Row,
    begins,
    day_start,
    ends,
    in_force,
    instant,
    percent,
)

MILLION = 10**6
PICO = 10**12
ListPrices = Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Cost:
    """A call at contract and at the frozen rate card; both zero when unpriced.

    `capacity` is what it ran on.
    """

    contract: Fraction
    card: Fraction
    unpriced: bool
    capacity: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What chooses the price of a call, its instant apart; `context` counts its input tokens."""

    provider: str
    model: str
    tier: str
    region: str
    context: int


def cost_of(books: Books, lists: ListPrices, event: usage.Event) -> Cost:
    """Rate one call; `lists` holds prices by (provider, model) and meter, as text."""
    call = request_of(event)
    at = instant(event["started_at"])
    used = usage.quantities(event)
    ran_on = capacity_of(books, call, at)
    if ran_on:
        used = {meter: n for meter, n in used.items() if meter not in usage.TOKEN_CLASSES}
    fee = contract_price(books, lists, call, "request", at)
    if fee is not None and event.get("status") != "error":
        used["request"] = 1
    contract = [(contract_price(books, lists, call, meter, at), n) for meter, n in used.items()]
    known = bool(ran_on) or is_priced(books, lists, call, at)
    if any(price is None for price, _ in contract) or not known:
        return Cost(Fraction(0), Fraction(0), unpriced=True)
    if ran_on:
        return Cost(total(contract), total(contract), unpriced=False, capacity=ran_on)
    card = [(card_price(books, lists, call, meter), n) for meter, n in used.items()]
    return Cost(total(contract), total(card), unpriced=False)


def capacity_of(books: Books, call: Request, at: datetime) -> str:
    """The capacity that a call runs on, or ""."""
    standing = in_force(books.prices.get("capacity", []), at)
    return next((str(row["id"]) for row in standing if serves(row, call)), "")


def serves(row: Row, call: Request) -> bool:
    """Whether calls like this one run on a capacity while it stands."""
    named = {"model", "tier", "region"} & row.keys()
    return (
        bool(named)
        and row.get("provider") == call.provider
        and glob_matches(row.get("model", "*"), call.model)
        and row.get("tier", call.tier) == call.tier
        and row.get("region", call.region) == call.region
    )


def is_priced(books: Books, lists: ListPrices, call: Request, at: datetime) -> bool:
    """Whether a call has any price at all: a model without one is unpriced, whatever was used."""
    rows = in_force(books.prices.get("contracts", []), at)
    units = {unit for row in rows if fits(row, call) for unit in row.get("per_unit", {})}
    meters = {*usage.TOKEN_CLASSES, *units, *lists.get((call.provider, call.model), {})}
    return any(contract_price(books, lists, call, meter, at) is not None for meter in meters)


def total(parts: list[tuple[Fraction | None, int]]) -> Fraction:
    """Sum of price times quantity."""
    return sum((price * count for price, count in parts if price is not None), Fraction(0))


def request_of(event: usage.Event) -> Request:
    """The price key of an event."""
    return Request(
        event["provider"],
        event["model"],
        event.get("tier") or "standard",
        event.get("region") or "",
        usage.tokens_of(event, usage.INPUT_CLASSES),
    )


def contract_price(
    books: Books, lists: ListPrices, call: Request, meter: str, at: datetime
) -> Fraction | None:
    """The price of one meter at an instant, or None."""
    rows = [row for row in in_force(books.prices.get("contracts", []), at) if fits(row, call)]
    best = max((specificity(row) for row in rows), default=None)
    listed = list_price(books, lists, call, meter)
    for row in rows:
        if specificity(row) != best:
            continue
        if "discount" in row and listed is not None:
            return Fraction(round(listed * (1 - percent(row["discount"])) * PICO), PICO)
        price = named_price(row, call, meter)
        if price is not None:
            return price * rate_of(books, row.get("currency", ""), at)
    return listed


def rate_of(books: Books, currency: str, at: datetime) -> Fraction:
    """Units of the books' currency for one of another: from its UTC day until the next rate."""
    if not currency:
        return Fraction(1)
    rows = [row for row in books.prices["rates"] if row["currency"] == currency]
    begun = [row for row in rows if day_start(row["date"], ZoneInfo("UTC")) <= at]
    return Fraction(max(begun, key=lambda row: str(row["date"]))["rate"])


def card_price(books: Books, lists: ListPrices, call: Request, meter: str) -> Fraction | None:
    """The contract price at the period's first instant, else the first one later in it."""
    if books.policy.get("rate_card", {}).get("basis") == "list":
        return list_price(books, lists, call, meter)
    rows = books.prices.get("contracts", [])
    changes = {edge for row in rows for edge in (begins(row), ends(row))}
    inside = sorted(edge for edge in changes if books.start < edge < books.end)
    prices = (contract_price(books, lists, call, meter, at) for at in [books.start, *inside])
    return next((price for price in prices if price is not None), None)


def fits(row: Row, call: Request) -> bool:
    """Whether a contract row is about this call; a fixed price is for the standard tier only."""
    tier = row.get("tier", "all" if "discount" in row else "standard")
    return (
        row["provider"] == call.provider
        and glob_matches(row.get("model", "*"), call.model)
        and tier in {"all", call.tier}
        and row.get("region", "any") in {"any", "all", call.region}
    )


def glob_matches(glob: str, text: str) -> bool:
    """`*` is any text, `?` one character; case counts."""
    escaped = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in glob)
    return re.fullmatch("".join(escaped), text, re.DOTALL) is not None


def specificity(row: Row) -> tuple[int, int, bool, bool, bool]:
    """Exact model, then the longer glob, then all; named tier; named region; price, discount."""
    model = row.get("model", "*")
    literal = len(re.sub(r"[*?]", "", model))
    kind = 0 if not literal else 1 if re.search(r"[*?]", model) else 2
    tier = row.get("tier", "all" if "discount" in row else "standard")
    region = row.get("region", "any")
    named = (tier != "all", region not in {"any", "all"}, "discount" not in row)
    return (kind, literal if kind == 1 else 0, *named)


def named_price(row: Row, call: Request, meter: str) -> Fraction | None:
    """The price that a row names; above the bound that of long context where it names one."""
    long: Row = row.get("long_context", {})
    over = bool(long) and call.context > int(long["over"])
    for tokens in [long.get("per_million_tokens", {})] * over + [row.get("per_million_tokens", {})]:
        if meter in tokens:
            return Fraction(tokens[meter]) / MILLION
    units = row.get("per_unit", {})
    return Fraction(units[meter]) if meter in units else None


def list_price(books: Books, lists: ListPrices, call: Request, meter: str) -> Fraction | None:
    """The list price, of the model that an alias stands for if there is one; standard tier only."""
    key = (call.provider, call.model)
    for alias in books.prices.get("aliases", []):
        if (alias["provider"], alias["model"]) == key:
            key = (alias.get("is_provider", call.provider), alias["is"])
    text = lists.get(key, {}).get(meter)
    if text is None or call.tier != "standard":
        return None
    return Fraction(text) / MILLION if meter in usage.TOKEN_CLASSES else Fraction(text)
