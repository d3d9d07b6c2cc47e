"""LiteLLM's rows in every shape: usage in classes, tags from every place, each call once."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_records import check_bytes, check_record, events_of, records
from tallybook.errors import EventError
from tallybook.meter.measure import state
from tallybook.meter.sources.foreign import readings
from tallybook.meter.sources.litellm import kept, open_files, prepare, translate

DATA = Path(__file__).parents[3] / "shared" / "data" / "gateway_logs"

USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
METADATA = {
    "usage_object": {**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None},
    "user_api_key_team_id": "t-1",
    "user_api_key_team_alias": "search",
    "user_api_key_alias": "search-prod",
    "attempted_retries": None,
}
ROW = {
    "request_id": "chatcmpl-BcD3fGh1jKlMnOpQrStUvWxYz01",
    "call_type": "acompletion",
    "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
    "spend": 0.00022500000000000002,
    "startTime": "2026-10-24T09:20:46.847000Z",
    "endTime": "2026-10-24T09:20:47.851000Z",
    "model": "gpt-4o",
    "model_group": "fast",
    "custom_llm_provider": "openai",
    "cache_hit": "None",
    "metadata": METADATA,
    "request_tags": ["feature:rag", "beta"],
    "user": "u-1",
    "end_user": "c-1",
    "team_id": "t-1",
    "session_id": "s-1",
    "status": "success",
    **USAGE,
}


def one(tmp_path, **changes):
    """The only event of one row."""
    (reading,) = events_of(open_files, tmp_path, ROW | changes)
    assert not isinstance(reading.event, EventError), reading.event
    return reading.event


def metadata(**changes):
    return METADATA | changes


def test_a_row_of_the_api(tmp_path):
    event = one(tmp_path)
    assert (event.source, event.event_id) == ("litellm", ROW["request_id"])
    assert event.response_id == ROW["request_id"]
    assert (event.provider, event.model, event.model_requested) == ("openai", "gpt-4o", "fast")
    assert event.tokens == {"input_uncached": 10, "output": 20}
    assert event.reported_cost.amount == "0.00022500000000000002"
    assert (event.team, event.feature, event.user) == ("search", "rag", "u-1")
    assert (event.customer, event.session, event.key_id) == ("c-1", "s-1", "search-prod")
    assert event.labels == {"tags": "beta", "team_id": "t-1"}
    assert event.ended_us - event.started_us == 1_004_000


def test_both_transports_are_one_call(tmp_path):
    """A pub/sub topic carries objects as JSON text; that is the same record and the same digest."""
    text = {"metadata": json.dumps(METADATA), "request_tags": json.dumps(ROW["request_tags"])}
    empty = {"messages": "{}", "response": "{}", "proxy_server_request": "{}"}
    assert one(tmp_path, **text, **empty) == one(tmp_path)
    assert kept(prepare(ROW | text | empty)) == kept(prepare(ROW))


def test_times_without_a_zone_are_utc(tmp_path):
    """LiteLLM turns them into UTC and stores them in a column without zone."""
    event = one(tmp_path, startTime="2026-10-24 09:20:46.847", endTime="2026-10-24 11:20:47+02")
    assert event.started_us == one(tmp_path).started_us
    assert event.ended_us == event.started_us + 153_000
    seconds = one(tmp_path, startTime=1792833646.847, endTime=1792833647.851)
    assert seconds.started_us == event.started_us


def test_a_logging_payload(tmp_path):
    event = one(
        tmp_path,
        request_id=None,
        id="chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f",
        litellm_call_id="11111111-82a3-465a-b47c-04e685a2227f",
        trace_id="trace-7",
        spend=None,
        response_cost=0.25,
        cost_breakdown={"original_cost": 0.2, "margin_percent": 0.25, "total_cost": 0.25},
        cache_hit=None,
        model="bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        custom_llm_provider="bedrock",
        hidden_params={"additional_headers": {"llm_provider-x-amzn-requestid": "aws-1"}},
    )
    assert (event.provider, event.model) == ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert event.reported_cost.amount == "0.2", "the margin is not the provider's"
    assert event.response_id is None, "LiteLLM made that id up"
    assert event.request_id == "aws-1"
    assert event.labels["call_id"] == "chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f"
    assert event.operation_id == "11111111-82a3-465a-b47c-04e685a2227f"
    assert event.trace_id == "trace-7"


def test_cached_tokens_of_anthropic_lie_inside_the_prompt(tmp_path):
    usage = {
        "prompt_tokens": 1532,
        "completion_tokens": 33,
        "total_tokens": 1565,
        "cache_creation_input_tokens": 418,
        "cache_read_input_tokens": 1111,
        "prompt_tokens_details": {
            "cached_tokens": 1111,
            "cache_creation_tokens": 418,
            "cache_creation_token_details": {
                "ephemeral_5m_input_tokens": 400,
                "ephemeral_1h_input_tokens": 18,
            },
        },
        "server_tool_use": {"web_search_requests": 2},
    }
    event = one(tmp_path, custom_llm_provider="anthropic", metadata=metadata(usage_object=usage))
    assert event.tokens == {
        "input_uncached": 3,
        "cache_read": 1111,
        "cache_write_5m": 400,
        "cache_write_1h": 18,
        "output": 33,
    }
    assert event.units == {"web_search": 2}


def test_a_total_that_leaves_the_cache_out_is_believed(tmp_path):
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 33,
        "total_tokens": 1147,
        "prompt_tokens_details": {"cached_tokens": 1111},
    }
    event = one(tmp_path, metadata=metadata(usage_object=usage))
    assert event.tokens == {"input_uncached": 3, "cache_read": 1111, "output": 33}


def test_a_cache_hit_is_not_billed_again(tmp_path):
    """L#39057: spend is 0, the token columns replay the first call."""
    event = one(tmp_path, cache_hit="True", spend=0.0, request_id="chatcmpl-Ab1_cache_hit1729.5")
    assert event.tokens == {"input_uncached": 0, "output": 0}
    assert state(event) == "reported"
    assert event.labels["cache_hit"] == "true"
    assert event.response_id is None, "the id is that of the call that it repeats"


