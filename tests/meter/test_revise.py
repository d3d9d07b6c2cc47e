"""Buckets that grow: each version once, the one that states most in force, in whatever order."""

import itertools
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from stores import Stores
from tallybook.clock import FixedClock
from tallybook.meter.ingest import ingest
from tallybook.meter.read import read_event
from tallybook.meter.revise import stated, version_id
from tallybook.meter.sources.source import Reading


def bucket(output, requests="1", event_id="completions:ab", **changes):
    return read_event({
        "event_id": event_id, "source": "openai-usage", "started_at": "2026-10-03T00:00:00Z",
        "ended_at": "2026-10-04T00:00:00Z", "provider": "openai", "model": "gpt-4o",
        "tokens": {"input_uncached": 10, "output": output}, "labels": {"requests": requests},
        **changes,
    })  # fmt: skip


class Pulled:
    """A source of buckets."""

    name = "openai-usage"
    personal = ()

    def __init__(self, *events, role="bucket"):
        self.events, self.role = events, role

    def read(self):
        for number, event in enumerate(self.events, 1):
            record = {"tokens": event.tokens, "labels": event.labels}
            yield Reading(f"page:{number}", record, event, self.role)


def counts(result):
    return result.accepted, result.duplicate, result.quarantined


def in_force(rows):
    gone = {row["supersedes"] for row in rows}
    return [(row["event_id"], row["output"]) for row in rows if row["event_id"] not in gone]


def test_a_bucket_that_grew_supersedes_its_earlier_version(store, bring_in, inbox_rows):
    assert counts(bring_in(store, Pulled(bucket(5)))) == (1, 0, 0)
    assert counts(bring_in(store, Pulled(bucket(8)))) == (1, 0, 0)
    assert counts(bring_in(store, Pulled(bucket(9)))) == (1, 0, 0)
    rows = inbox_rows(store)
    assert [(row["event_id"], row["supersedes"], row["output"]) for row in rows] == [
        ("completions:ab", "", 5),
        ("completions:ab/2", "completions:ab", 8),
        ("completions:ab/3", "completions:ab/2", 9),
    ]
    assert {row["role"] for row in rows} == {"bucket"}


def test_every_version_again_is_a_duplicate(store, bring_in, inbox_rows):
    for output in (5, 8, 9):
        bring_in(store, Pulled(bucket(output)))
    for output in (9, 5, 8):
        assert counts(bring_in(store, Pulled(bucket(output)))) == (0, 1, 0)
    assert in_force(inbox_rows(store)) == [("completions:ab/3", 9)]


def test_an_older_export_that_comes_later_is_quarantined(store, bring_in, inbox_rows):
    bring_in(store, Pulled(bucket(8)))
    assert counts(bring_in(store, Pulled(bucket(5)))) == (0, 0, 1)
    assert in_force(inbox_rows(store)) == [("completions:ab", 8)]
    with store.read() as tx:
        reason = tx.scalar("SELECT reason FROM quarantine")
    assert reason == (
        "version 1 of this bucket states 19 in all, this one 16: an older export, or a correction"
        " by the provider"
    )


def test_as_much_in_all_in_other_classes_is_quarantined(store, bring_in):
    bring_in(store, Pulled(bucket(8)))
    moved = bucket(0, tokens={"input_uncached": 8, "cache_read": 2, "output": 8})
    assert counts(bring_in(store, Pulled(moved))) == (0, 0, 1)


def test_versions_in_one_file_are_versions_too(store, bring_in, inbox_rows):
    other = bucket(1, event_id="completions:cd")
    pulled = Pulled(bucket(5), other, bucket(8), bucket(5), bucket(7))
    assert counts(bring_in(store, pulled)) == (3, 1, 1)
    assert in_force(inbox_rows(store)) == [("completions:cd", 1), ("completions:ab/2", 8)]


def test_what_only_counts_more_requests_or_units_has_grown(store, bring_in):
    bring_in(store, Pulled(bucket(5)))
    assert counts(bring_in(store, Pulled(bucket(5, requests="2")))) == (1, 0, 0)
    units = bucket(5, requests="2", units={"web_search": 1})
    assert counts(bring_in(store, Pulled(units))) == (1, 0, 0)


def test_a_call_with_another_record_stays_a_conflict(store, bring_in):
    bring_in(store, Pulled(bucket(5), role="call"))
    assert counts(bring_in(store, Pulled(bucket(8), role="call"))) == (0, 0, 1)


def test_a_bucket_whose_id_a_call_holds_is_a_conflict(store, bring_in):
    bring_in(store, Pulled(bucket(5), role="call"))
    assert counts(bring_in(store, Pulled(bucket(8)))) == (0, 0, 1)


def test_a_crash_leaves_neither_version_nor_what_it_states(store, bring_in, monkeypatch):
    from tallybook.store import faults  # noqa: PLC0415

    bring_in(store, Pulled(bucket(5)))

    def die(point):
        if point == "ingest.put":
            raise ConnectionError(point)

    monkeypatch.setattr(faults, "reached", die)
    with pytest.raises(ConnectionError):
        bring_in(store, Pulled(bucket(8)))
    monkeypatch.undo()
    assert counts(bring_in(store, Pulled(bucket(8)))) == (1, 0, 0)
    assert counts(bring_in(store, Pulled(bucket(8)))) == (0, 1, 0)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.data())
def test_in_any_order_the_one_that_states_most_is_in_force(tmp_path_factory, outputs, data):
    ids = itertools.count()
    cut = data.draw(st.integers(0, len(outputs)))
    with closing(Stores()) as stores:
        books = stores.open(tmp_path_factory.mktemp("books") / "books")
        for part in (outputs[:cut], outputs[cut:], outputs):
            ingest(
                books,
                Pulled(*map(bucket, part)),
                clock=FixedClock(1),
                new_id=lambda: str(next(ids)),
                on_progress=None,
                reject_folder=books.home,
            )
        with books.read() as tx:
            blobs = [row.events for row in tx.rows("SELECT events FROM inbox ORDER BY batch")]
        books.close()
    rows = [row for blob in blobs for row in ipc.open_stream(blob).read_all().to_pylist()]
    assert [output for _, output in in_force(rows)] == [max(outputs)]


def test_what_is_stated_is_all_figures_and_fits_its_mark():
    huge = bucket(2**61, tokens={"input_uncached": 2**62, "output": 2**61}, requests="9" * 30)
    assert stated(huge).total == 2**64 - 1
    assert len(stated(huge).packed) == 16
    assert stated(bucket(5)).digest != stated(bucket(5, requests="2")).digest
    assert stated(bucket(5, requests="many")).total == 15
    assert version_id("a", 1) == "a"
    assert version_id("a", 12) == "a/12"
