"""The policy files of a random company as data, and the edits that its people make to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from random import Random
from typing import Any, Final

from tallybook.sim.world.model import Files

Row = dict[str, Any]

ZONES: Final = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
TEAMS: Final = ("ant", "bee", "cat", "dog", "idle")
STEADY: Final = ("ant", "bee", "cat", "platform")
POOLS: Final = ("gateway", "logs", "vault")
TERMS: Final[tuple[Row, ...]] = (
    {"model": "showback"},
    {"model": "proportional"},
    {"model": "real_cost", "markup": "15%"},
    {"model": "real_cost", "markup": "12.5%"},
    {"model": "use_case_budget", "charge": "actual"},
    {"model": "use_case_budget", "charge": "committed"},
)
_DRIVERS: Final = ("calls", "tokens", "cost", "production_cost", "equal", "fixed")
_ALWAYS: Final = "2026-01"
_NEVER: Final = "9999-12"
_SOURCES: Final = ("gateway", "import", "otel", "langfuse")
_TRANSFERS: Final = (
    *("caller_pays", "caller_pays", "callee_absorbs", "split", "transfer_price"),
    "transfer_price",
)
_OWN_FEATURE: Final = {"ant": "bot", "bee": "find", "platform": "infra"}
"""A feature that stays with its team."""


def texts_of(files: Files) -> dict[str, str]:
    """The files as text; JSON is YAML, and every amount in them is quoted."""
    return {kind: json.dumps(data, indent=1, sort_keys=True) for kind, data in files.items()}


def first_files(luck: Random, months: Sequence[str]) -> Files:
    """The files of the first day."""
    zone = luck.choice(ZONES)
    return {
        "org": org(luck, zone, months),
        "policy": {
            "versions": [
                {"effective_from": _ALWAYS, "default": {"model": "showback"}},
                *(policy(luck, month) for month in months[: luck.randrange(1, len(months) + 1)]),
            ]
        },
        "prices": prices(luck, months),
        "budgets": budgets(luck, months),
    }


def zone_of(files: Files) -> str:
    """The company's zone."""
    return str(files["org"]["company"]["timezone"])


def a_date(luck: Random, months: Sequence[str]) -> str:
    """A date well inside of one of the months."""
    return f"{luck.choice(months)}-{luck.randrange(2, 28):02}"


def an_amount(luck: Random) -> str:
    """A decimal amount as text."""
    return f"{luck.randrange(1, 90)}.{luck.randrange(100):02}"


def org(luck: Random, zone: str, months: Sequence[str]) -> Row:
    """Who answers for what: features move, end and come in mid-month, so do agents and keys."""
    teams = [
        {"id": team, "name": team.title(), "unit": "all", "cost_center": str(number),
         "headcount": luck.randrange(1, 30)}
        for number, team in enumerate((*TEAMS, "platform"), 1)
    ]  # fmt: skip
    teams[TEAMS.index("dog")]["from"] = a_date(luck, months[:1])
    return {
        "company": {"name": "World", "currency": "USD", "fiscal_year_start": _ALWAYS,
                    "timezone": zone, "simulated": True},
        "business_units": [{"id": "all", "name": "All", "legal_entity": "world"}],
        "teams": teams,
        "features": [
            {"id": "bot", "team": "ant", "name": "Bot"},
            {"id": "find", "team": "bee", "name": "Find"},
            {"id": "quiet", "team": "idle", "name": "Quiet"},
            {"id": "infra", "team": "platform", "name": "Infra"},
            {"id": "ends", "team": "cat", "name": "Ends", "to": a_date(luck, months)},
            {"id": "comes", "team": "bee", "name": "Comes", "from": a_date(luck, months)},
            *_moving(luck, {"id": "moves", "name": "Moves"}, months),
        ],
        "services": services(luck, months),
        "keys": [
            {"id": "k-bot", "feature": "bot", "purpose": "production"},
            {"id": "k-bee", "team": "bee", "purpose": "evaluation"},
            {"id": "k-cat", "team": "cat", "to": a_date(luck, months)},
            {"id": "k-own", "feature": "find", "claims": "own"},
            {"id": "k-some", "team": "cat", "claims": luck.sample(STEADY, 2)},
        ],
        "rules": _rules(luck, months),
        "unowned": {"team": "platform"},
        **({"trust": {"tags": luck.sample(_SOURCES, 2)}} if luck.randrange(4) == 0 else {}),
    }  # fmt: skip


def _moving(luck: Random, row: Row, months: Sequence[str]) -> list[Row]:
    """Rows of one thing that changes its team, from date to date without a gap."""
    dates = sorted({a_date(luck, months) for _ in range(luck.randrange(1, 4))})
    bounds = ["", *dates, ""]
    made, team = [], ""
    for begin, end in pairwise(bounds):
        team = luck.choice([other for other in STEADY if other != team])
        dated = {name: date for name, date in (("from", begin), ("to", end)) if date}
        made.append({**row, "team": team, **dated})
    return made


