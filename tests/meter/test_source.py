"""Opening files: plain, packed, cut short, absent."""

import gzip
import json
import os

import pytest

from tallybook.errors import EventError
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.meter.sources.source import open_bytes


def test_gzip_is_known_by_its_bytes_not_its_name(tmp_path):
    for name, raw in (("a.gz", b"plain"), ("b", gzip.compress(b"packed")), ("c", b"")):
        path = tmp_path / name
        path.write_bytes(raw)
        with open_bytes(path) as file:
            assert file.read() in (raw, b"packed")


def test_gzip_is_read_and_a_cut_file_keeps_what_came_before(store, record, bring_in, tmp_path):
    lines = "".join(json.dumps(record(f"e-{i}", session=os.urandom(99).hex())) + "\n" for i in range(500))  # fmt: skip
    packed = gzip.compress(lines.encode())
    whole, cut = tmp_path / "whole.gz", tmp_path / "cut.gz"
    whole.write_bytes(packed)
    cut.write_bytes(packed[: len(packed) // 2])
    result = bring_in(store, Jsonl([cut]))
    assert result.rejected == 1
    assert 0 < result.accepted < 500
    again = bring_in(store, Jsonl([whole]))
    assert (again.accepted + again.duplicate, again.duplicate) == (500, result.accepted)


def test_a_missing_file_is_refused_before_anything_is_read(store, tmp_path):
    with pytest.raises(EventError, match="cannot be read: No such file"):
        Jsonl([tmp_path / "none.jsonl"])