def test_a_failure_is_zero_and_a_failure_with_usage_bills(tmp_path):
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "spend": 0.0}
    why = metadata(usage_object=None, error_information={"error_class": "RateLimitError"})
    failed = one(tmp_path, status="failure", metadata=why, **nothing)
    assert (failed.status, failed.tokens, state(failed)) == ("error", None, "reported")
    assert failed.labels["error"] == "RateLimitError"
    used = one(tmp_path, status="failure")
    assert (used.status, used.tokens) == ("error", {"input_uncached": 10, "output": 20})


def test_a_call_without_figures_is_unknown_not_zero(tmp_path):
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    event = one(tmp_path, metadata=metadata(usage_object=nothing), spend=0, **nothing)
    assert (event.tokens, state(event), event.reported_cost) == (None, "unknown", None)


def test_columns_alone_do_not_say_what_was_cached(tmp_path):
    event = one(tmp_path, metadata=metadata(usage_object=None))
    assert (event.tokens, state(event)) == ({"input_uncached": 10, "output": 20}, "estimated")
    embedding = one(tmp_path, metadata=metadata(usage_object=None), call_type="aembedding")
    assert state(embedding) == "reported"


def test_a_row_without_id_is_kept_under_its_digest(tmp_path):
    """L#6633: the id is empty; only the first such row was kept there."""
    rows = [ROW | {"request_id": "", "spend": spend} for spend in (0.1, 0.2)]
    first, second = (each.event for each in events_of(open_files, tmp_path, *rows))
    assert first.event_id.startswith("digest:")
    assert first.event_id != second.event_id
    assert first.event_id == one(tmp_path, request_id="", spend=0.1).event_id


def wrapped(inner):
    plain = f"litellm:custom_llm_provider:anthropic;model_id:abc;response_id:{inner}"
    return "resp_" + base64.b64encode(plain.encode()).decode()


def test_the_two_rows_of_a_responses_call_are_one_call(tmp_path):
    """L#15740: /v1/responses is logged as itself and as the completion behind it."""
    inner = "chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f"
    claude = {"custom_llm_provider": "anthropic", "model": "claude-sonnet-4-5"}
    outer = one(tmp_path, request_id=wrapped(inner), call_type="aresponses", **claude)
    behind = one(tmp_path, request_id=inner, call_type="acompletion", **claude)
    assert outer.request_id == behind.request_id == inner
    real = one(tmp_path, request_id=wrapped("resp_68a"), call_type="aresponses")
    assert (real.event_id, real.response_id) == (wrapped("resp_68a"), "resp_68a")


def test_a_stored_response_asked_for_twice_is_one_record(tmp_path):
    """L#17814: each GET of a response writes its usage again, under a wrapper of its own."""
    rows = [
        ROW | {"call_type": "aget_responses", "request_id": wrapped("resp_68a"), "startTime": when}
        for when in ("2026-10-24T09:20:46Z", "2026-10-24T09:30:00Z")
    ]
    first, second = events_of(open_files, tmp_path, *rows)
    assert first.event.event_id == second.event.event_id == "resp_68a"
    assert first.event.response_id == "resp_68a"
    assert first.record == second.record


