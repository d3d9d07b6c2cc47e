"""`seal` and `verify --against`: a record kept elsewhere, and where the books differ from it."""

import json

import pytest

from company import usage


@pytest.fixture
def closed(company):
    company.ingest(usage("1"), usage("2", provider="Y", model="y-1"))
    company.close()
    return company


def test_a_record_is_written_in_both_forms(closed, call, tmp_path):
    told = call("seal", "--json").value
    assert {
        "format",
        "version",
        "period",
        "chain",
        "manifest",
        "statements",
        "months",
        "line",
    } <= set(told)
    assert told["months"][0]["head"] == closed.statements().seal
    assert call("seal", "--out", str(tmp_path / "s.json")).code == 0
    assert json.loads((tmp_path / "s.json").read_text()) == told
    found = call("seal", "2026-10", "--out", str(tmp_path / "s.txt"))
    line = (tmp_path / "s.txt").read_text().strip()
    assert line.startswith("tallybook-seal 1 2026-10 ")
    assert line in found.out
    assert "2026-10" in found.out.splitlines()[2]


def test_books_that_stand_verify_against_their_records(closed, call, tmp_path):
    for name, args in {"a.json": (), "b.txt": (), "c.json": ("2026-10",)}.items():
        call("seal", *args, "--out", str(tmp_path / name))
    closed.ingest(usage("3", started_at="2026-11-03T10:00:00Z"), name="later")
    closed.run("2026-11")
    for name in ("a.json", "b.txt", "c.json"):
        found = call("verify", "--against", str(tmp_path / name))
        assert found.code == 0, found.out
        assert "against a record of" in found.out


def test_other_books_do_not(closed, call, tmp_path):
    text = json.dumps(call("seal", "--json").value)
    record = tmp_path / "s.json"
    record.write_text(call("seal", "--json").value["line"].replace("books=", "books=").replace(
        f"chain={json.loads(text)['chain']['reach']}:", "chain=99:"))  # fmt: skip
    found = call("verify", "--against", str(record), "--json")
    assert found.code == 1
    assert found.value["ok"] is False
    assert [fault["kind"] for fault in found.value["faults"]] == ["against chain"]
    assert "the record reaches 99" in found.value["faults"][0]["where"]


def test_what_is_wrong_is_told(closed, call, tmp_path):
    found = call("seal", "2026-11")
    assert (found.code, "2026-11 is not closed" in found.err) == (1, True)
    assert call("seal", "October").code == 2
    assert call("seal", "--out", str(tmp_path / "no" / "s.json")).code == 2
    (tmp_path / "other").write_text("nothing")
    found = call("verify", "--against", str(tmp_path / "other"))
    assert (found.code, "holds no seal record" in found.err) == (2, True)
    (tmp_path / "other").write_bytes(b"\xff\xfe")
    assert call("verify", "--against", str(tmp_path / "other")).code == 2
