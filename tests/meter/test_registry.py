"""Every product that is listed can be opened."""

from __future__ import annotations

import pytest

from tallybook.meter.sources.registry import PRODUCTS, open_product


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_reads_an_empty_file_as_nothing(name, tmp_path):
    file = tmp_path / "empty.jsonl"
    file.write_bytes(b"")
    assert [r for r in open_product(name, [file]).read() if not r.record and not r.event] == []


def test_the_names_are_plain():
    assert all(name == name.lower() and " " not in name for name in PRODUCTS)
