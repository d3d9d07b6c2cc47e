"""`graph` on real books: what a run saw, in every form."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from company import usage


def test_what_one_team_caused_and_another_ran(company, call, tmp_path):
    company.ingest(
        usage("e-1"),
        usage("e-2", service="retrieval"),
        usage("e-3", team=None, feature=None, purpose=None),
    )
    company.run()
    said = call("graph", "2026-10", "--json").value
    assert said["total"] == "3.00"
    assert said["cuts"] == {
        "origin": {"a": "2.00", "platform": "1.00"},
        "executor": {"a": "1.00", "b": "1.00", "platform": "1.00"},
        "payer": {"a": "2.00", "platform": "1.00"},
    }
    (moved,) = (edge for edge in said["edges"] if edge["executor"] == "b")
    assert (moved["service"], moved["rule"], moved["calls"]) == ("retrieval", "caller_pays", 1)
    assert said["states"]["unallocated"] == 1
    assert "retrieval: caller pays" in call("graph", "2026-10").out
    for form in ("html", "svg"):
        assert call("graph", "2026-10", "--format", form, "--out", str(tmp_path)).code == 0
    assert "Three cuts of one total" in (tmp_path / "graph-2026-10.html").read_text("utf-8")
    ET.parse(tmp_path / "graph-2026-10.svg")


def test_a_month_that_was_never_run_says_what_to_do(company, call):
    done = call("graph", "2026-10")
    assert done.code == 1
    assert "tallybook run 2026-10" in done.err
