"""`requests`: what one user action costs, in words and for machines."""

from __future__ import annotations

import pytest

from company import PRICES, Company, org, policy, usage


@pytest.fixture
def company(tmp_path):
    made = Company(tmp_path)
    made.apply(org=org(), policy=policy(), prices=PRICES)
    yield made
    made.store.close()


def test_nothing_is_sealed(company, call):
    assert "tallybook run 2026-10" in call("requests", "2026-10").out
    assert call("requests", "2026-10", "--json").value["traces"] is None
    assert call("requests", "October").code == 2


def test_a_month_whose_calls_are_all_of_another_month_now(company, call):
    """It said that nothing was sealed, and to run what had been run."""
    company.ingest(usage("old", trace_id="t"))
    company.run("2026-10")
    moved = {"supersedes": "old", "started_at": "2026-11-03T10:00:00Z", "trace_id": "t"}
    company.ingest(usage("new", **moved), name="again")
    company.run("2026-11")
    found = call("requests", "2026-10")
    assert (found.code, found.out.strip()) == (
        0,
        "no call of 2026-10 stands: each was corrected, and is of another month",
    )
    asked = call("requests", "2026-10", "--feature", "bot").out
    assert asked.strip() == "no sealed call of 2026-10 is of the feature bot"
    assert call("requests", "2026-10", "--json").value["traces"] is None
    assert call("requests", "2026-11", "--json").value["traces"]["requests"] == 1


def test_what_is_not_known_or_not_listed_is_told(company, call):
    company.ingest(
        *[usage(f"e-{n}", trace_id=f"t-{n}", span_id="s", service=f"w-{n}") for n in range(16)],
        usage("x", model="nobody-prices-this", trace_id="t-x", span_id="s"),
        usage("u", usage="unknown", tokens=None),
    )
    company.run()
    told = call("requests", "2026-10").out
    assert "not known: unpriced 1 calls, unknown 1 calls, of 18; only what is known" in told
    assert "agent run, 15 of 17" in told
    value = call("requests", "2026-10", "--json").value
    assert (value["traces"]["unpriced"], value["traces"]["unknown"]) == (1, 0)
    assert (value["untraced"]["unpriced"], value["untraced"]["unknown"]) == (0, 1)
    assert sum(one["unknown"] for one in value["features"]) == 1
    told = call("requests", "2026-10", "--feature", "nobodys").out
    assert told == "no sealed call of 2026-10 is of the feature nobodys\n"


def test_it_says_what_a_request_costs(company, call):
    for n in range(30):
        company.ingest(usage(f"e-{n}", trace_id=f"t-{n}", span_id="s"), name=f"f{n}")
    company.ingest(
        usage("a", trace_id="dear", span_id="a", service="planner"),
        usage("b", trace_id="dear", span_id="b", parent_span_id="a", attempt=2),
        usage("c", team="b", feature="find"),
        name="dear",
    )
    company.run()
    told = call("requests", "2026-10").out
    assert "traces                       31  1.000000  1.000000  2.000000  2.000000" in told
    assert "a/bot" in told
    assert "what makes the tail dear" in told
    value = call("requests", "2026-10", "--json").value
    assert value["traces"]["p99"] == "2.000000000000"
    assert value["untraced"]["requests"] == 1
    assert value["dearest"][0] | {"cost": "", "retried": ""} == {
        "trace": "dear", "cost": "", "calls": 2, "depth": 2, "retries": 1, "retried": "",
        "largest_context": 50_000, "context_growth": 0,
    }  # fmt: skip
    only = call("requests", "2026-10", "--feature", "find", "--json").value
    assert [one["feature"] for one in only["features"]] == ["find"]
