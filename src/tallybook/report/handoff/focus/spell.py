"""FOCUS rows as CSV: a version's columns in order, decimals as text, the same bytes each time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import BinaryIO, Final

from tallybook.books.faults import Sheet
from tallybook.books.meters import TOKEN_CLASSES_OUTPUT
from tallybook.books.model import Books, Org
from tallybook.books.source import read_source
from tallybook.clock import Period, format_instant
from tallybook.money import format_units
from tallybook.report.handoff.focus.model import RATIO_ONE, Part, Row, Sku
from tallybook.report.handoff.focus.usage import is_token
from tallybook.report.handoff.model import short
from tallybook.store import canonical_json

VERSIONS: Final = ("1.2", "1.4")
LINES_PER_WRITE: Final = 2_000
PICO_SCALE: Final = 12
MILLION_SCALE: Final = 6
DECIMALS_MIN: Final = 2
CACHED: Final = 65_536
RATIO_SCALE: Final = len(str(RATIO_ONE)) - 1

_CACHE_ACTIONS: Final = {"cache_read": "Read", "cache_write": "Write"}
_ALLOCATED: Final = ("MethodId", "MethodDetails", "ResourceId", "ResourceName", "Tags")


@cache
def columns_of(version: str) -> tuple[str, ...]:
    """The columns of a version, in order."""
    path = files(__package__) / "columns.yaml"
    sheet = Sheet(path.name)
    source = read_source(path.read_bytes(), sheet)
    assert source is not None, sheet.faults
    return tuple(source.data[version])


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called in a period: teams, features, and when its months begin and end.

    ``fixed`` are the values that every row has.
    """

    company: str
    fixed: Mapping[str, str]
    teams: Mapping[str, str]
    books: Books
    months: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, books: Books, period: Period) -> Names:
        """The names of the books in a period."""
        org: Org = books.org
        start_us, end_us = books.calendar.bounds_us(period)
        teams = {
            row.id: row.name
            for row in sorted(org.teams, key=lambda row: row.span.from_us)
            if row.span.from_us < end_us
        }
        fixed = {
            "BillingAccountId": short(org.company.name),
            "BillingAccountName": org.company.name,
            "BillingAccountType": "Organization",
            "BillingCurrency": org.company.currency,
            "BillingPeriodStart": _instant(start_us),
            "BillingPeriodEnd": _instant(end_us),
            "PricingCurrency": org.company.currency,
            "ServiceCategory": "AI and Machine Learning",
            "ServiceSubcategory": "Generative AI",
        }
        return cls(org.company.name, fixed, teams, books)

    def bounds(self, period: str) -> tuple[str, str]:
        """When a month begins and ends; found once for each."""
        if period not in self.months:
            start_us, end_us = self.books.calendar.bounds_us(Period.parse(period))
            self.months[period] = (_instant(start_us), _instant(end_us))
        return self.months[period]


def _instant(us: int) -> str:
    """To the second, as the specification asks: no zone is off by less."""
    return format_instant(us).replace(".000Z", "Z")


def write_rows(file: BinaryIO, rows: Iterable[Row], names: Names, version: str) -> None:
    """Write rows as CSV; no more than some lines are held at a time."""
    columns = columns_of(version)
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        values = spelled(row, names)
        writer.writerow([values.get(column, "") for column in columns])
        if number % LINES_PER_WRITE == 0:
            file.write(page.getvalue().encode())
            page.seek(0)
            page.truncate()
    file.write(page.getvalue().encode())


def spelled(row: Row, names: Names) -> dict[str, str]:
    """The values of a row under the names of every version."""
    start, end = names.bounds(row.service_period)
    bearer, provider = row.bearer, _provider(row, names)
    cost = figure(row.contract_pico, PICO_SCALE)
    effective = figure(row.effective_pico, PICO_SCALE)
    return {
        **names.fixed,
        "BilledCost": cost,
        "ChargeCategory": row.category,
        "ChargeClass": "Correction" if row.corrects else "",
        "ChargeDescription": row.description,
        "ChargeFrequency": "Usage-Based" if row.sku else "Recurring" if row.part else "One-Time",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end,
        "ContractedCost": cost,
        "EffectiveCost": effective,
        "InvoiceIssuerName": provider,
        "ListCost": figure(row.list_pico, PICO_SCALE),
        "PricingCurrencyEffectiveCost": effective,
        **_service(row, provider),
        **(_priced(row.sku, row.quantity) if row.sku and row.quantity is not None else {}),
        "SubAccountId": bearer.team,
        "SubAccountName": names.teams.get(bearer.team, bearer.team),
        "SubAccountType": "Team" if bearer.team else "",
        "Tags": _tags(bearer.team, bearer.feature, bearer.purpose, row.pool),
        **(_allocated(row.part, names) if row.part else {}),
        "x_CausedByTeam": bearer.origin,
        "x_CorrectionStep": row.step,
        "x_FeatureId": bearer.feature,
        "x_LedgerAccount": row.account,
        "x_Purpose": bearer.purpose,
        "x_RunByTeam": bearer.executor,
        "x_Service": bearer.service,
        "x_ServicePeriod": row.service_period,
        "x_UsageState": row.state,
    }


