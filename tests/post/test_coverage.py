"""Coverage: who told of what bills, what carries no tags, where nobody told, and what to do."""

from __future__ import annotations

from company import usage
from tallybook.clock import Period
from tallybook.post.coverage import Tally, coverage

OCTOBER = Period(2026, 10)
RESPONSE = "chatcmpl-1234567890abcdef"


def covered(company, *records):
    company.ingest(*records)
    return coverage(company.store, OCTOBER)


def at(hour: int) -> dict[str, str]:
    return {"started_at": f"2026-10-03T{hour:02d}:00:00Z", "ended_at": None}


def test_calls_and_cost_by_source_add_up(company):
    found = covered(
        company,
        usage("1", source="gateway"),
        usage("2", source="gateway"),
        usage("3", source="otel", usage=None, tokens=None),
    )
    assert {one.source: one.billed.calls for one in found.sources} == {"gateway": 2, "otel": 1}
    costs = [one.billed.card_pico for one in found.sources]
    assert sum(costs) == found.total.card_pico > 0
    otel = next(one for one in found.sources if one.source == "otel")
    assert otel.states == {"unknown": 1}
    assert any(line.startswith("otel: 1 calls (100.0 %) report no usage") for line in found.advice)


def test_a_call_that_two_told_of_bills_once_and_both_told(company):
    found = covered(
        company,
        usage("1", source="gateway", response_id=RESPONSE),
        usage("2", source="otel", response_id=RESPONSE),
    )
    told = {one.source: (one.told, one.billed.calls) for one in found.sources}
    assert told == {"merged": (0, 1), "gateway": (1, 0), "otel": (1, 0)}
    assert (found.total.calls, found.beside) == (1, 2)


def test_tags_by_key_and_service(company):
    untagged = {"team": None, "feature": None, "purpose": None}
    found = covered(
        company,
        usage("1"),
        usage("2", key_id="key-b", **untagged),
        usage("3", key_id="key-x", **untagged),
    )
    by_key = {one.key_id: one for one in found.tags}
    assert by_key["key-b"].untagged.calls == by_key["key-x"].untagged.calls == 1
    assert by_key["key-b"].unowned == Tally()
    assert by_key["key-x"].unowned.calls == 1
    assert any("1 calls of key key-x have no owner" in line for line in found.advice)


def test_a_silence_is_a_gap_and_counts_what_others_told_meanwhile(company):
    found = covered(
        company,
        usage("1", source="litellm", **at(1)),
        usage("2", source="litellm", **at(12)),
        usage("3", source="otel", **at(5)),
    )
    litellm = next(one for one in found.sources if one.source == "litellm")
    hour_us = 3_600_000_000
    ((from_us, to_us),) = litellm.gaps
    assert (to_us - from_us, litellm.silent_while) == (10 * hour_us, 1)
    assert "litellm: silent while others told of 1 calls: import the missing hours" in found.advice


def test_a_month_without_usage_covers_nothing(company):
    found = coverage(company.store, OCTOBER)
    assert (found.total, found.sources, found.tags, found.advice) == (Tally(), (), (), ())
