"""Small random companies: four policy files, events in files, pool amounts; all from one seed.

Every company has what goes wrong in real ones: reorganisations in mid-month, models mixed, records
twice or contradicting each other, corrections before what they correct, calls that nobody owns,
nobody measured or nobody has a price for, and instants on the very edges of month, price and row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random

PERIOD = "2026-10"
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
TEAMS = ("ant", "bee", "cat", "dog", "idle")
SERVICES = ("fetch", "agent", "nobody-knows")
EDGES = (
    *("2026-09-30T18:29:59.999999Z", "2026-09-30T18:30:00Z", "2026-09-30T23:59:59.999999Z"),
    *("2026-10-01T00:00:00Z", "2026-10-01T03:59:59.999Z", "2026-10-01T04:00:00.000000Z"),
    *("2026-10-12T00:00:00Z", "2026-10-11T23:59:59.9999999Z", "2026-10-15T00:00:00Z"),
    *("2026-10-15T04:00:00Z", "2026-10-15T05:29:00+05:30", "2026-10-31T23:59:59.999999Z"),
    *("2026-10-31T18:30:00Z", "2026-11-01T00:00:00Z", "2026-11-01T03:59:59.999999Z"),
)

ORG = """
company: {{name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: {zone}}}
business_units: [{{id: all, name: All, legal_entity: acme}}]
teams:
  - {{id: ant, name: Ant, unit: all, cost_center: "1"}}
  - {{id: bee, name: Bee, unit: all, cost_center: "2"}}
  - {{id: cat, name: Cat, unit: all, cost_center: "3"}}
  - {{id: dog, name: Dog, unit: all, cost_center: "4", from: 2026-10-15}}
  - {{id: idle, name: Idle, unit: all, cost_center: "5"}}
  - {{id: platform, name: Platform, unit: all, cost_center: "9"}}
features:
  - {{id: bot, team: ant, name: Bot}}
  - {{id: find, team: bee, name: Find}}
  - {{id: moves, team: {before}, name: Moves, to: 2026-10-15}}
  - {{id: moves, team: {after}, name: Moves, from: 2026-10-15}}
  - {{id: ends, team: cat, name: Ends, to: 2026-10-20}}
  - {{id: quiet, team: idle, name: Quiet}}
  - {{id: infra, team: platform, name: Infra}}
services:
  - {{id: fetch, name: Fetch, team: bee, transfer: caller_pays}}
  - {{id: agent, name: Agent, team: cat, to: 2026-10-15}}
  - {{id: agent, name: Agent, team: ant, from: 2026-10-15}}
keys:
  - {{id: k-bot, feature: bot, purpose: production}}
  - {{id: k-bee, team: bee, purpose: evaluation}}
  - {{id: k-cat, team: cat, to: 2026-10-12}}
rules:
  - {{when: {{endpoint: "/b?t", labels.kind: "a*z"}}, feature: bot, purpose: experiment}}
  - {{when: {{environment: ci}}, team: platform, purpose: development, from: 2026-10-05}}
  - {{when: {{environment: "?*", model: "x-*"}}, feature: find, to: 2026-10-12}}
  - {{when: {{team: cat, environment: qa}}, feature: moves, purpose: evaluation}}
unowned: {{team: platform}}
"""

PRICES = """
currency: USD
contracts:
  - {{contract: A, provider: X, model: x-big, per_million_tokens: {{input_uncached: "{p0}", cache_read: "0.333333",
     output: "{p1}"}}, long_context: {{over: 1000, per_million_tokens: {{input_uncached: "{p2}", output: "17.5"}}}},
     to: 2026-10-12}}
  - {{contract: B, provider: X, model: x-big, per_million_tokens: {{input_uncached: "{p3}", cache_read: "0.25",
     output: "{p1}"}}, from: 2026-10-12}}
  - {{contract: C, provider: X, model: x-new, per_million_tokens: {{input_uncached: "1.000001", output: "2"}},
     per_unit: {{web_search: "0.01"}}, from: 2026-10-12}}
  - {{contract: D, provider: X, model: "x-*", tier: batch, per_million_tokens: {{input_uncached: "{p4}", output: "3"}}}}
  - {{contract: E, provider: Y, per_million_tokens: {{input_uncached: "3.141592", cache_write_5m: "4",
     cache_read: "0.1", output: "{p5}", audio_input: "9"}}, per_unit: {{web_search: "0.000000000001", minute: "{p6}"}}}}
  - {{contract: F, provider: Y, model: "y-*", tier: all, region: eu, per_million_tokens: {{input_uncached: "5",
     cache_read: "0.5", output: "6"}}, from: 2026-10-03, to: 2026-10-28}}
  - {{contract: H, provider: Y, model: "y-*", tier: batch, per_million_tokens: {{input_uncached: "7", output: "8"}}}}
  - {{contract: G, provider: Y, model: y-fee, per_million_tokens: {{output: "1"}}, per_unit: {{request: "0.005"}}}}
