"""Exhibits of gateway logs: batches billed by the poll, lost tags, retries, lost owners."""

import json

import pytest

from tallybook.clock import FixedClock
from tallybook.meter.ingest import ingest
from tallybook.meter.measure import state
from tallybook.meter.sources.registry import open_product
from tallybook.store import Store

USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
ROW = {
    "request_id": "chatcmpl-AbCdEf",
    "call_type": "acompletion",
    "startTime": "2026-10-03T10:00:00Z",
    "endTime": "2026-10-03T10:00:02Z",
    "model": "gpt-4o",
    "custom_llm_provider": "openai",
    "status": "success",
    "spend": 0.0045,
    "metadata": {"usage_object": USAGE},
    **USAGE,
}


@pytest.fixture
def store(tmp_path):
    books = Store.create(tmp_path / "books")
    yield books
    books.close()


def written(folder, records):
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def read(folder, *records, product="litellm"):
    return [one.event for one in open_product(product, [written(folder, records)]).read()]


def send(store, *records, product="litellm"):
    return ingest(
        store,
        open_product(product, [written(store.home, records)]),
        clock=FixedClock(1),
        new_id=iter(map(str, range(99))).__next__,
        on_progress=None,
        reject_folder=store.home,
    )


def test_a11_a_batch_is_billed_once_however_often_it_is_polled(store):
    """L#12084: every poll of a finished batch was a row with its cost. Three polls: one event."""
    batch = {"call_type": "aretrieve_batch", "response": {"id": "batch_7"}}
    polls = [
        ROW | batch | {"request_id": f"hash-{n}", "startTime": f"2026-10-03T1{n}:00:00Z"}
        for n in range(3)
    ]
    result = send(store, *polls)
    assert (result.accepted, result.duplicate, result.quarantined) == (1, 2, 0)
    grown = polls[0] | {"metadata": {"usage_object": USAGE | {"completion_tokens": 900}}}
    assert send(store, grown).quarantined == 1, "another answer is seen, and not billed beside"


def test_a11_a_batch_keeps_key_team_and_tags(tmp_path):
    """L PR 36468, 35468: key, team and tags of a batch were lost on the way to its cost row."""
    owner = {"user_api_key_alias": "search-prod", "user_api_key_team_alias": "search"}
    row = ROW | {"call_type": "aretrieve_batch", "request_id": "batch_7_batch_cost"}
    told = {"metadata": owner | {"usage_object": USAGE}, "request_tags": ["feature:bot"]}
    (event,) = read(tmp_path, row | told)
    assert (event.key_id, event.team, event.feature, event.tier) == (
        *("search-prod", "search", "bot"),
        "batch",
    )


ROUTES = ("acompletion", "aresponses", "anthropic_messages", "aembedding", "pass_through_endpoint")
PLACES = {
    "request tags": {"request_tags": ["team:a", "feature:bot"]},
    "spend logs metadata": {"metadata": {"spend_logs_metadata": {"team": "a", "feature": "bot"}}},
    "metadata of the request": {"metadata": {"requester_metadata": {"team": "a", "feature": "bot"}}},
    "headers": {"metadata": {"requester_custom_headers": {"x-litellm-tags": "team:a,feature:bot"}}},
    "stored body": {"proxy_server_request": {"body": {"metadata": {"tags": ["team:a", "feature:bot"]}}}},
}  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("is_text", [False, True])
def test_a13_tags_survive_every_route_and_place(tmp_path, route, place, is_text):
    """L#31584, #29079, #16585, #7237: whether tags arrived hung on the route that was called."""
    told = PLACES[place]
    row = ROW | {"call_type": route, "metadata": {}} | told
    if is_text:  # as a pub/sub topic carries it
        row = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
    (event,) = read(tmp_path, row)
    assert (event.team, event.feature) == ("a", "bot")


def test_a13_customers_of_one_key_are_not_taken_for_each_other(tmp_path):
    """L#31441: end_user stayed that of the first request on a shared key. Ours: each its own."""
    rows = [
        ROW | {"request_id": f"chatcmpl-{n}", "end_user": f"c-{n}", "request_tags": [f"feature:f{n}"]}
        for n in range(3)
    ]  # fmt: skip
    assert [(e.customer, e.feature) for e in read(tmp_path, *rows)] == [
        ("c-0", "f0"), ("c-1", "f1"), ("c-2", "f2"),
    ]  # fmt: skip


def test_a16_a_fallback_is_billed_at_its_own_model_and_the_failure_at_nothing(tmp_path):
    """L PR 39294: a fallback at the first model's price was 35 % low or 109 % high."""
    nothing = dict.fromkeys(USAGE, 0)
    failed = ROW | nothing | {"request_id": "1", "status": "failure", "model": "gpt-4o",
                              "metadata": {"usage_object": None}, "spend": 0}  # fmt: skip
    served = ROW | {"request_id": "2", "model": "claude-haiku-4-5", "model_group": "gpt-4o",
                    "custom_llm_provider": "anthropic",
                    "metadata": {"usage_object": USAGE, "attempted_fallbacks": 1}}  # fmt: skip
    first, second = read(tmp_path, failed, served)
    assert (first.status, first.tokens, state(first)) == ("error", None, "reported")
    assert (second.provider, second.model, second.attempt) == ("anthropic", "claude-haiku-4-5", 2)


def test_a16_rows_without_an_id_are_all_kept(store):
    """L#6633: of rows with an empty id only the first was kept. Ours: each; again, none twice."""
    rows = [ROW | {"request_id": "", "completion_tokens": n} for n in range(1, 4)]
    assert send(store, *rows).accepted == 3
    assert send(store, *rows).duplicate == 3


def test_a20_the_team_of_a_call_is_that_of_its_time(tmp_path):
    """L#25710: a team vanished from past calls when its key was deleted. The row itself says it."""
    told = {
        "user_api_key_team_id": "t-1",
        "user_api_key_team_alias": "search",
        "usage_object": USAGE,
    }
    (event,) = read(tmp_path, ROW | {"metadata": told, "api_key": "", "team_id": ""})
    assert (event.team, event.labels["team_id"]) == ("search", "t-1")


def test_a20_a_log_exported_twice_counts_once(store):
    """L#28979: a tag's total spiked by 25 to 65 dollars. Both transports of a row are one record."""
    text = {"metadata": json.dumps(ROW["metadata"]), "messages": "{}", "end_user": ""}
    assert send(store, ROW).accepted == 1
    assert send(store, ROW | text).duplicate == 1
