"""Rows over shared columns say what dicts of them would."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tallybook.store.rows import rows_of

MAPS = st.none() | st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=2)), max_size=2)
TOLD = st.fixed_dictionaries(
    {
        "key": st.binary(min_size=2, max_size=2),
        "count": st.none() | st.integers(0, 2**40),
        "source": st.none() | st.sampled_from(["app", "gateway"]),
        "labels": MAPS,
    }
)
SCHEMA = pa.schema(
    [
        pa.field("key", pa.binary(2)),
        pa.field("count", pa.int64()),
        pa.field("source", pa.string()),
        pa.field("labels", pa.map_(pa.string(), pa.string())),
    ]
)


@given(st.lists(TOLD, max_size=9))
def test_a_row_is_what_its_dict_would_be(told):
    found = rows_of(pa.Table.from_pylist(told, SCHEMA))
    assert [dict(row) for row in found] == told
    assert [{**row, "more": 1} for row in found] == [one | {"more": 1} for one in told]
    assert all(len(row) == len(SCHEMA) for row in found)


def test_texts_and_maps_that_repeat_are_one_object():
    one = {"key": b"ab", "count": 1, "source": "gateway", "labels": [("a", "long enough")]}
    first, *others = rows_of(pa.Table.from_pylist([one] * 5, SCHEMA))
    for name in ("source", "labels"):
        assert all(other[name] is first[name] for other in others)