def services(luck: Random, months: Sequence[str]) -> list[Row]:
    """Agents and tools that change their team or their transfer rule in mid-month."""
    rows = [
        {"id": "fetch", "team": "bee", "transfer": "caller_pays"},
        *_moving(luck, {"id": "agent"}, months),
        *_moving(luck, {"id": "rank"}, months),
        *_moving(luck, {"id": "index"}, months),
    ]
    if luck.randrange(2):
        turn = a_date(luck, months)
        rows[:1] = [{"id": "fetch", "team": "bee", "to": turn},
                    {"id": "fetch", "team": "bee", "from": turn}]  # fmt: skip
    return [{**row, **_terms_of(luck, row)} for row in rows]


def _terms_of(luck: Random, row: Row) -> Row:
    """Who pays when another team calls a service, and whom its joint work serves."""
    terms: Row = {"transfer": luck.choice(_TRANSFERS)}
    if terms["transfer"] == "split":
        callee, caller = luck.sample(range(8), 2)
        terms["weights"] = {"callee": callee, "caller": caller}
    elif terms["transfer"] == "transfer_price":
        price = luck.choice([an_amount(luck), "6.00", "0.000000007", "0.1"])
        terms |= {"price": price, "per": luck.choice(["call", "outcome"])}
    if row["team"] in _OWN_FEATURE and luck.randrange(2):
        terms["feature"] = _OWN_FEATURE[row["team"]]
    if row["id"] == "index" or luck.randrange(8) == 0:
        users = {"users_of": luck.choice(["fetch", "agent", "rank"])} if luck.randrange(3) else {}
        purposes = luck.sample(["batch", "production", "experiment"], 2)
        by = luck.choice(["equal", "calls", "tokens"])
        terms["joint"] = {"purposes": purposes, "by": by, **users}
    return terms


def _rules(luck: Random, months: Sequence[str]) -> list[Row]:
    rules: list[Row] = [
        {"when": {"endpoint": "/b?t", "labels.kind": "a*z"}, "feature": "bot",
         "purpose": "experiment"},
        {"when": {"environment": "ci"}, "team": "platform", "purpose": "development",
         "from": a_date(luck, months)},
        {"when": {"environment": "?*", "model": "x-*"}, "feature": "find",
         "to": a_date(luck, months)},
        {"when": {"team": "cat", "environment": "qa"}, "feature": "moves",
         "purpose": "evaluation"},
    ]  # fmt: skip
    return luck.sample(rules, luck.randrange(len(rules) + 1))


def policy(luck: Random, month: str) -> Row:
    """A version of the policy from a month on; two in five let pools serve pools."""
    pools = [_pool(luck, name) for name in POOLS[: luck.randrange(4)]]
    pooled = luck.randrange(5) < 3  # noqa: PLR2004 - three of five
    if pooled:
        driver = luck.choice(["production_cost", "calls", "equal"])
        pools.append({"id": "quality", "driver": driver})
    version: Row = {
        "effective_from": month,
        "default": luck.choice(TERMS),
        "teams": {team: luck.choice(TERMS) for team in luck.sample(TEAMS, luck.randrange(5))},
        "rate_card": {"basis": "contract", "freeze": "monthly"},
        "pools": pools,
        "evaluation": {"funding": "pooled", "pool": "quality"}
        if pooled
        else {"funding": "charged"},
        "variance": "absorb",
    }
    return _with_flows(luck, version) if luck.randrange(5) < 2 else version  # noqa: PLR2004


def _pool(luck: Random, name: str) -> Row:
    row: Row = {
        "id": name,
        "monthly": an_amount(luck),
        "driver": luck.choice(_DRIVERS),
        "recovered_by": luck.choice(["markup", "driver"]),
    }
    if row["driver"] == "fixed":
        row["weights"] = {team: luck.randrange(1, 5) for team in TEAMS[:3]}
    elif luck.randrange(2):
        row["floor"] = luck.choice(["1.00", "7.77", "60.00"])
    return row


def _with_flows(luck: Random, version: Row) -> Row:
    """Pools that serve pools, counted by heads, with drivers to fall back on."""
    pools = deepcopy(version["pools"])
    for number, pool in enumerate(pools):
        if pool["driver"] not in {"fixed", "equal"}:
            pool["driver"] = luck.choice(["headcount", pool["driver"]])
            pool["fallback"] = luck.choice([["equal"], ["headcount"], ["cost", "equal"]])
            pool["fallback"] = [x for x in pool["fallback"] if x != pool["driver"]] or ["equal"]
        later = [other["id"] for other in pools[number + 1 :]]
        if later:
            pool["serves"] = {luck.choice(later): f"{luck.randrange(5, 60)}%"}
    method = luck.choice(["direct", "step_down", "reciprocal"])
    changed = {**version, "pools": pools, "pool_method": method}
    if method == "step_down":
        changed["pool_order"] = [pool["id"] for pool in pools if "serves" in pool]
    return changed


