"""`ingest` and `worklist`."""

import json
import os

from company import usage
from tallybook.store.warehouse import append_table, as_row, write_parquet


def write(company, *records, name="calls.jsonl"):
    path = company.home / name
    path.write_text(
        "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records),
        encoding="utf-8",
    )
    return str(path)


def test_ingest_counts_in_the_published_shape(company, call):
    path = write(company, usage("1"), usage("1"), usage("2"))
    found = call("ingest", "jsonl", path, "--json")
    assert found.code == 0
    assert found.value == {
        "accepted": 2, "duplicate": 1, "quarantined": 0, "rejected": 0, "reject_file": "",
        "dropped": 0,
    }  # fmt: skip
    assert call("ingest", "jsonl", path, "--json").value["duplicate"] == 3


def test_what_cannot_go_in_is_told_by_exit_code_and_file(company, call):
    path = write(company, usage("1"), "not json", usage("1", model="x-9"), usage("3", extra=1))
    found = call("ingest", "jsonl", path, "--json")
    assert found.code == 1
    value = found.value
    assert (value["accepted"], value["quarantined"], value["rejected"]) == (1, 1, 2)
    assert "not json" in (company.home / "rejects").joinpath(
        value["reject_file"].rpartition("/")[2]
    ).read_text(encoding="utf-8")
    (waiting,) = call("worklist", "quarantine", "--json").value
    assert waiting["event_id"] == "1"


def test_the_name_of_a_file_is_in_the_log_as_far_as_it_is_text(company, call):
    path = company.home / os.fsdecode(b"calls\xff.jsonl")
    path.write_text(json.dumps(usage("odd")) + "\n")
    assert call("ingest", "jsonl", str(path)).code == 0
    with company.store.read() as tx:
        told = tx.scalar("SELECT args FROM command ORDER BY seq DESC LIMIT 1")
    assert "calls?.jsonl" in told


def test_a_file_that_is_not_there_is_an_error(company, call):
    refused = call("ingest", "jsonl", str(company.home / "none.jsonl"), "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "none.jsonl" in refused.err


def test_wrong_usage_is_2(company, call):
    path = write(company, usage())
    assert call("ingest", "telepathy", path).code == 2
    assert call("ingest", "jsonl", path, "--map", path).code == 2
    assert call("ingest", "csv", path).code == 2
    assert call("worklist", "unpriced").code == 2


def test_worklists(company, call):
    company.ingest(usage("1"), usage("2", model="new"), usage("3", team=None, feature=None))
    company.run()
    (row,) = call("worklist", "unpriced", "2026-10", "--json").value
    assert (row["model"], row["calls"]) == ("new", 1)
    assert len(call("worklist", "unallocated", "2026-10", "--json").value) == 1
    assert call("worklist", "late").out.strip() == "nothing late"
    company.waive("2026-10", "unpriced")
    company.close()
    company.ingest(usage("late"))
    assert call("run", "2026-10").code == 1
    (late,) = call("worklist", "late", "--json").value
    assert (late["period"], late["events"]) == ("2026-10", 1)


ROW = as_row(usage("w-1"), "call")


def test_parquet_files_at_any_address(company, call):
    write_parquet("memory://company/usage/part-1.parquet", [ROW])
    assert call("ingest", "parquet", "memory://company/usage", "--json").value["accepted"] == 1
    assert call("ingest", "parquet", "memory://company/usage", "--json").value["duplicate"] == 1
    refused = call("ingest", "parquet", "memory://company/none")
    assert (refused.code, refused.out) == (1, "")


def test_a_table_whose_password_nobody_keeps(company, call):
    url = f"sqlite:///{company.home / 'w.sqlite'}"
    append_table(url, [ROW], "usage")
    assert call("ingest", "table", url, "--table", "usage", "--json").value["accepted"] == 1
    query = "SELECT * FROM usage"
    assert call("ingest", "table", url, "--query", query, "--json").value["duplicate"] == 1
    assert call("ingest", "table", url, "--query", query, "--table", "usage").code == 2
    assert call("ingest", "table", url, url).code == 2
    refused = call("ingest", "table", "postgresql+psycopg://tally:s3cret@/x?host=/nowhere")
    assert refused.code == 1
    assert "s3cret" not in refused.err
    with company.store.read() as tx:
        logged = [row.args for row in tx.rows("SELECT args FROM command WHERE name = 'ingest'")]
    assert '"files":["sqlite:///' in logged[0].replace(" ", "")
