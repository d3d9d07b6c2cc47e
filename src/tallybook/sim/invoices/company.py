"""The company of the year: its providers, its policy files, four price cuts and one rise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from tallybook.clock import Period
from tallybook.sim.invoices.model import PICO_PER_MILLION, Sold

BOOKS: Final = "USD"
YEAR: Final = 2026
MONTHS: Final = tuple(Period(YEAR, month) for month in range(1, 13))
OPENAI: Final = Sold(
    "openai", "gpt-5", "openai-costs",
    {"input_uncached": "gpt-5, input", "cache_read": "gpt-5, cached input",
     "output": "gpt-5, output"},
    counted=True, keyed=True, own=("credit", "discount", "tax"),
    prices={"input_uncached": "1.25", "cache_read": "0.25", "output": "10.00"},
)  # fmt: skip
AWS: Final = Sold(
    "aws", "anthropic.claude-sonnet-4-5-20250929-v1:0", "aws-cur",
    {"input_uncached": "USW2-Claude4.5Sonnet-input-token-count",
     "cache_read": "USW2-Claude4.5Sonnet-cache-read-input-token-count",
     "output": "USW2-Claude4.5Sonnet-output-token-count"},
    counted=True, keyed=True, own=("credit", "discount", "commitment", "fee", "tax"),
    prices={"input_uncached": "3.30", "cache_read": "0.33", "output": "16.50"},
)  # fmt: skip
AZURE: Final = Sold(
    "azure", "gpt-4o-2024-08-06", "azure-costs",
    {"input_uncached": "gpt-4o-0806-Inp-glbl Tokens", "output": "gpt-4o-0806-Outp-glbl Tokens"},
    counted=True, keyed=False, own=("credit", "commitment", "rounding", "tax"),
    prices={"input_uncached": "2.50", "output": "10.00"},
)  # fmt: skip
GOOGLE: Final = Sold(
    "google", "gemini-2.5-flash", "google-billing",
    {"input_uncached": "Gemini 2.5 Flash Text Input - Predictions",
     "output": "Gemini 2.5 Flash Text Output - Predictions"},
    counted=True, keyed=False,
    own=("credit", "discount", "commitment", "free_quota", "rounding", "tax"),
    prices={"input_uncached": "0.30", "output": "2.50"},
)  # fmt: skip
ANTHROPIC: Final = Sold(
    "anthropic", "claude-haiku-4-5", "anthropic-costs",
    {"input_uncached": "uncached_input_tokens", "output": "output_tokens"},
    counted=False, keyed=False, own=(),
    prices={"input_uncached": "1.00", "output": "5.00"},
)  # fmt: skip
MISTRAL: Final = Sold(
    "mistral", "mistral-large-2512", "focus",
    {"input_uncached": "Input", "output": "Output"},
    counted=True, keyed=False, own=("credit", "commitment", "fee", "tax", "other"),
    prices={"input_uncached": "0.50", "output": "1.50"}, currency="EUR",
)  # fmt: skip
SMALL: Final = Sold(
    "small", "small-1", "plain-invoice",
    {"input_uncached": "input_uncached", "output": "output"},
    counted=True, keyed=False, own=("minimum", "discount", "fee", "fx", "other", "rounding", "tax"),
    prices={"input_uncached": "4.00", "output": "8.00"},
)  # fmt: skip
PROVIDERS: Final = (OPENAI, AWS, AZURE, GOOGLE, ANTHROPIC, MISTRAL, SMALL)

CHANGES: Final = (
    (f"{YEAR}-03-10", Fraction(9, 10)),
    (f"{YEAR}-05-01", Fraction(4, 5)),
    (f"{YEAR}-07-16", Fraction(3, 4)),
    (f"{YEAR}-09-01", Fraction(1, 2)),
    (f"{YEAR}-11-12", Fraction(6, 5)),
)
"""Four cuts and one rise, each to this part of the prices at the start of the year."""
RATES: Final = (
    (f"{YEAR}-01-01", "1.150"), (f"{YEAR}-02-08", "1.184"), (f"{YEAR}-03-16", "1.206"),
    (f"{YEAR}-04-08", "1.172"), (f"{YEAR}-06-16", "1.238"), (f"{YEAR}-07-08", "1.222"),
    (f"{YEAR}-08-16", "1.268"), (f"{YEAR}-10-08", "1.194"), (f"{YEAR}-12-16", "1.216"),
)  # fmt: skip
"""Dollars for a euro, from a day on; none changes at the turn of a month."""

ORG: Final[Mapping[str, Any]] = {
    "company": {"name": "Year", "currency": "USD", "fiscal_year_start": f"{YEAR}-01",
                "timezone": "UTC", "simulated": True},
    "business_units": [{"id": "all", "name": "All", "legal_entity": "year"}],
    "teams": [{"id": team, "name": team.title(), "unit": "all", "cost_center": str(number)}
              for number, team in enumerate(("ant", "bee", "platform"), 1)],
    "features": [{"id": "bot", "team": "ant", "name": "Bot"},
                 {"id": "cat", "team": "bee", "name": "Cat"}],
    "keys": [{"id": "key-shadow", "team": "bee"}],
    "unowned": {"team": "platform"},
}  # fmt: skip
POLICY: Final[Mapping[str, Any]] = {
    "versions": [
        {"effective_from": f"{YEAR}-01", "default": {"model": "real_cost", "markup": "10%"}}
    ]
}


def prices_file() -> dict[str, Any]:
    """The contracts of the year: each change of each provider ends one row and begins another."""
    rates = [{"currency": "EUR", "date": date, "rate": rate} for date, rate in RATES]
    rows = []
    for sold in PROVIDERS:
        bounds = ["" if sold.currency == BOOKS else RATES[0][0], *(date for date, _ in CHANGES), ""]
        parts = [Fraction(1), *(part for _, part in CHANGES)]
        for number, part in enumerate(parts):
            dated = {"from": bounds[number], "to": bounds[number + 1]}
            rows.append({
                "contract": f"{sold.name}-{number}", "provider": sold.name, "model": sold.model,
                "per_million_tokens": {name: _text(price_pico(sold, name, part))
                                       for name in sold.prices},
                **{name: date for name, date in dated.items() if date},
                **({"currency": sold.currency} if sold.currency != BOOKS else {}),
            })  # fmt: skip
    return {"currency": BOOKS, "contracts": rows, "rates": rates}


def price_pico(sold: Sold, token_class: str, part: Fraction) -> int:
    """Pico per token of a price at the start of the year, or at a part of it."""
    pico = Fraction(sold.prices[token_class]) * part * PICO_PER_MILLION
    assert pico.denominator == 1, "prices of the year are whole pico per token"
    return int(pico)


def _text(pico: int) -> str:
    whole, rest = divmod(pico, PICO_PER_MILLION)
    return f"{whole}.{rest:06}"


def daily_prices(sold: Sold, period: Period) -> dict[tuple[int, str], int]:
    """Pico per token by day of a month and class."""
    return {
        (day, name): price_pico(sold, name, _part(f"{period}-{day + 1:02}"))
        for day in range(days_of(period))
        for name in sold.prices
    }


def daily_rates(period: Period) -> dict[int, Fraction]:
    """Dollars for a euro by day of a month."""
    return {day: _rate(f"{period}-{day + 1:02}") for day in range(days_of(period))}


def _rate(date: str) -> Fraction:
    return next(Fraction(rate) for begins, rate in reversed(RATES) if begins <= date)


def _part(date: str) -> Fraction:
    return next((part for begins, part in reversed(CHANGES) if begins <= date), Fraction(1))


def days_of(period: Period) -> int:
    """How many days a month has."""
    return int(period.last_day()[-2:])


def change_days(period: Period) -> Iterator[int]:
    """The days of a month on which prices or rates change, from 0."""
    for date, _ in (*CHANGES, *RATES):
        if date.startswith(str(period)):
            yield int(date[-2:]) - 1
