"""Batches of the inbox, read as they come."""

from __future__ import annotations

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.clock import parse_instant
from tallybook.errors import CorruptedError
from tallybook.store.stream import Stream, waiting_since, waiting_span


@pytest.fixture
def acme(tmp_path):
    made = Company(tmp_path)
    made.apply(org=org(), policy=policy(), prices=PRICES)
    for n in range(3):
        made.ingest(usage(f"e-{n}-a"), usage(f"e-{n}-b"), name=f"f{n}")
    yield made
    made.store.close()


def test_whole_batches_up_to_so_many_rows_and_one_at_least(acme):
    with acme.store.read() as tx:
        assert waiting_span(tx) == (1, 3)
        assert [one.batch for one in waiting_since(tx, 0, 5)] == [1, 2]
        assert [one.batch for one in waiting_since(tx, 1, 1)] == [2]
        assert waiting_since(tx, 3, 5) == []
    acme.run()
    with acme.store.read() as tx:
        assert waiting_span(tx) == (0, 3)  # the last that was


def test_what_is_loaded_takes_the_place_of_what_was(acme):
    stream = Stream(acme.store)
    asked = "SELECT batch, place, event_id FROM waiting ORDER BY batch, place"
    assert stream.session.rows(asked) == []
    with acme.store.read() as tx:
        first, *others = waiting_since(tx, 0, 100)
    stream.load([first])
    assert stream.session.rows(asked) == [(1, 0, "e-0-a"), (1, 1, "e-0-b")]
    stream.load(others)
    assert [row[0] for row in stream.session.rows(asked)] == [2, 2, 3, 3]
    stream.close()


def test_calls_of_other_times_are_left_out_and_counted(acme):
    stream, noon = Stream(acme.store), parse_instant("2026-10-09T12:00:00Z")
    acme.ingest(usage("late", started_at="2026-10-09T12:00:00Z"), name="late")
    with acme.store.read() as tx:
        batches = waiting_since(tx, 0, 100)
    assert stream.load(batches, noon, noon + 1) == 6
    assert stream.session.rows("SELECT batch, place, event_id FROM waiting") == [(4, 0, "late")]
    assert stream.load(batches, noon + 1, noon + 2) == 7
    assert stream.load(batches) == 0
    stream.close()


def test_what_is_loaded_says_what_it_used(acme):
    stream = Stream(acme.store)
    acme.ingest(
        usage("e-7", model="m", units={"web_search": 1}, tokens={"cache_read": 7}), name="more"
    )
    with acme.store.read() as tx:
        batches = waiting_since(tx, 0, 100)
    stream.load(batches[:1])
    assert stream.distinct("role", "model") == [("call", "x-1")]
    assert stream.used(["input_uncached", "cache_read"]) == {"input_uncached"}
    stream.load(batches)
    assert sorted(stream.distinct("role", "model")) == [("call", "m"), ("call", "x-1")]
    assert stream.used(["cache_read"]) == {"cache_read", "web_search"}
    stream.close()


def test_a_batch_that_is_not_what_was_written_is_refused(acme):
    with acme.store.write() as tx:
        tx.run("UPDATE inbox SET sha256 = 'other' WHERE batch = 2")
    stream = Stream(acme.store)
    with acme.store.read() as tx:
        batches = waiting_since(tx, 0, 100)
    with pytest.raises(CorruptedError, match="inbox batch 2"):
        stream.load(batches)
    stream.close()
