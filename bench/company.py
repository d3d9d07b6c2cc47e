"""The books of a made-up company of 200 teams, 2,000 features and 60 models, as policy files."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

PERIOD: Final = "2026-09"
TEAMS: Final = 200
FEATURES: Final = 2_000
MODELS: Final = 60
PROVIDERS: Final = ("anthropic", "azure", "bedrock", "google", "mistral", "openai")
SERVICES: Final = 20
PRICE_DATES: Final = ("2026-08-01", "2026-09-11", "2026-09-21")
ORG_CHANGE: Final = "2026-09-16"
RULE_FROM: Final = "2026-09-10"


def write_books(folder: Path, *, transfers: bool = False) -> None:
    """Write org, policy and prices; event generation names the same ids."""
    folder.mkdir(parents=True, exist_ok=True)
    org = with_transfers(_org()) if transfers else _org()
    for kind, form in (("org", org), ("policy", _policy()), ("prices", _prices())):
        text = yaml.safe_dump(form, sort_keys=False)
        (folder / f"{kind}.yaml").write_text(text, encoding="utf-8")


def with_transfers(org: dict[str, Any]) -> dict[str, Any]:
    """The org with each rule between teams at some service."""
    rules = (
        {"transfer": "callee_absorbs"},
        {"transfer": "split", "weights": {"callee": 3, "caller": 7}},
        {"transfer": "transfer_price", "price": "0.002", "per": "call"},
    )
    rows = [
        row | (deepcopy(rules[n % 5]) if n % 5 < len(rules) else {})
        for n, row in enumerate(org["services"])
    ]
    return {**org, "services": rows}


def _org() -> dict[str, Any]:
    return {
        "company": {
            "name": "Bench",
            "currency": "USD",
            "fiscal_year_start": "2026-01",
            "timezone": "UTC",
        },
        "business_units": [{"id": "all", "name": "All", "legal_entity": "bench"}],
        "teams": [
            {
                "id": f"team-{n:03d}",
                "name": f"Team {n}",
                "unit": "all",
                "cost_center": str(4000 + n),
                "owners": {"finance": "finance@bench.example"},
            }
            for n in range(TEAMS)
        ],
        "features": _features(),
        "services": [
            {"id": f"service-{n:02d}", "name": f"Service {n}", "team": f"team-{n:03d}"}
            for n in range(SERVICES)
        ],
        "keys": [
            {"id": f"vk-{n:03d}-{purpose}", "team": f"team-{n:03d}", "purpose": purpose}
            for n in range(TEAMS)
            for purpose in ("production", "development")
        ],
        "rules": [
            {"when": {"endpoint": "/v1/chat-3"}, "feature": "feature-0003", "from": RULE_FROM}
        ],
        "unowned": {"team": "team-000"},
    }


def _features() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"id": f"feature-{n:04d}", "team": f"team-{n % TEAMS:03d}", "name": f"Feature {n}"}
        for n in range(FEATURES)
    ]
    moved = rows[7]
    rows.append({**moved, "team": "team-100", "from": ORG_CHANGE})
    rows[7] = {**moved, "to": ORG_CHANGE}
    return rows


def _policy() -> dict[str, Any]:
    models = ("showback", "proportional", "use_case_budget")
    return {
        "versions": [
            {
                "effective_from": "2026-01",
                "default": {"model": "real_cost", "markup": "15%"},
                "teams": {f"team-{n:03d}": {"model": models[n % 3]} for n in range(1, 61)},
                "rate_card": {"basis": "contract", "freeze": "monthly"},
                "pool_method": "direct",
                "pools": [
                    {
                        "id": "gateway",
                        "monthly": "4200.00",
                        "driver": "calls",
                        "recovered_by": "driver",
                    },
                    {
                        "id": "governance",
                        "monthly": "9000.00",
                        "driver": "cost",
                        "recovered_by": "driver",
                    },
                ],
                "evaluation": {"funding": "charged"},
                "variance": "absorb",
                "limits": {"unallocated": "100%"},
            }
        ]
    }


def _prices() -> dict[str, Any]:
    ends = (*PRICE_DATES[1:], None)
    return {
        "currency": "USD",
        "contracts": [
            _contract(model, cents, start, end)
            for model in range(MODELS)
            for cents, (start, end) in enumerate(zip(PRICE_DATES, ends, strict=True))
        ],
    }


def _contract(model: int, cents: int, start: str, end: str | None) -> dict[str, Any]:
    """Input at 0.50 to 6.40 per million tokens, cheaper by a cent from each date to the next."""
    whole = 50 + 10 * model - cents
    row: dict[str, Any] = {
        "contract": f"BENCH-{model}",
        "provider": PROVIDERS[model // 10],
        "model": f"model-{model:02d}",
        "tier": "all",
        "per_million_tokens": _per_million(whole),
        "per_unit": {"web_search": "0.009"},
        "from": start,
    }
    if model % 5 == 0:
        row["long_context"] = {"over": 200_000, "per_million_tokens": _per_million(2 * whole)}
    return row if end is None else {**row, "to": end}


def _per_million(cents: int) -> dict[str, str]:
    return {
        "input_uncached": _units(cents * 100),
        "cache_read": _units(cents * 10),
        "cache_write_5m": _units(cents * 125),
        "output": _units(cents * 500),
    }


def _units(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04d}"
