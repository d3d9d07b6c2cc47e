"""What cannot be read is kept up to a bound, and who deletes it makes room."""

from __future__ import annotations

from contextlib import closing

import pytest

from tallybook.errors import EventError
from tallybook.meter.rejects import Rejects
from tallybook.meter.sources.source import Reading

BAD = Reading("body:1", "x" * 100, EventError("no usage"))


@pytest.fixture
def rejects(tmp_path):
    with closing(Rejects(tmp_path / "rejects", "events")) as kept:
        yield kept


def lines(rejects):
    return rejects.path.read_text().splitlines()


def test_one_file_takes_what_many_requests_bring(rejects):
    assert [rejects.keep([BAD]), rejects.keep([]), rejects.keep([BAD, BAD])] == [0, 0, 0]
    assert len(lines(rejects)) == 3


def test_what_finds_no_room_is_counted_and_logged(rejects, monkeypatch, caplog):
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 200)
    assert rejects.keep([BAD] * 5) == 3
    assert rejects.keep([BAD]) == 1
    assert len(lines(rejects)) == 2
    assert "3 records that cannot be read were not kept" in caplog.text


def test_the_bound_holds_over_restarts(rejects, tmp_path, monkeypatch):
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 100)
    assert rejects.keep([BAD]) == 0
    with closing(Rejects(tmp_path / "rejects", "events")) as again:
        assert again.keep([BAD]) == 1
    with closing(Rejects(tmp_path / "rejects", "otel")) as other:
        assert other.keep([BAD]) == 0


def test_whoever_deletes_a_file_makes_room_and_nothing_is_written_into_the_void(
    rejects, monkeypatch
):
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 100)
    assert [rejects.keep([BAD]), rejects.keep([BAD])] == [0, 1]
    rejects.path.unlink()
    assert rejects.keep([BAD]) == 0
    assert len(lines(rejects)) == 1
