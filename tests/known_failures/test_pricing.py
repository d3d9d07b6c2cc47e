"""Documented failures of others between a call and its price, through the whole engine."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict

import pytest

from company import PRICES, policy, usage
from tallybook.clock import Period
from tallybook.errors import BooksError, PeriodError
from tallybook.meter import read_mapping
from tallybook.meter.ingest import ingest
from tallybook.meter.read import read_event
from tallybook.meter.sources.json_records import JsonRecords
from tallybook.post.basis import read_basis
from tallybook.post.compute import price_rows
from tallybook.post.sheet import latest_sheet
from tallybook.post.worklist import unpriced_usage
from tallybook.rate import PriceKey, price_call, row_lookup
from tallybook.report.body import json_text
from tallybook.report.explain import explain

OCTOBER = Period.parse("2026-10")
PER_MILLION = """
currency: USD
contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {%s}}
"""
CACHED = PER_MILLION % 'input_uncached: "3", cache_read: "0.30", cache_write: "3.75", output: "15"'

CONVENTIONS = {
    "exclusive": ("{from: in}", {"in": 3}),
    "inclusive": ("{from: in, minus: [write, read]}", {"in": 3 + 12_304}),
}
USAGE_MAP = """
source: wire
id: {paths: [id]}
fields: {started_at: at}
constants: {provider: X, model: x-1, team: a, feature: bot, purpose: production}
tokens: {input_uncached: %s, cache_read: read, cache_write: write, output: out}
"""


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a01_cached_tokens_are_charged_once(found_company, convention):
    """LiteLLM #9812, Bifrost #3451: 12,304 tokens written to the cache paid the input price too.

    Theirs 0.0913 for 0.0544 (the rest of the call is chosen to give their figures). Ours: the same
    amount whether the provider counts cached tokens inside its input or beside it, and 12,857
    tokens in all.
    """
    company = found_company(prices=CACHED)
    uncached, counts = CONVENTIONS[convention]
    record = {"id": "e-1", "at": "2026-10-03T10:00:00Z", "write": 12_304, "read": 0, "out": 550}
    path = company.home / "usage.json"
    path.write_text(json.dumps(record | counts))
    mapping = read_mapping((USAGE_MAP % uncached).encode(), "map.yaml", "json")
    result = ingest(
        company.store,
        JsonRecords([path], mapping),
        clock=company.clock,
        new_id=map(str, itertools.count()).__next__,
        on_progress=None,
        reject_folder=company.home,
    )
    assert (result.accepted, result.rejected) == (1, 0)
    company.run()
    assert company.balances()["Accrued:X"] == "-0.054399"
    with company.store.read() as tx:
        (line,) = latest_sheet(tx, "2026-10").lines
    assert line.tokens == 3 + 12_304 + 550


LIST = "currency: USD\n"
AS_LIST = """
currency: USD
contracts:
  - {contract: P, provider: openai, model: gpt-4.1,
     per_million_tokens: {input_uncached: "2", cache_read: "0.50", output: "8"}}
  - {contract: D, provider: openai, model: gpt-5.4, discount: "0%"}
