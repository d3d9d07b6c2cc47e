"""No more of a body is read, or unpacked, than the limit."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.api.body import read_body, unpacked
from tallybook.api.model import Refusal


@given(content=st.binary(max_size=300), parts=st.integers(1, 4), limit=st.integers(0, 400))
def test_a_packed_body_is_unpacked_up_to_the_limit(content, parts, limit):
    packed = gzip.compress(content) * parts
    if len(content) * parts > limit:
        with pytest.raises(Refusal, match="unpacked, has more than"):
            unpacked(packed, "gzip", limit)
    else:
        assert unpacked(packed, " GZIP", limit) == content * parts


def test_a_bomb_is_never_unpacked_beyond_the_limit(monkeypatch):
    sizes = []

    class Watched:
        def __init__(self, wbits):
            self.opener = zlib.decompressobj(wbits)

        def decompress(self, data, most):
            part = self.opener.decompress(data, most)
            sizes.append(len(part))
            return part

    class Module:
        MAX_WBITS, error, decompressobj = zlib.MAX_WBITS, zlib.error, Watched

    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    monkeypatch.setattr("tallybook.api.body.zlib", Module)
    with pytest.raises(Refusal):
        unpacked(bomb, "gzip", 1000)
    assert sizes == [1001]


def test_a_body_of_very_many_members_takes_time_by_its_size(monkeypatch):
    copied = []

    class Watched:
        def __init__(self, wbits):
            self.opener = zlib.decompressobj(wbits)

        def decompress(self, data, most):
            return self.opener.decompress(data, most)

        @property
        def eof(self):
            return self.opener.eof

        @property
        def unused_data(self):
            copied.append(len(self.opener.unused_data))
            return self.opener.unused_data

    class Module:
        MAX_WBITS, error, decompressobj = zlib.MAX_WBITS, zlib.error, Watched

    monkeypatch.setattr("tallybook.api.body.zlib", Module)
    members = 5_000
    assert unpacked(gzip.compress(b"x") * members, "gzip", members) == b"x" * members
    assert max(copied) < 16 * 1024


def test_no_more_is_read_than_the_limit():
    taken = []

    async def endless():
        while True:
            taken.append(1)
            yield bytes(10)

    with pytest.raises(Refusal) as refused:
        asyncio.run(read_body(endless(), 95))
    assert (refused.value.status, len(taken)) == (413, 10)
