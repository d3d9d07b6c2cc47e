"""Cases in which engine and oracle once differed, each as small as can be, with the rule that decides."""

from __future__ import annotations

from pathlib import Path

from sim.oracle.random_company import Company
from sim.oracle.test_engine_agrees import disagreements

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units: [{id: all, name: All, legal_entity: acme}]
teams:
  - {id: ant, name: Ant, unit: all, cost_center: "1"}
  - {id: bee, name: Bee, unit: all, cost_center: "2"}
  - {id: platform, name: Platform, unit: all, cost_center: "9"}
features:
  - {id: bot, team: ant, name: Bot}
unowned: {team: platform}
"""

RULE = """
rules:
  - {when: {environment: "*"}, feature: bot}
"""

POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: use_case_budget, charge: actual}
    pools: [{id: gateway, monthly: "30.00", driver: cost, recovered_by: driver}]
    evaluation: {funding: charged}
"""

PRICES = """
contracts:
  - {contract: A, provider: X, model: large, per_million_tokens: {output: "1"}}
  - {contract: A, provider: X, model: small, per_million_tokens: {output: "0.000001"}}
"""


def call(event_id: str, **changes: object) -> dict[str, object]:
    plain = {
        "event_id": event_id,
        "source": "gateway",
        "started_at": "2026-10-05T00:00:00Z",
        "provider": "X",
        "model": "large",
        "tokens": {"output": 1_000_000},
        "team": "ant",
    }
    return plain | changes


def lives(tmp_path: Path, *files: list[dict[str, object]], org: str = ORG) -> list[str]:
    books = {"org": org, "policy": POLICY, "prices": PRICES}
    return disagreements(tmp_path / "home", Company(books, tuple(map(tuple, files)), {}))


def test_the_company_itself_agrees(tmp_path: Path) -> None:
    assert lives(tmp_path, [call("1"), call("1"), call("2", team="bee")], [call("1")]) == []


def test_a_repeat_after_a_conflict_in_one_file_is_a_duplicate(tmp_path: Path) -> None:
    """INV-06: same (source, event id) and same payload hash: no change and the same answer."""
    assert lives(tmp_path, [call("1")], [call("1", latency_ms=1), call("1")]) == []


def test_a_conflict_twice_in_one_file_is_two_conflicts(tmp_path: Path) -> None:
    """INV-06: same id, other payload: rejected, quarantined, visible."""
    other = call("1", latency_ms=1)
    assert lives(tmp_path, [call("1")], [other, other]) == []


def test_a_conflict_twice_in_two_files_is_two_conflicts(tmp_path: Path) -> None:
    other = call("1", latency_ms=1)
    assert lives(tmp_path, [call("1")], [other], [other]) == []


def test_a_refused_correction_leaves_its_id_free(tmp_path: Path) -> None:
    """INV-06: id claim and event row are written together; a failed write leaves the id free.

    In two files the engine agrees; in one it refuses the last record, and the books miss a call.
    """
    events = [call("1"), call("2", supersedes="1"), call("3", supersedes="1"), call("3")]
    assert lives(tmp_path, events) == []


def test_a_refused_correction_leaves_its_id_free_for_a_later_file(tmp_path: Path) -> None:
    events = [call("1"), call("2", supersedes="1"), call("3", supersedes="1")]
    assert lives(tmp_path, events, [call("3")]) == []


def test_a_pool_is_split_by_exact_cost(tmp_path: Path) -> None:
    """INV-10: |part - exact share| < 1 unit; rating is exact at scale 12.

    Two teams use the same, 1005.5 nano each: 15.00 each of a pool of 30.00, not 14.99 and 15.01.
    """
    used = {"model": "small", "tokens": {"output": 1_005_500}}
    assert lives(tmp_path, [call("1", **used), call("2", team="bee", **used)]) == []


def test_a_pool_is_not_left_central_because_its_base_is_small(tmp_path: Path) -> None:
    """INV-10: only an empty base leaves a pool to nobody; this one is 300 pico, split 1 : 2."""
    one = {"model": "small", "tokens": {"output": 100}}
    two = {"model": "small", "tokens": {"output": 200}}
    assert lives(tmp_path, [call("1", **one), call("2", team="bee", **two)]) == []


def test_a_rule_matches_what_a_call_carries(tmp_path: Path) -> None:
    assert lives(tmp_path, [call("1", team=None, environment="qa")], org=ORG + RULE) == []


def test_a_rule_asks_for_what_a_call_carries(tmp_path: Path) -> None:
    """Design, 6: "dated rules on what a call carries"; a call without the field carries none."""
    assert lives(tmp_path, [call("1", team=None)], org=ORG + RULE) == []