"""
TIERS = [
    ("gpt-4.1", ""), ("gpt-4.1", "default"),
    ("gpt-5.4", ""), ("gpt-5.4", "batch"), ("gpt-5.4", "flex"),
]  # fmt: skip
SIZES, REASONING = (1, 272_000, 272_001), (0, 60)
SHAPES = {
    f"{model} {tier or 'unnamed'} {size} {reasoning}": {
        "provider": "openai",
        "started_at": "2026-10-20T10:00:00Z",  # the list prices tiers from the middle of the month
        "model": model,
        "tier": tier or None,
        "tokens": {
            "input_uncached": size - size // 2,
            "cache_read": size // 2,
            "output": 77,
            "reasoning": reasoning,
        },
    }
    for (model, tier), size, reasoning in itertools.product(TIERS, SIZES, REASONING)
}


def _by_plain_rule(company):
    """What each call costs by the rule in plain integers, by event id, in pico."""
    lookup = row_lookup(price_rows(read_basis(company.store, OCTOBER)))
    found = {}
    for name, shape in SHAPES.items():
        event = read_event(usage(name, **shape))
        key = PriceKey(event.provider, event.model, event.tier or "", event.region or "")
        found[name] = price_call(lookup, key, event.tokens, {}, event.started_us)["contract"]
    return found


def _as_explained(company):
    lines = [line.id for each in company.statements().statements for line in each.lines]
    explained = [explain(company.store, line, sample=99).calls for line in lines]
    return {call.event_id: call.contract_pico for calls in explained for call in calls.sample}


def test_a02_one_price_whatever_path_computes_it(found_company):
    """LiteLLM #11789, #40006, #35691: streaming 7x, a custom price 1.9x, the header right and 0 kept.

    The same usage over tier, context length, cache and reasoning. Ours: the engine's sum, the plain
    rule for one call and what `explain` shows per call are the same pico, under list prices and
    under contracts that equal them.
    """
    found = {}
    for name, prices in {"list": LIST, "contract": AS_LIST}.items():
        company = found_company(name, prices=prices)
        company.ingest(*(usage(key, **shape) for key, shape in SHAPES.items()))
        company.run()
        plain = _by_plain_rule(company)
        assert len(plain) == len(SHAPES) == 30
        assert _as_explained(company) == plain
        with company.store.read() as tx:
            sheet = latest_sheet(tx, "2026-10")
        assert sum(line.contract_pico for line in sheet.lines) == sum(plain.values())
        found[name] = plain
    assert found["list"] == found["contract"]


def test_a09_unpriceable_is_a_state_that_blocks_the_close(company):
    """LiteLLM #35524, #41780, #18542; Portkey: no price, so the call cost 0 and nothing was enforced.

    One call of a model that nobody prices beside one that is. Ours: it is counted apart, named on
    the worklist, and the month does not close; with a price it is charged and the month closes.
    """
    company.ingest(usage("1"), usage("2", model="x-9"))
    company.run()
    unpriced = company.statements().unpriced
    assert (unpriced.calls, unpriced.tokens) == (1, 60_000)
    (waiting,) = unpriced_usage(company.store, OCTOBER)
    assert (waiting.provider, waiting.model, waiting.calls) == ("X", "x-9", 1)
    with pytest.raises(PeriodError, match="unpriced: 1 calls"):
        company.close()
    company.apply(prices=PRICES + PRICES.splitlines()[3].replace("C1", "C3").replace("x-1", "x-9"))
    company.run()
    assert company.balances()["Charge:a:usage"] == "2.00"
    company.close()
    assert company.statements().unpriced.calls == 0


def test_a18_history_is_not_repriced(company):
    """ccusage #1636: the same tokens 2,472.81, a price table later 1,923.92; Bifrost PR 5669: 3x.

    One call in October, which is closed, and one in November, which is open; then the price
    doubles. Ours: October keeps its statement and its entries to the byte; November shows what was
    booked under the old prices taken back, and the same call under the new ones.
    """
    company.ingest(usage("o"), usage("n", started_at="2026-11-03T10:00:00Z"))
    company.run()
    company.close()
    company.run("2026-11")
    issued, entries = json_text(company.statements("2026-10")), company.journal("2026-10")
    before = {entry.id for entry in company.journal("2026-11")}

    company.apply(prices=PRICES.replace('"10"', '"20"').replace('"50"', '"100"'))
    company.run("2026-11")
    with pytest.raises(PeriodError, match="2026-10 is closed"):
        company.run("2026-10")

    assert json_text(company.statements("2026-10")) == issued
    assert company.journal("2026-10") == entries
    accrued = defaultdict(int)
    for entry in company.journal("2026-11"):
        for posting in entry.postings:
            if entry.id not in before and posting.account == "Accrued:X":
                accrued[posting.service_period, posting.price_version] += posting.amount_nano
    assert accrued == {
        ("2026-11", "2026-11-01.1"): 1_000_000_000,
        ("2026-11", "2026-11-01.2"): -2_000_000_000,
    }
    assert company.balances("2026-11")["Charge:a:usage"] == "1.00"  # the card stays as published
    assert company.failing() == {}


def test_a19_sums_do_not_drift(found_company):
    """BurnLens: 639 calls of 0.00024 were 0.1533599999999996 together. Ours: 0.15336."""
    company = found_company(prices=PER_MILLION % 'output: "10"')
    company.ingest(*(usage(f"e-{n}", tokens={"output": 24}) for n in range(639)))
    company.run()
    held = company.balances()
    assert (held["Accrued:X"], held["Charge:a:usage"]) == ("-0.15336", "0.15336")


def test_m12_calls_below_a_cent_add_up(found_company):
    """1,000 calls each below a cent, rounded one by one: 437 cents. Ours: 452 on the statement."""
    company = found_company(prices=PER_MILLION % 'output: "0.001"')
    company.ingest(
        *(usage(f"e-{n}", tokens={"output": 6_000_000}) for n in range(437)),
        *(usage(f"f-{n}", tokens={"output": 3_371_226}) for n in range(563)),
    )
    company.run()
    (line,) = [x for x in company.statements().statement("a").lines if x.kind == "usage"]
    assert line.amount_cents == 452
    assert company.balances()["Charge:a:usage"] == "4.520000238"


@pytest.mark.parametrize(("limit", "closes"), [("30%", True), ("29.999999%", False)])
def test_a19_a_figure_at_its_limit_is_within_it(found_company, limit, closes):
    """otari #691: 0.6619999999999999 decided a refusal.

    0.10 and 0.20 of 1.00 are unowned; in floats that is above 30 %. Ours: 30 % is 30 %.
    """
    company = found_company(
        policy=policy("2020-01").replace('unallocated: "100%"', f'unallocated: "{limit}"')
    )
    nobody = {"team": None, "feature": None}
    company.ingest(
        usage("1", tokens={"output": 2_000}, purpose="development", **nobody),
        usage("2", tokens={"output": 4_000}, **nobody),
        usage("3", tokens={"output": 14_000}),
    )
    company.run()
    assert company.statements().unallocated.amount_cents == 30
    if closes:
        company.close()
    else:
        with pytest.raises(PeriodError, match="unallocated: 2 calls, 30"):
            company.close()


SLIPS = {
    "per token": ("per_million_tokens: {", "per_token: {", "per_token"),
    "per thousand": ("per_million_tokens: {", "per_1k_tokens: {", "per_1k_tokens"),
    "float noise": ('"10"', '"10.000000000000002"', "as a binary float leaves them"),
    "too large": ('"10"', '"10000000000"', "is too large"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a19_a_price_in_another_unit_is_refused(company, slip):
    """LiteLLM #20615, Bifrost #3559, #5243: a price per token under a price per million, 100x.

    Ours: the unit is the key, there is one for tokens, and figures outside its bounds are refused.
    """
    good, bad, words = SLIPS[slip]
    assert good in PRICES
    with pytest.raises(BooksError, match=words):
        company.apply(prices=PRICES.replace(good, bad))