def test_a_batch_is_one_event_however_often_it_is_polled(tmp_path):
    changes = {"call_type": "aretrieve_batch", "response": {"id": "batch_7", "status": "completed"}}
    rows = [ROW | changes | {"request_id": f"md5-{n}", "endTime": None} for n in range(3)]
    readings = events_of(open_files, tmp_path, *rows)
    assert {each.event.event_id for each in readings} == {"batch_7_batch_cost"}
    named = ROW | changes | {"request_id": "batch_7_batch_cost", "response": None}
    (later,) = events_of(open_files, tmp_path, named)
    assert later.event.event_id == "batch_7_batch_cost"
    assert (later.event.tier, later.event.operation) == ("batch", "batch")


def test_asking_a_batch_that_is_not_done_is_no_call(tmp_path):
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    row = ROW | {"call_type": "aretrieve_batch", "metadata": {}, **nothing}
    assert events_of(open_files, tmp_path, row) == []


def test_the_sum_of_a_large_batch_does_not_decide_a_price(tmp_path):
    large = {"prompt_tokens": 400_000, "completion_tokens": 5, "total_tokens": 400_005}
    row = {"call_type": "aretrieve_batch", "metadata": metadata(usage_object=large)}
    assert state(one(tmp_path, **row)) == "estimated"


def test_a_fallback_is_priced_at_its_own_model(tmp_path):
    more = metadata(attempted_fallbacks=1, attempted_retries=2, original_model_group="smart")
    event = one(tmp_path, model="gpt-4o-mini", model_group="cheap", metadata=more)
    assert (event.model, event.model_requested, event.attempt) == ("gpt-4o-mini", "cheap", 4)
    assert event.labels["fallback_of"] == "smart"


def test_a_kept_body_of_the_provider_is_read_by_the_providers_rule(tmp_path):
    """The body says cache writes by time to live, and what an advisor of another model used."""
    body = {
        "id": "msg_01",
        "type": "message",
        "model": "claude-sonnet-4-5-20250929",
        "usage": {"input_tokens": 3, "output_tokens": 33, "cache_read_input_tokens": 1111},
    }
    row = {
        "custom_llm_provider": "anthropic",
        "call_type": "anthropic_messages",
        "request_id": "msg_01",
        "metadata": metadata(usage_object=None),
    }
    event = one(tmp_path, response=body, prompt_tokens=1114, completion_tokens=33, **row)
    assert event.tokens["input_uncached"] == 3
    assert event.tokens["cache_read"] == 1111
    assert (event.model, event.response_id) == ("claude-sonnet-4-5-20250929", "msg_01")


@pytest.mark.parametrize(
    "place",
    [
        {"request_tags": ["Team:a", "FEATURE: bot"]},
        {"metadata": {"spend_logs_metadata": {"team": "a", "feature": "bot"}}},
        {"metadata": {"tags": ["team:a", "feature:bot"]}},
        {"metadata": {"requester_metadata": {"tags": ["team:a"], "feature": "bot"}}},
        {"metadata": {"requester_custom_headers": {"X-LiteLLM-Tags": "team:a,feature:bot"}}},
        {"proxy_server_request": {"body": {"metadata": {"team": "a", "tags": ["feature:bot"]}}}},
        {"proxy_server_request": {"body": {"litellm_metadata": {"team": "a", "feature": "bot"}}}},
    ],
)
def test_tags_are_found_wherever_a_route_leaves_them(tmp_path, place):
    event = one(tmp_path, **({"request_tags": [], "metadata": {}} | place))
    assert (event.team, event.feature) == ("a", "bot")


def test_a_tag_says_more_than_the_key(tmp_path):
    said = metadata(spend_logs_metadata={"team": "a", "customer": "c-9", "purpose": "eval"})
    event = one(tmp_path, metadata=said, request_tags=["team:b", "purpose:production"])
    assert (event.team, event.customer, event.purpose) == ("a", "c-9", "evaluation")
    assert (one(tmp_path, metadata={}).team, event.labels["team_id"]) == ("t-1", "t-1")


def test_an_azure_deployment_is_priced_as_the_model_behind_it(tmp_path):
    known = {"model_map_key": "azure/gpt-4o-2024-08-06", "model_map_value": {}}
    event = one(
        tmp_path,
        model="azure/our-deployment",
        custom_llm_provider="azure",
        metadata=metadata(model_map_information=known),
    )
    assert (event.provider, event.model) == ("azure", "gpt-4o-2024-08-06")


