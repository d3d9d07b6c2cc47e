"""The month's usage by token class, read from sealed events, against sums made by hand."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from company import org, usage
from tallybook.allocate.subsidy import NO_CLASS, subsidies
from tallybook.books.documents import read_folder
from tallybook.clock import FixedClock, Period, parse_instant
from tallybook.close.close import close
from tallybook.errors import PeriodError
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.post.apply import apply_documents
from tallybook.post.breakdown import month_breakdown
from tallybook.post.run import run
from tallybook.report.issue import prepare_issue
from tallybook.store.commands import Command

OCTOBER = Period.parse("2026-10")
CLOCK = FixedClock(parse_instant("2026-11-02T09:00:00Z"))
M = 10**6

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units: [{id: all, name: All, legal_entity: acme}]
teams:
  - {id: support, name: Support, unit: all, cost_center: "1", headcount: 3}
  - {id: search, name: Search, unit: all, cost_center: "2", headcount: 3}
  - {id: platform, name: Platform, unit: all, cost_center: "3", headcount: 3}
features:
  - {id: bot, team: support, name: Bot}
  - {id: find, team: search, name: Find}
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: real_cost, markup: "15%"}
    pools:
      - {id: quality, driver: production_cost}
    evaluation: {funding: pooled, pool: quality}
    limits: {unallocated: "100%", unpriced: "100%"}
"""
PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: house, model: small,
     per_million_tokens: {input_uncached: "1.00", cache_read: "0.10", output: "4.00"},
     per_unit: {web_search: "0.01"}}
  - {contract: C2, provider: house, model: "ft:small:acme:1",
     per_million_tokens: {input_uncached: "2.00", cache_read: "0.20", output: "8.00"}}
  - {contract: C3, provider: house, model: small, tier: batch,
     per_million_tokens: {input_uncached: "0.50", output: "2.00"}}
