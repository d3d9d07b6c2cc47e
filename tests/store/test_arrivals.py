"""Arrivals: what waits, unpacked a batch or a column at a time."""

from __future__ import annotations

import pyarrow as pa

from tallybook.store.arrivals import Arrivals, no_arrivals
from tallybook.store.events import INBOX_SCHEMA, TEXT, WHOLE
from tallybook.store.inbox import packed


def batch(*told):
    """Rows that say some columns and nothing else."""
    blank = dict.fromkeys(INBOX_SCHEMA.names) | dict.fromkeys(TEXT, "") | dict.fromkeys(WHOLE, 0)
    blank |= {"key": bytes(16), "record": bytes(16), "role": "call", "units": [], "labels": []}
    return packed(pa.Table.from_pylist([blank | one for one in told], INBOX_SCHEMA))


def test_columns_and_rows_run_through_all_batches():
    told = [{"event_id": f"e{n}", "source": "app", "started_us": n} for n in range(7)]
    arrivals = Arrivals([batch(*told[:3]), batch(told[3]), batch(*told[4:])])
    assert len(arrivals) == 7
    assert arrivals.column("event_id") == [f"e{n}" for n in range(7)]
    assert arrivals.column("started_us") == list(range(7))
    found = arrivals.rows([0, 2, 3, 6])
    assert [row["event_id"] for row in found] == ["e0", "e2", "e3", "e6"]
    assert found[0].keys() == set(INBOX_SCHEMA.names)
    assert arrivals.rows([]) == []


def test_text_that_repeats_is_one_object():
    (one,) = Arrivals([batch(*[{"source": "app", "event_id": "e"}] * 4)]).batches
    first, *others = one.column("source")
    assert all(other is first for other in others)
    assert one.column("event_id") == ["e"] * 4


def test_a_label_is_empty_where_it_is_not_told():
    labelled, other = {"labels": [("call_id", "c")]}, {"labels": [("colour", "red")]}
    (one,) = Arrivals([batch(labelled, {}, other)]).batches
    assert one.label("call_id") == ["c", "", ""]
    assert one.label("nothing") == ["", "", ""]


def test_nothing_new_has_columns_of_nothing():
    assert (len(no_arrivals()), no_arrivals().column("key"), no_arrivals().rows([])) == (0, [], [])
