import json
from pathlib import Path

from tallybook.sim.deliveries import deliveries_of, write_jsonl

ZONE = "Europe/Amsterdam"


def test_some_of_the_first_months_calls_come_late_and_none_is_lost() -> None:
    made = deliveries_of("2026-08", ZONE, 7, 20)
    late = {record["event_id"] for record in made.late}
    assert late
    assert all(record["started_at"] >= "2026-08-31" for record in made.late)
    assert not late & {record["event_id"] for record in made.first}
    assert deliveries_of("2026-09", ZONE, 7, 20).late == ()


def test_the_second_file_repeats_contradicts_once_and_corrects() -> None:
    made = deliveries_of("2026-08", ZONE, 7, 20)
    first = {record["event_id"]: record for record in made.first}
    again = [record for record in made.second if record["event_id"] in first]
    assert sum(record == first[record["event_id"]] for record in again) == 60
    assert sum(record != first[record["event_id"]] for record in again) == 1
    corrections = [record for record in made.second if "supersedes" in record]
    assert corrections
    assert all(first[record["supersedes"]]["usage"] == "estimated" for record in corrections)


def test_a_file_has_one_event_a_line(tmp_path: Path) -> None:
    path = write_jsonl([{"a": 1}, {"b": 2}], tmp_path / "new" / "calls.jsonl")
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"a": 1}, {"b": 2}]