"""

MODELS = (
    "model: showback",
    "model: proportional",
    'model: real_cost, markup: "15%"',
    'model: real_cost, markup: "12.5%"',
    "model: use_case_budget, charge: actual",
    "model: use_case_budget, charge: committed",
)


@dataclass(frozen=True, slots=True)
class Company:
    """Texts of the policy files, files of events in the order of arrival, pools and their cost.

    With `first` the company starts under those files and runs the month after the first file.
    """

    books: dict[str, str]
    files: tuple[tuple[dict[str, object], ...], ...]
    actuals: dict[str, str]
    first: dict[str, str] | None = None

    @property
    def events(self) -> list[dict[str, object]]:
        return [event for file in self.files for event in file]


def company(seed: int) -> Company:
    luck = Random(f"company {seed}")
    pools = some_pools(luck)
    pooled = luck.random() < 0.6
    before, after = luck.sample(["ant", "bee", "cat", "platform"], 2)
    books = {
        "org": ORG.format(zone=luck.choice(ZONES), before=before, after=after),
        "policy": policy(luck, pools, pooled=pooled),
        "prices": PRICES.format(**{f"p{n}": price(luck) for n in range(7)}),
        "budgets": budgets(luck),
    }
    actuals = {name: price(luck) for name in pools if luck.random() < 0.8}
    return Company(books, deliveries(luck), actuals)


def reorganised(seed: int) -> Company:
    """The company of a seed, which began the month under another org chart, policy and budgets.

    Prices and time zone stay: what the first run published is frozen.
    """
    luck, made = Random(f"first {seed}"), company(seed)
    zone = next(zone for zone in ZONES if f"timezone: {zone}" in made.books["org"])
    before, after = luck.sample(["ant", "bee", "cat", "platform"], 2)
    first = made.books | {
        "org": ORG.format(zone=zone, before=before, after=after),
        "policy": policy(luck, some_pools(luck), pooled=luck.random() < 0.5),
        "budgets": budgets(luck),
    }
    return replace(made, first=first)


def under(made: Company, terms: str) -> Company:
    """The same company with every team on one model."""
    head, _, tail = made.books["policy"].partition("  - effective_from: 2026-10")
    own = tuple(f"      {team}: {{model" for team in TEAMS)
    lines = [x for x in tail.split("\n") if not x.startswith(("    default", "    teams", *own))]
    lines.insert(1, f"    default: {{{terms}}}")
    text = f"{head}  - effective_from: 2026-10" + "\n".join(lines)
    return replace(made, books=made.books | {"policy": text})


def price(luck: Random) -> str:
    return f"{luck.randrange(1, 90)}.{luck.randrange(100):02}"


def some_pools(luck: Random) -> dict[str, str]:
    """Up to three pools with drivers, floors and ways to be recovered."""
    pools = {}
    for name in ("gateway", "logs", "vault")[: luck.randrange(4)]:
        driver = luck.choice(["calls", "tokens", "cost", "production_cost", "equal", "fixed"])
        row = f'monthly: "{price(luck)}", driver: {driver}'
        row += f", recovered_by: {luck.choice(['markup', 'driver'])}"
        if driver == "fixed":
            weights = ", ".join(f"{team}: {luck.randrange(1, 5)}" for team in TEAMS[:3])
            row += f", weights: {{{weights}}}"
        elif luck.random() < 0.5:
            row += f', floor: "{luck.choice(["1.00", "7.77", "60.00"])}"'
        pools[name] = row
    return pools


def policy(luck: Random, pools: dict[str, str], *, pooled: bool) -> str:
    rows = [f"      - {{id: {name}, {row}}}" for name, row in pools.items()]
    if pooled:
        driver = luck.choice(["production_cost", "calls", "equal"])
        rows.append(f"      - {{id: quality, driver: {driver}}}")
    funding = "funding: pooled, pool: quality" if pooled else "funding: charged"
    uniform = luck.random() < 0.3
    teams = [] if uniform else luck.sample(TEAMS, luck.randrange(1, 5))
    return "\n".join(
        [
            "versions:",
            "  - effective_from: 2026-01",
            "    default: {model: showback}",
            "  - effective_from: 2026-10",
            f"    default: {{{luck.choice(MODELS)}}}",
            "    teams: {}" if not teams else "    teams:",
            *(f"      {team}: {{{luck.choice(MODELS)}}}" for team in teams),
            "    rate_card: {basis: contract, freeze: monthly}",
            "    pool_method: direct",
            "    pools:" if rows else "    pools: []",
            *rows,
            f"    evaluation: {{{funding}}}",
            "    variance: absorb",
        ]
    )


def budgets(luck: Random) -> str:
    """Budgets for some features, one of them never touched and one always overrun."""
    names = luck.sample(["bot", "find", "moves", "quiet"], luck.randrange(1, 5))
    drawn = {name: price(luck) for name in names}
    if "find" in drawn:
        drawn["find"] = f"0.0{drawn['find'].replace('.', '')}"  # always overrun
    rows = [f'  - {{feature: {name}, from: 2026-01, monthly: "{x}"}}' for name, x in drawn.items()]
    more = (
        f'  - {{feature: {names[0]}, month: {month}, amount: "2.50", approved_by: fin,'
        f" approved_on: {month}-09}}"
        for month in ("2026-10", "2026-11")
    )
    return "\n".join(["budgets:", *rows, "increases:", *more])


def deliveries(luck: Random) -> tuple[tuple[dict[str, object], ...], ...]:
    """Two files of events: calls, then what repeats, contradicts and corrects them, shuffled."""
    calls = [call(luck, f"e-{n}") for n in range(luck.randrange(1, 70))]
    again = [dict(luck.choice(calls), user="u-1") for _ in range(5)]
    other = [dict(luck.choice(calls), latency_ms=n + 1, team="ant") for n in range(3)]
    elsewhere = [dict(luck.choice(calls), source="import") for _ in range(2)]
    corrected = [
        call(luck, f"c-{n}") | {"supersedes": old["event_id"]}
        for n, old in enumerate(luck.sample(calls, min(4, len(calls))))
    ]
    chained = [call(luck, "cc") | {"supersedes": "c-0"}, call(luck, "c-x") | {"supersedes": "e-x"}]
    twice = [call(luck, "c-late") | {"supersedes": corrected[0]["supersedes"]}]
    events = [*calls, *again, *other, *elsewhere, *corrected, *chained, *twice]
    luck.shuffle(events)
    cut = luck.randrange(len(events))
    return tuple(events[:cut]), tuple(events[cut:])


def call(luck: Random, event_id: str) -> dict[str, object]:
    """One event that says more or less about itself."""
    provider = luck.choice("XXY")
    models = {"X": ["x-big", "x-big", "x-new", "x-lost"], "Y": ["y-one", "y-fee", "other"]}
    event: dict[str, object] = {
        "event_id": event_id,
        "source": "gateway",
        "started_at": started_at(luck),
        "provider": provider,
        "model": luck.choice(models[provider]),
    }
    event |= usage(luck)
    options = {
        "tier": ["standard", "batch"],
        "region": ["eu", "us"],
        "team": ["ant", "bee", "cat", "dog", "platform", "gone", ""],
        "feature": ["bot", "find", "moves", "moves", "ends", "infra", "gone", ""],
        "purpose": ["production", "production", "evaluation", "experiment", "batch"],
        "key_id": ["k-bot", "k-bee", "k-cat", "k-none"],
        "service": [*SERVICES],
        "environment": ["ci", "prod", "qa"],
        "endpoint": ["/bot", "/boot"],
        "labels": [{"kind": "abcz"}, {"kind": "abc"}],
    }
    often = {"purpose": 0.8, "feature": 0.5, "tier": 0.15, "region": 0.3}
    for field, values in options.items():
        if luck.random() < often.get(field, 0.35):
            event[field] = luck.choice(values)
    return {key: value for key, value in event.items() if value != ""}


def started_at(luck: Random) -> str:
    if luck.random() < 0.2:
        return luck.choice(EDGES)
    day, hour = luck.randrange(1, 32), luck.randrange(24)
    return f"2026-10-{day:02}T{hour:02}:{luck.randrange(60):02}:00.{luck.randrange(1000):03}Z"


def usage(luck: Random) -> dict[str, object]:
    """Token classes and units; now and then estimated, null, nothing at all, or an error."""
    kind = luck.randrange(20)
    if kind == 0:
        return {}
    if kind == 1:
        return {"status": "error"}
    if kind == 2:
        return {"tokens": {"input_uncached": None, "output": 1000}}
    tokens = {"input_uncached": luck.choice([0, 999, 1000, 1001, luck.randrange(900_000)])}
    tokens["output"] = luck.randrange(300_000)
    if luck.random() < 0.4:
        tokens |= {"cache_read": luck.choice([0, 1, 50_000]), "reasoning": 5}
    if luck.random() < 0.05:
        tokens |= {"audio_input": 77_777}
    found: dict[str, object] = {"tokens": tokens}
    if luck.random() < 0.1:
        found["units"] = {"web_search": luck.randrange(4)}
    if luck.random() < 0.05:
        found = {"units": {"minute": 2}}
    return found | ({"usage": "estimated"} if kind == 3 else {})


def jsonl(events: tuple[dict[str, object], ...]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)
