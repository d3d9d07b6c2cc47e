"""What cannot be read is kept with its place and reason, and the rest goes in."""

import json
import os
from pathlib import Path

import pytest

from tallybook.errors import StoreError
from tallybook.meter import quarantined
from tallybook.meter.rejects import RejectFile
from tallybook.meter.sources.jsonl import Jsonl

BAD_LINES = [
    b"not json",
    b'{"event_id": ',
    b'{"event_id": "\xff"}',
    b"[1]",
    b"7",
    b'{"a": NaN}',
    b'{"event_id": "\\ud800"}',
    b"[" * 5000,
    b'{"event_id":"x","source":"s","started_at":"2026-10-03T10:00:00Z","provider":"p","model":"m","tokens":{"output":1e999999999}}',
    b"{}",
]


def counts(result):
    return (result.accepted, result.duplicate, result.quarantined, result.rejected)


def test_bad_lines_are_kept_apart_and_the_rest_goes_in(store, record, bring_in, tmp_path):
    path = tmp_path / "bad.jsonl"
    good = json.dumps(record()).encode()
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\n\n" + b"\n".join(BAD_LINES))
    result = bring_in(store, Jsonl([path]))
    assert counts(result) == (1, 0, 0, len(BAD_LINES))
    kept = [json.loads(line) for line in Path(result.reject_file).read_text().splitlines()]
    assert [line["place"] for line in kept] == [f"bad.jsonl:{i + 3}" for i in range(len(BAD_LINES))]
    assert kept[0] == {"place": "bad.jsonl:3", "reason": kept[0]["reason"], "record": "not json"}
    assert all(line["reason"] for line in kept)
    again = bring_in(store, Jsonl([path]))
    assert Path(again.reject_file).name == "jsonl-2.jsonl"


def test_the_name_of_a_file_need_be_no_utf8(store, record, bring_in, tmp_path):
    path = tmp_path / os.fsdecode(b"bad\xff.jsonl")
    lines = [record(), record(model="another"), []]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = bring_in(store, Jsonl([path]))
    assert counts(result) == (1, 0, 1, 1)
    assert json.loads(Path(result.reject_file).read_text())["place"] == "bad?.jsonl:3"
    with store.read() as tx:
        assert [one.place for one in quarantined(tx)] == ["bad?.jsonl:2"]


def test_no_reject_file_without_need(store, record, bring_in):
    assert bring_in(store, [record()]).reject_file == ""
    assert not (store.home / "rejects").exists()


def test_a_reject_folder_that_cannot_be_written_is_said(store, bring_in):
    (store.home / "rejects").write_text("in the way")
    with pytest.raises(StoreError, match="could not write the reject file"):
        bring_in(store, [{}])


def test_among_many_files_a_free_name_is_found_in_few_looks(tmp_path, monkeypatch):
    for number in range(1, 701):
        (tmp_path / f"csv-{number}.jsonl").touch()
    (tmp_path / "csv-701.jsonl").symlink_to("nowhere")
    looks = []

    def counted(path):
        looks.append(path)
        return os.path.lexists(path)

    monkeypatch.setattr("tallybook.meter.rejects.lexists", counted)
    for number in (702, 703):
        rejects = RejectFile(tmp_path, "csv")
        rejects.add("f:1", "why", {})
        rejects.close()
        assert rejects.path == tmp_path / f"csv-{number}.jsonl"
    assert len(looks) < 50


def test_a_name_that_is_taken_is_never_written_over(tmp_path):
    for number in (1, 2):
        rejects = RejectFile(tmp_path, "csv")
        rejects.add("f:1", "why", {"n": number})
        rejects.sync()
        rejects.close()
        assert rejects.path == tmp_path / f"csv-{number}.jsonl"
    assert (
        tmp_path / "csv-1.jsonl"
    ).read_text() == '{"place":"f:1","reason":"why","record":{"n":1}}\n'
