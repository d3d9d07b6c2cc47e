from collections import Counter, defaultdict
from random import Random

import pytest

from tallybook.clock import parse_instant
from tallybook.meter.read import read_event
from tallybook.sim.traffic import Month, calls_of, spread

ZONE = "Europe/Amsterdam"
MONTH = Month.of("2026-09", ZONE)


def test_the_same_seed_makes_the_same_calls_and_another_seed_others() -> None:
    first = calls_of(MONTH, 1, 50)
    assert calls_of(MONTH, 1, 50) == first
    assert calls_of(MONTH, 2, 50) != first


def test_every_call_is_a_canonical_event_inside_the_month() -> None:
    calls = calls_of(MONTH, 1, 50)
    assert len({call["event_id"] for call in calls}) == len(calls)
    start, end = parse_instant("2026-08-31T22:00:00Z"), parse_instant("2026-09-30T22:00:00Z")
    assert all(start <= read_event(call).started_us < end for call in calls)
    assert [call["started_at"] for call in calls] == sorted(call["started_at"] for call in calls)


def test_twins_use_the_same_tokens_at_the_same_time() -> None:
    made = defaultdict(list)
    for call in calls_of(MONTH, 3, 50):
        made[call.get("feature", "")].append((call["started_at"], call.get("tokens")))
    assert made["spec-review"] == made["part-matching"] != []
    assert made["design-copilot"] == made["part-descriptions"] != []


def test_the_month_has_what_real_months_have() -> None:
    calls = calls_of(MONTH, 7, 4)
    seen = Counter(call["status"] for call in calls)
    assert seen["error"] > 0
    assert seen["client_aborted"] > 0
    usage = Counter(call.get("usage", "reported") for call in calls)
    assert usage["estimated"] > 0
    assert usage["unknown"] > 0
    assert any(call.get("attempt") == 2 for call in calls)
    assert any("web_search" in call.get("units", {}) for call in calls)
    assert any(
        call.get("evaluation_run", "").startswith("chat-regression-2026-09") for call in calls
    )
    contexts = [
        sum(count for name, count in call.get("tokens", {}).items() if name != "output")
        for call in calls
    ]
    assert max(contexts) > 272_000


def test_the_batch_tier_begins_when_the_list_has_it() -> None:
    calls = [c for c in calls_of(Month.of("2026-10", ZONE), 7, 10) if c.get("purpose") == "batch"]
    tiers = {
        (c["started_at"] >= "2026-10-15", c.get("tier"))
        for c in calls
        if c["model"] == "gpt-5-mini"
    }
    assert tiers == {(False, None), (True, "batch")}


def test_weekends_are_quieter() -> None:
    days = Counter(MONTH.days_us)
    assert sorted(set(days.values())) == [1, 6]
    saturday = parse_instant("2026-09-04T22:00:00Z")  # midnight in Amsterdam
    assert days[saturday] == 1
    assert days[saturday - 86_400_000_000] == 6


@pytest.mark.parametrize("about", [0, 1, 1000])
def test_a_spread_stays_in_its_bounds(about: int) -> None:
    draw = Random(1)
    assert all(about * 16 // 100 <= spread(draw, about) <= about * 256 // 100 for _ in range(500))
