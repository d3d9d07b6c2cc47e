"""`evidence`, `decide`, `coverage` and the list of suspects, as their user types them."""

from __future__ import annotations

from company import usage

RESPONSE = "chatcmpl-1234567890abcdef"


def test_evidence_shows_every_source_and_who_won(company, call):
    company.ingest(
        usage("1", source="gateway", response_id=RESPONSE),
        usage("2", source="otel", response_id=RESPONSE, service="retrieval"),
    )
    company.run()
    found = call("evidence", "2", "--json")
    assert found.code == 0
    assert [one["source"] for one in found.value["said"]] == ["gateway", "otel"]
    assert "made of 2 observations" in call("evidence", "1", "--source", "gateway").out
    missing = call("evidence", "nothing")
    assert missing.code == 1
    assert "no sealed event has the id 'nothing'" in missing.err


def test_a_decision_makes_one_call_of_two(company, call):
    company.ingest(usage("1", source="gateway"), usage("2", source="helicone"))
    company.run()
    (suspect,) = call("worklist", "suspects", "--json").value
    assert {suspect["first"], suspect["second"]} == {"gateway 1", "helicone 2"}
    done = call("decide", "same", suspect["id"], "--reason", "one proxy, two logs", "--json")
    assert done.value == {"verdict": "same", "suspects": [suspect["id"]]}
    assert call("worklist", "suspects", "--json").value == []
    assert call("coverage", "2026-10", "--json").value["total"]["calls"] == 1


def test_decide_between_two_sources_takes_all_of_them(company, call):
    company.ingest(
        usage("1", source="gateway"),
        usage("2", source="helicone"),
        usage("3", source="gateway", started_at="2026-10-05T10:00:00Z", ended_at=None),
        usage("4", source="helicone", started_at="2026-10-05T10:00:00Z", ended_at=None),
    )
    company.run()
    pair = ("--between", "helicone", "gateway")
    done = call("decide", "different", *pair, "--reason", "two callers", "--json")
    assert len(done.value["suspects"]) == 2
    again = call("decide", "same", *pair, "--reason", "x")
    assert again.code == 2
    assert "no open suspect is of helicone and gateway" in again.err


def test_coverage_reads_as_a_page(company, call):
    company.ingest(usage("1", source="gateway"))
    text = call("coverage", "2026-10").out
    assert text.startswith("2026-10: 1 call bills, 0 observations stand beside, 0 suspects")
    assert "gateway" in text
