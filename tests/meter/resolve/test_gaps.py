"""Aggregates fill gaps and are never added to calls of the same key, model and window."""

from __future__ import annotations

from told import Told, call

HOUR = {"started_at": "2026-10-03T10:00:00Z", "ended_at": "2026-10-03T11:00:00Z"}


def bucket(event_id: str, source: str = "openai-usage", **fields: object) -> Told:
    return call(event_id, source, **(HOUR | {"tokens": {"output": 100}} | fields))[0], "bucket"


def test_a_bucket_of_an_unmetered_window_bills(books):
    books.tell(bucket("b1", key_id="k1"))
    assert books.billed("output", "key_id", "state") == [(100, "k1", "reported")]


def test_a_bucket_is_never_added_to_a_call_of_its_window(books):
    books.tell(bucket("b1", key_id="k1"))
    books.tell(call("g", "gateway", 7, key_id="k1", tokens={"output": 4}))
    assert books.billed("output") == [(4,)]


def test_nor_when_the_call_was_there_before(books):
    books.tell(call("g", "gateway", 7, key_id="k1", tokens={"output": 4}))
    books.tell(bucket("b1", key_id="k1", model="gpt-4o-2024-08-06"))
    assert books.billed("output") == [(4,)]


def test_a_gateways_own_name_of_a_key_covers_too(books):
    books.tell(bucket("b1", key_id="key_abc"))
    books.tell(call("g", "gateway", 7, key_id="vk-support", tokens={"output": 4}))
    assert books.billed("output") == [(4,)]


def test_another_key_window_model_or_provider_leaves_the_bucket(books):
    books.tell(bucket("b1", key_id="k1"), bucket("b2", key_id="k2", tokens={"output": 50}))
    books.tell(
        call("a", "gateway", 7, key_id="k2", tokens={"output": 1}),
        call("b", "gateway", 7, key_id="k1", model="gpt-4o-mini", tokens={"output": 2}),
        call("c", "gateway", key_id="k1", started_at="2026-10-03T11:00:00Z", ended_at=None,
             tokens={"output": 3}),
        call("d", "gateway", 7, key_id="k1", provider="anthropic", tokens={"output": 4}),
    )  # fmt: skip
    assert books.billed("output") == [(1,), (100,), (2,), (3,), (4,)]


def test_two_exports_of_one_provider_are_not_added(books):
    anthropic = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
    books.tell(bucket("c1", "claude-code", tokens={"output": 30}, **anthropic))
    assert books.billed("output") == [(30,)]
    books.tell(bucket("u1", "anthropic-usage", key_id="k1", **anthropic))
    assert books.billed("output", "source") == [(100, "anthropic-usage")]


def test_a_bucket_that_grew_takes_the_place_of_the_earlier(books):
    books.tell(bucket("b1", key_id="k1"))
    books.tell(bucket("b2", key_id="k1", supersedes="b1", tokens={"output": 120}))
    assert books.billed("output") == [(120,)]
    books.tell(call("g", "gateway", 7, key_id="k1", tokens={"output": 4}))
    assert books.billed("output") == [(4,)]


def grouped(*groups: str) -> dict[str, str]:
    return {"grouped_by": ",".join(groups)}


def test_what_is_free_or_paid_by_a_seat_never_bills(books):
    seat = {"labels": {"not_billed": "subscription"}, "provider": "anthropic"}
    books.tell(bucket("c1", "claude-code", **seat), bucket("m1", labels={"not_billed": "free"}))
    assert books.billed("output") == []


def test_nor_does_it_take_the_place_of_what_bills(books):
    books.tell(bucket("b1", "other-export"), bucket("m1", labels={"not_billed": "free"}))
    assert books.billed("output", "source") == [(100, "other-export")]


def test_one_export_in_two_groupings_is_not_added(books):
    books.tell(bucket("b1", labels=grouped("model"), tokens={"output": 100}))
    assert books.billed("output") == [(100,)]
    books.tell(
        bucket("b2", key_id="k1", labels=grouped("api_key_id", "model"), tokens={"output": 60}),
        bucket("b3", key_id="k2", labels=grouped("api_key_id", "model"), tokens={"output": 40}),
    )
    assert books.billed("output", "key_id") == [(40, "k2"), (60, "k1")]


def test_nor_in_two_widths_of_which_the_wider_holds_all(books):
    day = {"started_at": "2026-10-03T00:00:00Z", "ended_at": "2026-10-04T00:00:00Z"}
    books.tell(bucket("h1", tokens={"output": 30}))
    assert books.billed("output") == [(30,)]
    books.tell(bucket("d1", tokens={"output": 100}, **day))
    assert books.billed("output") == [(100,)]
    books.tell(bucket("h2", started_at="2026-10-03T12:00:00Z", ended_at="2026-10-03T13:00:00Z"))
    assert books.billed("output") == [(100,)]


def test_rows_of_one_view_and_other_endpoints_stand_beside_each_other(books):
    books.tell(
        bucket("b1", labels=grouped("model", "project") | {"project": "p1"}),
        bucket("b2", labels=grouped("model", "project") | {"project": "p2"}, tokens={"output": 1}),
        bucket("b3", labels=grouped("model"), operation="web_search_calls", tokens={"output": 2}),
    )
    assert books.billed("output") == [(1,), (100,), (2,)]


def test_a_sum_of_many_requests_is_no_long_context(books):
    books.tell(bucket("b1", key_id="k1", tokens={"input_uncached": 9_000_000, "output": 1}))
    assert books.billed("input_uncached", "context_tokens") == [(9_000_000, 0)]


def test_a_key_that_a_later_bucket_names_is_another_key_after_all(books):
    books.tell(bucket("b1", key_id="k1"))
    books.tell(call("g", "gateway", 7, key_id="k2", tokens={"output": 4}))
    assert books.billed("output") == [(4,)]
    books.tell(bucket("b2", key_id="k2", model="gpt-4o-mini", tokens={"output": 50}))
    assert books.billed("output") == [(100,), (4,), (50,)]
