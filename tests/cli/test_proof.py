"""`check`, `verify` and `explain` in the published machine forms."""

from decimal import Decimal

import pytest

from company import usage
from tallybook.check.check import CHECKS


@pytest.fixture
def month(company):
    company.ingest(usage("1"), usage("2", service="retrieval", provider="Y", model="y-1"))
    company.run()
    return company


def test_check_tells_by_name(month, call):
    found = call("check", "--json")
    assert found.code == 0
    assert [row["name"] for row in found.value["checks"]] == list(CHECKS)
    for row in found.value["checks"]:
        assert set(row) == {"name", "ok", "examined", "detail"}
        assert row["ok"] is True
    assert len(call("check", "INV-01", "INV-15", "--json").value["checks"]) == 2
    assert call("check", "INV-99").code == 2


def test_a_failed_check_is_exit_1(month, call):
    next((month.home / "lake" / "events" / "2026-10").glob("*.parquet")).unlink()
    found = call("check", "--json")
    assert found.code == 1
    assert {r["name"] for r in found.value["checks"] if not r["ok"]} >= {"INV-15"}


def test_verify_has_the_published_shape(month, call):
    found = call("verify", "--json")
    assert (found.code, found.value["ok"], found.value["faults"]) == (0, True, [])
    assert set(found.value) == {"ok", "entries", "head", "faults"}
    assert found.value["entries"] == len(month.journal())
    assert call("verify", "--head", found.value["head"]).code == 0


def test_verify_finds_what_is_not_as_written(month, call):
    path = next((month.home / "lake" / "events" / "2026-10").glob("*.parquet"))
    path.write_bytes(path.read_bytes() + b" ")
    found = call("verify", "--json")
    assert (found.code, found.value["ok"]) == (1, False)
    (fault,) = found.value["faults"]
    assert set(fault) == {"kind", "where"}
    assert fault["kind"] == "file"
    assert call("verify", "--head", "f" * 64).code == 1


def test_explain_goes_back_to_the_calls(month, call):
    value = call("statement", "2026-10", "--json").value
    for each in value["statements"]:
        for line in each["lines"]:
            found = call("explain", line["id"], "--json").value
            assert {"line", "entries", "allocated", "rated", "invoice_lines"} <= found.keys()
            assert {"count", "sum", "sample"} <= found["rated"].keys()
            posted = sum(Decimal(entry["amount"]) for entry in found["entries"])
            assert round(posted, 2) == Decimal(line["amount"])
            if line["kind"] in ("usage", "transfer"):
                assert found["rated"]["count"] == line["quantity"]["calls"] == 1
                assert Decimal(found["rated"]["sum"]) == posted
                sample = found["rated"]["sample"][0]
                assert sample["event_id"] in ("1", "2")
                assert [payer["team"] for payer in sample["payers"]] == [each["team"]]
                assert found["attributed"][0]["origin"] == sample["origin"] == each["team"]
                assert found["attributed"][0]["executor"] == sample["executor"]


def test_explain_says_of_each_call_who_started_ran_and_pays_it(month, call):
    issue = month.statements().statement("a")
    (line,) = [line for line in issue.lines if line.kind == "transfer"]
    text = call("explain", line.id).out
    assert "started by" in text
    assert [row.split()[3:8] for row in text.splitlines() if row.startswith("gateway/")] == [
        ["a", "bot", "b", "a", "(caller"]
    ]


def test_explain_takes_entries_and_postings(month, call):
    for entry in month.journal():
        assert call("explain", entry.id, "--json").code == 0
    assert call("explain", "E-000001:1").code == 0
    for unknown in ("E-000001:99", "E-999999", "L-2026-10-000000000000", "nonsense"):
        assert call("explain", unknown).code == 1