def test_a_tool_is_a_span_that_used_nothing(tmp_path):
    row = {"call_type": "call_mcp_tool", "mcp_namespaced_tool_name": "wiki/search"}
    (reading,) = events_of(open_files, tmp_path, ROW | row)
    assert (reading.role, reading.event.service) == ("span", "wiki/search")
    assert (reading.event.provider, reading.event.tokens) == ("none", None)


def test_a_negative_cost_is_told_and_not_believed(tmp_path):
    event = one(tmp_path, spend=-0.065)
    assert event.reported_cost is None
    assert event.labels["reported_cost_refused"] == "-0.065 USD"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"metadata": "{broken"}, "metadata is text that is no JSON"),
        ({"request_tags": "[broken"}, "request_tags is text that is no JSON"),
        ({"metadata": METADATA | {"usage_object": {"prompt_tokens": -5}}}, "prompt_tokens is -5"),
        (
            {"metadata": {"usage_object": USAGE | {"cache_read_input_tokens": 11}}},
            "cache_read is 11, more than all input, 10",
        ),
        ({"models": {}, "users": {}}, "a daily summary"),
        ({"startTime": "yesterday"}, "is not an instant"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, change, what):
    (reading,) = events_of(open_files, tmp_path, ROW | change)
    assert isinstance(reading.event, EventError)
    assert what in reading.event.what


def test_what_is_no_row_says_what_to_export(tmp_path):
    (reading,) = events_of(open_files, tmp_path, {"hello": 1})
    assert "no startTime" in reading.event.what
    assert "summarize=false" in reading.event.next_step


@pytest.mark.parametrize("special", [{}, {"cache_hit": "True"}])
def test_who_people_are_and_what_they_wrote_is_not_kept(tmp_path, special):
    prompt = {"messages": [{"content": "secret"}], "response": {"choices": ["secret"]}}
    said = metadata(user_api_key_user_email="secret@x", requester_metadata={"user_id": "secret"})
    row = ROW | prompt | special | {"user": "secret", "end_user": "secret", "metadata": said}
    (reading,) = events_of(open_files, tmp_path, row)
    assert "secret" not in json.dumps(reading.record, default=str)
    assert reading.event.user == "secret", "ingest puts a subject id in its place"


def test_the_real_logs_of_a_client():
    """Five calls through a LiteLLM proxy: what examples/azure_2023 reads by a mapping."""
    if not DATA.is_dir():
        pytest.skip("the shared data is absent")
    events = [one.event for one in open_files(sorted(DATA.glob("*.json"))).read()]
    claude, deepseek = events[:3], events[3:]
    assert [event.tokens for event in events] == [
        {"input_uncached": 4812, "output": 146},
        {"input_uncached": 6123, "output": 120},
        {"input_uncached": 6485, "output": 113},
        {"cache_read": 7872, "input_uncached": 39, "output": 59},
        {"cache_read": 8896, "input_uncached": 131, "output": 64},
    ]
    assert {(e.provider, e.model) for e in claude} == {("anthropic", "claude-sonnet-4-20250514")}
    assert {(e.provider, e.model) for e in deepseek} == {("deepseek", "deepseek-chat")}
    assert not any(e.response_id for e in claude), "the proxy gave them ids of its own"
    assert all(e.response_id == e.event_id for e in deepseek)
    assert events[0].reported_cost.amount == "0.016626000000000002"


KEYS = (*ROW, *METADATA, *USAGE, "prompt_tokens_details", "cached_tokens", "cost_breakdown",
        "original_cost", "response", "usage", "tags", "response_cost", "id", "litellm_call_id",
        "proxy_server_request", "body", "type", "object", "timestamp", "cost", "kwargs", "models",
        "users", "additional_usage_values", "hidden_params", "batch_models")  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(records(KEYS, ROW))
def test_any_record_gives_events_or_a_fault(record):
    check_record(open_files, record)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.sampled_from([json.dumps(ROW).encode()[:n] for n in range(60)]))
def test_any_bytes_give_events_or_a_fault(line):
    check_bytes(open_files, line)


@settings(max_examples=400, deadline=None)
@given(records(KEYS, ROW), records(tuple(USAGE), USAGE))
def test_the_short_way_and_the_general_way_say_the_same(record, usage):
    """`litellm_plain.py` is only faster."""
    told = record.get("metadata")
    if isinstance(told, dict) and told:
        record = record | {"metadata": told | {"usage_object": usage}}
    row = json.loads(json.dumps(record), parse_float=Decimal)
    short = [reading.event for reading in open_files([]).readings("x:1", row)]
    assert [*map(str, short[:1])] == [*map(str, general_reading(row))]


def general_reading(row):
    """The first thing that the general reader says of a row; a fault by its words."""
    for reading in readings("x:1", row, translate, prepare):
        return [reading.event]
    return []