@lru_cache(maxsize=CACHED)
def _tags(team: str, feature: str = "", purpose: str = "", pool: str = "") -> str:
    tags = {"team": team, "feature": feature, "purpose": purpose, "pool": pool}
    return canonical_json({name: value for name, value in tags.items() if value})


def _provider(row: Row, names: Names) -> str:
    return row.sku.provider if row.sku else names.company


def _service(row: Row, provider: str) -> dict[str, str]:
    pool = row.pool
    named = f"{provider} inference" if row.sku else (f"Cost pool {pool}" if pool else "Adjustments")
    return {
        "HostProviderName": provider,
        "ServiceProviderName": provider,
        "ProviderName": provider,
        "PublisherName": provider,
        "ServiceName": named,
        "ResourceId": f"pool/{pool}" if pool else "",
        "ResourceName": pool,
        "ResourceType": "Cost pool" if pool else "",
    }


def _priced(sku: Sku, quantity: int) -> dict[str, str]:
    """Quantities and prices: tokens are counted raw and priced by the million."""
    said, tokens = _sku(sku), is_token(sku.meter)
    return {
        **said,
        "ConsumedQuantity": str(quantity),
        "PricingQuantity": figure(quantity, MILLION_SCALE, 0) if tokens else str(quantity),
    }


@lru_cache(maxsize=CACHED)
def _sku(sku: Sku) -> dict[str, str]:
    """What every row of a price has."""
    tokens = is_token(sku.meter)
    unit = "Tokens" if tokens else "Units" if sku.meter else "Requests"
    name = "/".join(part for part in (sku.provider, sku.model, sku.tier, sku.region) if part)
    values = {
        "ConsumedUnit": unit,
        "PricingUnit": "1000000 Tokens" if tokens else unit,
        "PricingCategory": "Other",
        "RegionId": sku.region,
        "RegionName": sku.region,
        "SkuId": f"{name}/{sku.meter}" if sku.meter else name,
        "SkuMeter": sku.meter.replace("_", " ").title() + (" Tokens" if tokens else ""),
    }
    if sku.contract_pico is None:
        return values
    listed, scale = sku.list_pico or 0, MILLION_SCALE if tokens else PICO_SCALE
    prices = {"List": figure(listed, scale), "Contracted": figure(sku.contract_pico, scale)}
    said = "/".join((values["SkuId"], prices["List"], prices["Contracted"]))
    values |= {"PricingCategory": "Standard", "SkuPriceId": said}
    values["SkuPriceDetails"] = canonical_json(_details(sku))
    for layer, price in prices.items():
        values |= {f"{layer}UnitPrice": price, f"PricingCurrency{layer}UnitPrice": price}
    return values


def _details(sku: Sku) -> dict[str, str]:
    """What tells prices apart; keys of a later draft carry ``x_``."""
    found = {"x_ModelId": sku.model, "x_ModelDeveloper": sku.provider, "x_Tier": sku.tier,
             "x_Contract": sku.contract}  # fmt: skip
    if is_token(sku.meter):
        is_output = sku.meter in TOKEN_CLASSES_OUTPUT
        found["x_TokenDirection"] = "Output" if is_output else "Input"
        if not is_output:
            kind = next((said for start, said in _CACHE_ACTIONS.items()
                         if sku.meter.startswith(start)), "Uncached")  # fmt: skip
            found["x_TokenCacheAction"] = kind
        found["x_TokenClass"] = sku.meter
    return {name: value for name, value in found.items() if value}


def _allocated(part: Part, names: Names) -> dict[str, str]:
    """The part of a split charge, under the names of 1.4 and as extensions of 1.2."""
    # JSON by hand: a ratio stands as the decimal that it is, never as a float's digits.
    ratio = figure(part.ratio, RATIO_SCALE, 1)
    driver = f', "UsageUnit": "{part.unit}", "UsageQuantity": {part.quantity}' if part.unit else ""
    resource = "/".join(each for each in (part.team, part.feature) if each)
    values = {
        "MethodId": part.method,
        "MethodDetails": f'{{"Elements": [{{"AllocatedRatio": {ratio}{driver}}}]}}',
        "ResourceId": resource,
        "ResourceName": names.teams.get(part.team, part.team),
        "Tags": _tags(part.team, part.feature),
    }
    found = {f"Allocated{name}": values[name] for name in _ALLOCATED}
    found |= {f"x_Allocated{name}": values[name] for name in _ALLOCATED}
    found |= {
        "x_SplitOriginId": part.origin,
        "x_SplitOriginCost": figure(part.origin_pico, PICO_SCALE),
    }
    return found


def figure(units: int, scale: int, decimals_min: int = DECIMALS_MIN) -> str:
    """An exact decimal without needless zeros: ``"0.0000125"``, ``"1.20"``."""
    text = format_units(units, scale)
    whole, _, decimals = text.partition(".")
    kept = decimals.rstrip("0").ljust(decimals_min, "0")
    return f"{whole}.{kept}" if kept else whole
