"""The life of the company against a fold that shares no code with the engine."""

import json
from collections import defaultdict
from fractions import Fraction

import pytest

from sim.conftest import SCALE, SEED
from tallybook.clock import Period, parse_instant
from tallybook.close.late import late_usage
from tallybook.ledger.balance import trial_balance
from tallybook.ledger.state import acts, period_state
from tallybook.money import cents_of_nano
from tallybook.post.basis import read_basis
from tallybook.post.compute import price_rows
from tallybook.rate.model import PriceKey
from tallybook.rate.reference import context_of, price_call, row_lookup
from tallybook.sim.agents import runs_of
from tallybook.sim.company import CFO, CLOSED_MONTHS, POOL_ACTUALS
from tallybook.sim.traffic import Month

ZONE = "Europe/Amsterdam"
MILLION = 1_000_000
GOOGLE = {
    # per million tokens: input, cache read, output; the second row from 200,000 input tokens on
    "gemini-2.5-pro": (("1.25", "0.125", "10"), ("2.50", "0.25", "15")),
    "gemini-2.5-flash": (("0.30", "0.03", "2.50"), ("0.30", "0.03", "2.50")),
}
SONNET_CARD = {"input_uncached": "2.85", "cache_read": "0.285", "output": "14.25"}
SONNET_LATER = {"input_uncached": "2.40", "cache_read": "0.24", "output": "12.00"}
SONNET_CHANGE = parse_instant("2026-09-17T00:00:00Z")


def kept(lived, period):
    """The events that count: each id once, the first record, and nothing that was superseded."""
    records = {}
    for name in (f"{period}.jsonl", f"{period}-second.jsonl"):
        for line in (lived.done.events / name).read_text().splitlines():
            record = json.loads(line)
            records.setdefault(record["event_id"], record)
    gone = {record.get("supersedes") for record in records.values()}
    runs = [span for span in runs_of(Month.of(period, ZONE), SEED, SCALE) if "role" not in span]
    return [*runs, *(record for record in records.values() if record["event_id"] not in gone)]


def accrued_nano(lived, period, provider):
    with lived.store.read() as tx:
        rows = trial_balance(tx, period)
    return -sum(
        row.debit_nano - row.credit_nano for row in rows if row.account == f"Accrued:{provider}"
    )


@pytest.mark.parametrize("period", CLOSED_MONTHS)
def test_what_is_owed_to_one_provider_is_the_published_price_times_the_tokens(
    lived, period
) -> None:
    owed = Fraction(0)
    for record in kept(lived, period):
        if record["provider"] != "google" or "tokens" not in record:
            continue
        tokens = defaultdict(int, record["tokens"])
        long = tokens["input_uncached"] + tokens["cache_read"] > 200_000
        prices = GOOGLE[record["model"]][long]
        counts = (tokens["input_uncached"], tokens["cache_read"], tokens["output"])
        owed += sum(Fraction(p) * n / MILLION for p, n in zip(prices, counts, strict=True))
    assert owed > 0
    assert abs(accrued_nano(lived, period, "google") - owed * 10**9) <= 1


@pytest.mark.parametrize("period", CLOSED_MONTHS)
def test_charged_and_central_are_the_cost_of_every_call_and_every_pool(lived, period) -> None:
    cost = contract_cost(lived, period, kept(lived, period))
    if period == "2026-09":
        # What came late about August is paid for in September, at August's prices.
        cost += contract_cost(lived, "2026-08", records(lived, "2026-08-late.jsonl"))
    cost += sum(Fraction(amount) for amount in POOL_ACTUALS[period].values())
    issue = lived.done.pages.months[period]
    assert issue.charged_total_cents + issue.central_total_cents == issue.ledger_cost_cents
    assert issue.ledger_cost_cents == cents_of_nano(round(cost * 10**9))


def records(lived, name):
    return [json.loads(line) for line in (lived.done.events / name).read_text().splitlines()]


def contract_cost(lived, period, made):
    """What calls of a month cost at contract prices, in units."""
    basis = read_basis(lived.store, Period.parse(period))
    lookup = row_lookup(price_rows(basis))
    cost = Fraction(0)
    for record in made:
        key = PriceKey(record["provider"], record["model"], record.get("tier", ""), "")
        tokens, units = record.get("tokens", {}), record.get("units", {})
        assert context_of(tokens) == sum(n for name, n in tokens.items() if name != "output")
        started_us = parse_instant(record["started_at"])
        found = price_call(lookup, key, tokens, units, started_us, status=record["status"])
        assert isinstance(found, dict), found
        cost += Fraction(found["contract"], 10**12)
    return cost


def test_the_price_change_in_september_is_the_variance_of_the_month(lived) -> None:
    variance = Fraction(0)
    for record in kept(lived, "2026-09"):
        later = parse_instant(record["started_at"]) >= SONNET_CHANGE
        if record["model"] == "claude-sonnet-4-5" and later:
            for name, count in record.get("tokens", {}).items():
                if name in SONNET_CARD:
                    change = Fraction(SONNET_LATER[name]) - Fraction(SONNET_CARD[name])
                    variance += change * count / MILLION
    central = lived.done.pages.months["2026-09"].central
    (booked,) = [line.amount_cents for line in central if line.kind == "rate_card_variance"]
    assert booked < 0
    assert abs(booked - variance * 100) < 1


def test_two_months_are_closed_and_the_third_is_a_draft(lived) -> None:
    with lived.store.read() as tx:
        states = [period_state(tx, period) for period in lived.done.pages.months]
    assert states == ["closed", "closed", "open"]
    statuses = [issue.status for issue in lived.done.pages.months.values()]
    assert statuses == ["final", "final", "draft"]
    assert all(issue.simulated for issue in lived.done.pages.months.values())


def test_late_calls_post_into_september_and_august_stays(lived) -> None:
    late = len(records(lived, "2026-08-late.jsonl"))
    with lived.store.read() as tx:
        found = late_usage(tx)
    assert [(x.period, x.waiting, x.posted) for x in found] == [("2026-08", 0, late)]
    august, september, _ = lived.done.pages.months.values()
    assert (august.version, august.status) == (1, "final")
    lines = [x for s in september.statements for x in s.lines if x.kind == "adjustment"]
    assert 0 < sum(line.quantity.calls for line in lines) <= late
    assert all("S-2026-08-" in line.label for line in lines)


def test_september_closes_over_a_signed_waiver(lived) -> None:
    with lived.store.read() as tx:
        signed = [
            (act.actor, act.details["item"])
            for act in acts(tx, "2026-09")
            if str(act.kind) == "waiver"
        ]
    assert signed == [(CFO, "unallocated")]


def test_the_conflict_is_in_quarantine_and_duplicates_count_once(lived) -> None:
    told = next(line for line in lived.told if line.startswith("2026-08-second.jsonl"))
    assert "60 here already, 1 in quarantine" in told


def test_the_feature_that_moved_is_on_both_statements(lived) -> None:
    issue = lived.done.pages.months["2026-09"]
    for team in ("growth", "sales"):
        assert "campaign-writer" in {line.feature for line in issue.statement(team).lines}


def test_the_open_month_shows_what_has_no_price(lived) -> None:
    made = [r for r in kept(lived, "2026-10") if r["model"] == "northwind-nav-lora"]
    assert made
    assert lived.done.pages.months["2026-10"].unpriced.calls == len(made)
    for period in CLOSED_MONTHS:
        assert lived.done.pages.months[period].unpriced.calls == 0