def budgets(luck: Random, months: Sequence[str]) -> Row:
    """Budgets of some features, one always overrun, and an increase of one month."""
    names = luck.sample(["bot", "find", "moves", "quiet"], luck.randrange(1, 5))
    drawn = {name: an_amount(luck) for name in names}
    if "find" in drawn:
        drawn["find"] = f"0.0{drawn['find'].replace('.', '')}"
    month = luck.choice(months)
    return {
        "budgets": [{"feature": n, "from": _ALWAYS, "monthly": x} for n, x in drawn.items()],
        "increases": [
            {"feature": names[0], "month": month, "amount": "2.50", "approved_by": "fin",
             "approved_on": f"{month}-09"}
        ],
    }  # fmt: skip


def prices(luck: Random, months: Sequence[str]) -> Row:
    """Contracts that change in mid-month; the model ``x-lost`` has no price."""
    turn, begin, start, end = (a_date(luck, months) for _ in range(4))
    big = {"contract": "A", "provider": "x", "model": "x-big"}
    other = {"provider": "y", "model": "y-*"}
    p = [an_amount(luck) for _ in range(7)]
    rows = [
        {**big, "per_million_tokens": {"input_uncached": p[0], "cache_read": "0.333333",
         "output": p[1]}, "long_context": {"over": 1000, "per_million_tokens":
         {"input_uncached": p[2], "output": "17.5"}}, "to": turn},
        {**big, "per_million_tokens": {"input_uncached": p[3], "cache_read": "0.25",
         "output": p[1]}, "from": turn},
        {"contract": "C", "provider": "x", "model": "x-new", "per_million_tokens":
         {"input_uncached": "1.000001", "output": "2"}, "per_unit": {"web_search": "0.01"},
         "from": begin},
        {"contract": "D", "provider": "x", "model": "x-*", "tier": "batch", "per_million_tokens":
         {"input_uncached": p[4], "output": "3"}},
        {"contract": "E", "provider": "y", "per_million_tokens": {"input_uncached": "3.141592",
         "cache_write_5m": "4", "cache_read": "0.1", "output": p[5], "audio_input": "9"},
         "per_unit": {"web_search": "0.000000000001", "minute": p[6]}},
        {**other, "contract": "H", "tier": "batch", "per_million_tokens":
         {"input_uncached": "7", "output": "8"}},
        {"contract": "G", "provider": "y", "model": "y-fee", "per_million_tokens":
         {"output": "1"}, "per_unit": {"request": "0.005"}},
    ]  # fmt: skip
    if start < end:
        rows.append(
            {**other, "contract": "F", "tier": "all", "region": "eu", "per_million_tokens":
             {"input_uncached": "5", "cache_read": "0.5", "output": "6"}, "from": start, "to": end}
        )  # fmt: skip
    return {"currency": "USD", "contracts": rows}


def repriced(luck: Random, files: Files, date: str) -> Files:
    """Every contract of one model that holds on a date gets other prices from then on."""
    changed = deepcopy(files)
    held = [
        row
        for row in changed["prices"]["contracts"]
        if row.get("from", "") < date < row.get("to", "9999")
    ]
    if held:
        row = luck.choice(held)
        later = deepcopy(row)
        later["from"], row["to"] = date, date
        later["per_million_tokens"] = dict.fromkeys(later["per_million_tokens"], an_amount(luck))
        changed["prices"]["contracts"].append(later)
    return changed


def with_lost_priced(luck: Random, files: Files) -> Files:
    """The model that had no price gets one."""
    changed = deepcopy(files)
    if all(row.get("model") != "x-lost" for row in changed["prices"]["contracts"]):
        rates = {"input_uncached": an_amount(luck), "cache_read": "0.5", "output": an_amount(luck)}
        changed["prices"]["contracts"].append(
            {"contract": "L", "provider": "x", "model": "x-lost", "per_million_tokens": rates}
        )
    return changed


def with_policy(luck: Random, files: Files, month: str) -> Files:
    """Another policy from a month on."""
    kept = [row for row in files["policy"]["versions"] if row["effective_from"] != month]
    versions = sorted([*kept, policy(luck, month)], key=lambda row: str(row["effective_from"]))
    begins = {row["id"]: row.get("from", _ALWAYS)[: len(_ALWAYS)] for row in files["org"]["teams"]}
    for at, version in enumerate(versions):
        # A version has terms only for teams that begin before the next one takes its place.
        end = versions[at + 1]["effective_from"] if at + 1 < len(versions) else _NEVER
        if teams := version.get("teams"):
            there = {team: terms for team, terms in teams.items() if begins[team] < end}
            versions[at] = {**version, "teams": there}
    return {**files, "policy": {"versions": versions}}