"""

USES = [
    ("bot", "small", "standard", "production", {"input_uncached": 3 * M, "output": M}, {}),
    ("bot", "small", "standard", "production", {"cache_read": 2 * M}, {"web_search": 7}),
    ("bot", "small", "batch", "production", {"input_uncached": M, "output": M}, {}),
    ("bot", "ft:small:acme:1", "standard", "production", {"output": M}, {}),
    ("find", "small", "standard", "production", {"input_uncached": M, "output": 5 * M}, {}),
    ("find", "small", "standard", "evaluation", {"output": 9 * M}, {}),
    ("find", "nowhere", "standard", "production", {"output": M}, {}),
    ("", "small", "standard", "production", {"output": 2 * M}, {}),
]
RATES = {
    ("small", "standard"): {"input_uncached": 1000, "cache_read": 100, "output": 4000},
    ("small", "batch"): {"input_uncached": 500, "output": 2000},
    ("ft:small:acme:1", "standard"): {"output": 8000},
}
"""nano per token"""


def event(number, feature, model, tier, purpose, tokens, units):
    return {
        "event_id": f"e{number}",
        "source": "test",
        "started_at": f"2026-10-{number + 1:02}T12:00:00Z",
        "provider": "house",
        "model": model,
        "tier": tier,
        "purpose": purpose,
        "tokens": tokens,
        "units": units,
        **({"feature": feature} if feature else {}),
    }


@pytest.fixture
def books(tmp_path):
    folder = tmp_path / "policy"
    folder.mkdir()
    for name, text in (("org", ORG), ("policy", POLICY), ("prices", PRICES)):
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def store(new_store, tmp_path, books):
    store = new_store("home")
    apply_documents(store, read_folder(books), Command("apply", {}, "t"), CLOCK.now_us())
    enter(store, tmp_path, USES)
    return store


def enter(store, folder, uses, first=0):
    path = folder / f"events-{first}.jsonl"
    lines = [json.dumps(event(number, *use)) for number, use in enumerate(uses, start=first)]
    path.write_text("\n".join(lines))
    taken = ingest(
        store,
        Jsonl((path,)),
        clock=CLOCK,
        new_id=lambda: "x",
        on_progress=lambda _: None,
        reject_folder=folder,
    )
    assert taken.accepted == len(uses)


def test_usage_by_class_is_what_the_events_say(store):
    found = defaultdict(lambda: [0, 0])
    for use in month_breakdown(store, OCTOBER).usage:
        held = found[use.team, use.model, use.tier, use.token_class]
        held[0] += use.tokens
        held[1] += use.card_pico
    expected = defaultdict(lambda: [0, 0])
    for feature, model, tier, purpose, tokens, units in USES:
        team = {"bot": "support", "find": "search"}.get(feature)
        if team is None or purpose == "evaluation":
            continue
        priced = (model, tier) in RATES
        for name, count in tokens.items():
            held = expected[team, *((model, tier) if priced else ("", "")), name]
            held[0] += count
            held[1] += count * RATES[model, tier][name] * 1000 if priced else 0
        if units:
            expected[team, model, tier, NO_CLASS][1] += units["web_search"] * 10**10
    assert found == expected


def test_usage_by_class_adds_up_to_the_month_s_cells(store):
    read = month_breakdown(store, OCTOBER)
    cells = [
        cell
        for cell in read.month.cells
        if cell.team != "platform" and cell.purpose != "evaluation"
    ]
    assert sum(use.tokens for use in read.usage) == sum(cell.tokens for cell in cells)
    total_pico = sum(use.card_pico for use in read.usage)
    assert total_pico == 1000 * sum(cell.card_nano for cell in cells)


def test_the_causes_of_this_month(store):
    read = month_breakdown(store, OCTOBER)
    found = subsidies(read.month, read.usage)
    assert set(found) == {"support", "search"}
    for each in ("model_price", "fine_tuning", "input_output_mix", "cache"):
        assert abs(sum(getattr(causes, each) for causes in found.values())) <= 1
        assert getattr(found["support"], each) != 0
    # Only Support reads from caches: with one price a side it pays for input that Search used.
    assert found["search"].cache < 0 < found["support"].cache


def test_a_comparison_before_the_first_run_sees_what_the_run_will(store):
    before = month_breakdown(store, OCTOBER)
    run(store, OCTOBER, clock=CLOCK, actor="t")
    after = month_breakdown(store, OCTOBER)
    assert (before.month, sorted(map(repr, before.usage))) == (
        after.month,
        sorted(map(repr, after.usage)),
    )


def test_a_closed_month_stays_as_its_last_run_saw_it(store, books, tmp_path):
    run(store, OCTOBER, clock=CLOCK, actor="t")
    open_month = month_breakdown(store, OCTOBER)
    close(store, OCTOBER, issuer=prepare_issue, clock=CLOCK, actor="t")
    (books / "policy.yaml").write_text(POLICY.replace("15%", "20%"))
    (books / "prices.yaml").write_text(PRICES.replace("4.00", "5.00"))
    apply_documents(store, read_folder(books), Command("apply", {}, "t"), CLOCK.now_us())
    enter(store, tmp_path, USES[:1], first=20)
    closed = month_breakdown(store, OCTOBER)
    assert closed.month == open_month.month
    assert sorted(map(repr, closed.usage)) == sorted(map(repr, open_month.usage))


def test_a_month_with_nothing_in_it_is_refused(store):
    with pytest.raises(PeriodError, match="2026-05 has neither usage nor cost pools"):
        month_breakdown(store, Period.parse("2026-05"))


def test_usage_by_class_is_shared_among_payers_as_the_lines_are(company):
    company.apply(org=org().replace("caller_pays", "split, weights: {callee: 3, caller: 4}"))
    odd = {"input_uncached": 10_001, "output": 333}
    company.ingest(
        *(usage(f"r{n}", service="retrieval", tokens=odd) for n in range(3)),
        usage("b", team="b", feature="find", tokens={"input_uncached": 5, "output": 1}),
    )
    made = month_breakdown(company.store, OCTOBER)
    by_class, by_cell = defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0])
    for one in made.usage:
        by_class[one.team][0] += one.tokens
        by_class[one.team][1] += one.card_pico
    for cell in made.month.cells:
        by_cell[cell.team][0] += cell.tokens
        by_cell[cell.team][1] += cell.card_pico
    assert by_class == by_cell
    assert set(by_class) == {"a", "b"}
    assert set(subsidies(made.month, made.usage)) == {"a", "b"}
