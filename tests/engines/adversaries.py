"""Events and prices at which engines are known to differ: bounds, blanks, extremes.

Events are sealed directly, past what ingest would refuse: an engine must not depend on that.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from company import ORG, POLICY, Company
from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.clock import Period, parse_instant
from tallybook.store.events import EVENT_SCHEMA, TEXT
from tallybook.store.seal import list_files, write_file

MAX = 2**63 - 1
ORG_OF_OCTOBER = (
    ORG % "UTC"
    + """
rules:
  - {when: {labels.region: "emea*", environment: prod}, team: b}
  - {when: {labels.o'clock: "*"}, feature: bot, from: 2026-10-15}
"""
)
PRICES_OF_OCTOBER = r"""
currency: USD
contracts:
  - {contract: plain, provider: X, model: plain, per_million_tokens: {input_uncached: "10", output: "50"}}
  - contract: long
    provider: X
    model: long
    per_million_tokens: {input_uncached: "1.000001", cache_read: "0.000001", output: "3"}
    per_unit: {web_search: "0.000000000001", request: "0.002"}
    long_context: {over: 1000, per_million_tokens: {input_uncached: "2", output: "7.5"}}
  - {contract: batch, provider: X, model: long, tier: batch, per_million_tokens: {input_uncached: "0.5", output: "1.5"}}
  - {contract: first, provider: X, model: cut, per_million_tokens: {input_uncached: "4", output: "8"}, to: "2026-10-10"}
  - {contract: second, provider: X, model: cut, per_million_tokens: {input_uncached: "2"}, from: "2026-10-10", to: "2026-10-12T07:30:00Z"}
  - {contract: third, provider: X, model: cut, per_million_tokens: {input_uncached: "999999.999999", output: "0"}, from: "2026-10-12T07:30:00Z"}
  - {contract: tiny, provider: Y, model: tiny, per_million_tokens: {input_uncached: "0.000001", output: "0.000007"}, per_unit: {minutes: "0.123456789012"}}
  - {contract: huge, provider: Y, model: huge, per_unit: {probe: "1000000"}}
"""
CAPACITY_OF_OCTOBER = """
capacity:
  - {id: ptu, kind: provisioned_throughput, pool: big, provider: X, model: "lon*", full: 310,
     monthly: "1.00", from: "2026-10-10", to: "2026-10-12T07:30:00Z"}
  - {id: Ptu, kind: provisioned_throughput, pool: big, provider: Y, model: huge, full: 310,
     monthly: "1.00", from: "2026-10-01", to: "2026-10-03T10:00:00.000001Z"}
  - {id: gpu, kind: gpu, pool: big, monthly: "310.00", from: "2026-10-16"}
"""
MODELS = (
    ("X", "plain"), ("X", "long"), ("X", "cut"), ("Y", "tiny"), ("Y", "none"), ("", "plain"),
    ("x", "plain"),
)  # fmt: skip
INSTANTS = (
    "2026-10-01T00:00:00Z", "2026-09-30T23:59:59.999999Z", "2026-10-09T23:59:59.999999Z",
    "2026-10-10T00:00:00Z", "2026-10-12T07:29:59.999999Z", "2026-10-12T07:30:00Z",
    "2026-10-12T07:30:00.000001Z", "2026-10-14T23:59:59.999999Z", "2026-10-15T00:00:00Z",
    "2026-10-31T23:59:59.999999Z", "2026-11-01T00:00:00Z",
)  # fmt: skip
TEAMS = (
    "", "a", "b", "A", "a ", " ", "o'x", "back\\slash", '"', "\N{FULLWIDTH LATIN SMALL LETTER A}",
    "\N{GRINNING FACE}", "e\N{COMBINING ACUTE ACCENT}", "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "NULL", "%s", "$start_us", ":start_us",
)  # fmt: skip
COUNTS = (0, 1, None, -7, 2**53 + 1, 999, 123_457, 2**62)
LABELS = (
    None, {}, {"region": "emea-1"}, {"region": ""}, {"o'clock": "x"}, {"Region": "emea"},
    {"region": "\\", "o'clock": "y"},
)  # fmt: skip
UNITS = (
    None, {}, {"web_search": 3}, {"web_search": None}, {"o'clock": 2**40, "web_search": 1},
    {"unheard of": 1}, {"minutes": 2**40 + 1},
)  # fmt: skip
STATES = ("reported", "estimated", "partial", "unknown")


def event(event_id: str, **changes: object) -> dict[str, object]:
    """One sealed event of team A; the fields that are not named are what ingest gives them."""
    plain: dict[str, object] = dict.fromkeys(TEXT, "")
    plain |= dict.fromkeys((*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE), 0)
    plain |= {
        "event_id": event_id,
        "source": "gateway",
        "started_us": parse_instant("2026-10-03T10:00:00Z"),
        "provider": "X",
        "model": "plain",
        "team": "a",
        "feature": "bot",
        "state": "reported",
        "status": "ok",
        "context_tokens": 0,
        "total_tokens": 0,
        "units": {},
        "labels": {},
        "key": sha256(event_id.encode()).digest()[:16],
        "record": sha256(b"record" + event_id.encode()).digest()[:16],
    }
    return plain | changes


def adversarial_events(count: int) -> list[dict[str, object]]:
    """Every value of each list beside every value of most others; and the largest amount."""
    made = [_mixed(n) for n in range(count)]
    made += largest(10)
    return made + [
        event(f"again-{n}", supersedes=f"mixed-{n}", input_uncached=n, source=source)
        for n, source in ((3, "gateway"), (5, "elsewhere"), (8, "gateway"), (13, "gateway"))
    ]


def _mixed(n: int) -> dict[str, object]:
    provider, model = MODELS[n % len(MODELS)]
    steps = {
        "started_us": parse_instant(INSTANTS[n // 3 % len(INSTANTS)]),
        "team": TEAMS[n % len(TEAMS)],
        "feature": ("", "bot", "find", "gone")[n // 5 % 4],
        "labels": LABELS[n // 7 % len(LABELS)],
        "units": UNITS[n // 2 % len(UNITS)],
        "input_uncached": COUNTS[n // 11 % len(COUNTS)],
        "cache_read": (0, 5)[n // 13 % 2],
        "output": COUNTS[n % len(COUNTS)],
        "context_tokens": (0, 999, 1000, 1001, MAX)[n // 17 % 5],
        "tier": ("", "batch", "BATCH")[n // 19 % 3],
        "state": STATES[n // 23 % len(STATES)],
        "status": ("ok", "error")[n // 29 % 2],
        "environment": ("prod", "")[n // 31 % 2],
        "key_id": ("", "key-b")[n // 37 % 2],
        "service": ("", "retrieval")[n // 41 % 2],
    }
    return event(f"mixed-{n}", provider=provider, model=model, **steps)


def largest(count: int, **changes: object) -> list[dict[str, object]]:
    """Calls of 2^63 - 1 units at 10^18 pico each, the largest price: ten come to 9.2 x 10^37."""
    return [
        event(f"largest-{n}-{changes}", provider="Y", model="huge", team="b", feature="find",
              units={"probe": MAX}) | changes
        for n in range(count)
    ]  # fmt: skip


def overflowing_sum() -> list[dict[str, object]]:
    """Each product fits, their sum does not: past 10^38 and past 2^127."""
    return largest(10) + largest(10, status="error")


def sealed_books(
    folder: Path, events: list[dict[str, object]], prices: str = PRICES_OF_OCTOBER
) -> Company:
    """Books with these events in two files of October, and a correction from another month."""
    company = Company(folder)
    policy = POLICY % "2020-01"
    company.apply(org=ORG_OF_OCTOBER, policy=policy, prices=prices)
    halves = (events[::2], events[1::2])
    files = [
        write_file(company.store, as_table(half), Period(2026, 10), f"part-{n}")
        for n, half in enumerate(halves)
        if half
    ]
    november = parse_instant("2026-11-02T00:00:00Z")
    other = event("november", started_us=november, supersedes="mixed-21")
    files.append(write_file(company.store, as_table([other]), Period(2026, 11), "november"))
    with company.store.write() as tx:
        list_files(tx, files)
    return company


def as_table(events: list[dict[str, object]]) -> pa.Table:
    rows = [
        {**one, **{name: _entries(one[name]) for name in ("units", "labels")}} for one in events
    ]
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def _entries(value: object) -> object:
    return list(value.items()) if isinstance(value, dict) else value
