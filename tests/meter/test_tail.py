"""A file that grows: no line is lost, none comes twice, whatever is done to the file."""

from __future__ import annotations

import pytest

from tallybook.meter import tail as tail_module
from tallybook.meter.tail import Tail


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.jsonl"


@pytest.fixture
def said():
    return []


@pytest.fixture
def tail_of(path, said):
    opened = []

    def made(position=None):
        opened.append(Tail(path, position, said.append))
        return opened[-1]

    yield made
    for tail in opened:
        tail.close()


def lines(tail):
    return [line for _, line in tail.poll()]


def append(path, text):
    with path.open("ab") as file:
        file.write(text)


def test_a_line_waits_for_its_newline(path, said, tail_of):
    tail = tail_of()
    assert lines(tail) == []
    append(path, b"one\ntw")
    assert tail.poll() == [("calls.jsonl:1", b"one")]
    assert tail.poll() == []
    append(path, b"o\n\nthree\n")
    assert tail.poll() == [("calls.jsonl:2", b"two"), ("calls.jsonl:4", b"three")]
    assert said == []


def test_a_renamed_file_is_read_to_its_end_first(path, said, tail_of):
    append(path, b"one\n")
    tail = tail_of()
    assert lines(tail) == [b"one"]
    path.rename(path.with_suffix(".jsonl.1"))
    append(path.with_suffix(".jsonl.1"), b"two\nthr")
    append(path, b"new\n")
    assert lines(tail) == [b"two"]
    append(path.with_suffix(".jsonl.1"), b"ee")
    polled = [line for _ in range(4) for line in lines(tail)]
    assert polled == [b"three", b"new"]
    assert "was rotated" in said[0]


@pytest.mark.parametrize("new", [b"a\n", b"another line, longer than what was there before\nb\n"])
def test_an_emptied_file_is_read_from_its_beginning(path, said, tail_of, new):
    append(path, b"one line\ntwo\n")
    tail = tail_of()
    assert len(lines(tail)) == 2
    path.write_bytes(new)
    assert lines(tail) == new.splitlines()
    assert "written anew" in said[0]


def test_a_position_goes_on_where_it_stopped(path, said, tail_of):
    append(path, b"one\ntwo\n")
    first = tail_of()
    first.poll()
    position = first.position
    first.close()
    append(path, b"three\n")
    assert tail_of(position).poll() == [("calls.jsonl:3", b"three")]


def test_a_file_rotated_while_nobody_followed_is_found_beside(path, said, tail_of):
    append(path, b"one\n")
    first = tail_of()
    first.poll()
    position = first.position
    first.close()
    append(path, b"two\n")
    path.rename(path.parent / "calls-20261122.jsonl")
    append(path, b"new\n")
    again = tail_of(position)
    assert [line for _ in range(4) for line in lines(again)] == [b"two", b"new"]


def test_a_rotated_file_that_is_gone_is_told(path, said, tail_of):
    append(path, b"one\n")
    first = tail_of()
    first.poll()
    position = first.position
    first.close()
    path.unlink()
    other = path.parent / "other"
    other.write_bytes(b"keeps the inode from being used again")
    append(path, b"new\n")
    if path.stat().st_ino == position.inode:
        position = type(position)(position.device, position.inode + 1, *position_rest(position))
    assert lines(tail_of(position)) == [b"new"]
    assert "ingest the rotated file once" in said[0]


def position_rest(position):
    return position.offset, position.lines, position.head


def test_a_line_longer_than_a_chunk_comes_whole(path, said, tail_of, monkeypatch):
    monkeypatch.setattr(tail_module, "_CHUNK_BYTES", 8)
    append(path, b"x" * 100 + b"\nshort\n")
    tail = tail_of()
    assert tail.is_behind is False
    found = lines(tail)
    while more := lines(tail):
        found += more
    assert found == [b"x" * 100, b"short"]


def test_a_file_that_was_made_and_rotated_while_nobody_followed_is_read_too(path, said, tail_of):
    append(path, b"one\n")
    first = tail_of()
    first.poll()
    path.rename(path.parent / "calls.jsonl.1")
    append(path, b"two\n")
    path.rename(path.parent / "calls.jsonl.2")
    append(path, b"three\n")
    (path.parent / "calls-eu.jsonl").write_bytes(b"another log\n")
    (path.parent / "calls.jsonl.bak").write_bytes(b"a copy\n")
    again = tail_of(first.position)
    assert [line for _ in range(9) for line in lines(again)] == [b"two", b"three"]
