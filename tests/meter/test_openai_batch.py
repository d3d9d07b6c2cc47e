"""Lines of OpenAI batch results: the batch tier, once each, with what the batch says of them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.sources.openai_batch import open_files

SAMPLE = Path(__file__).parents[3] / "shared/data/billing_samples/openai_batch_output_line.jsonl"
CREATED = 1_759_622_400
CHAT = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": CREATED, "model": "gpt-4o-2024-08-06",
    "choices": [{"message": {"content": "secret"}}], "service_tier": "default",
    "usage": {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109,
              "prompt_tokens_details": {"cached_tokens": 40}},
}  # fmt: skip
BATCH = {
    "id": "batch_1", "object": "batch", "endpoint": "/v1/embeddings", "created_at": CREATED - 9,
    "in_progress_at": CREATED - 5, "completed_at": CREATED + 60, "metadata": {"team": "search", "job": "7"},
    "usage": {"input_tokens": 999, "output_tokens": 999},
}  # fmt: skip


def line(body=None, line_id="batch_req_1", **changes):
    response = {"status_code": 200, "request_id": "req-1", "body": CHAT if body is None else body}
    return {"id": line_id, "custom_id": "c-1", "response": response, "error": None, **changes}


def read(tmp_path, *records):
    path = tmp_path / "out.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return list(open_files([path]).read())


def test_a_line_is_a_call_at_the_batch_tier(tmp_path):
    (one,) = read(tmp_path, line())
    event = one.event
    assert (one.role, event.event_id, event.tier, event.purpose) == (
        "call",
        "batch_req_1",
        "batch",
        "batch",
    )
    assert (event.response_id, event.request_id) == ("chatcmpl-1", "req-1")
    assert (event.provider, event.model) == ("openai", "gpt-4o-2024-08-06")
    assert event.started_us == CREATED * 1_000_000
    assert event.tokens["input_uncached"] == 60
    assert event.tokens["cache_read"] == 40
    assert event.labels == {"custom_id": "c-1"}


def test_no_word_of_the_answer_is_kept(tmp_path):
    (one,) = read(tmp_path, line())
    assert "secret" not in json.dumps(one.record, default=str)


def test_the_batch_before_its_lines_says_whose_they_are_and_when(tmp_path):
    embedding = {
        "object": "list",
        "data": [],
        "model": "m",
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }
    (one,) = read(tmp_path, BATCH, line(embedding, line_id="batch_req_x"))
    assert one.event.started_us == (CREATED + 60) * 1_000_000
    assert one.event.team == "search"
    assert one.event.labels == {"batch_id": "batch_1", "custom_id": "c-1", "job": "7"}
    assert one.event.tokens["input_uncached"] == 8


def test_a_batch_in_a_file_of_its_own_and_a_line_without_an_id(tmp_path):
    (tmp_path / "batch.json").write_text(json.dumps(BATCH, indent=1))
    (tmp_path / "out.jsonl").write_text(
        json.dumps(line(line_id=None)) + "\n" + json.dumps(line()) + "\n"
    )
    first, _ = open_files([tmp_path / "batch.json", tmp_path / "out.jsonl"]).read()
    assert first.event.event_id == "batch_1:c-1"


def test_the_batch_itself_is_never_counted(tmp_path):
    assert read(tmp_path, BATCH) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"response": None, "error": {"code": "batch_expired", "message": "x"}},
        {"response": {"status_code": 400, "body": {"error": {"message": "no"}}}},
        {"response": {"status_code": 200}},
    ],
)
def test_a_request_that_never_ran_or_was_refused_is_no_call(tmp_path, changes):
    assert read(tmp_path, line(**changes)) == []


def test_what_failed_and_used_tokens_is_an_error_with_usage(tmp_path):
    (one,) = read(tmp_path, line(response={"status_code": 500, "body": CHAT}))
    assert one.event.status == "error"
    assert one.event.tokens["output"] == 9


def test_azure_is_known_by_its_filter_results(tmp_path):
    (one,) = read(tmp_path, line({**CHAT, "prompt_filter_results": [{"prompt_index": 0}]}))
    assert one.event.provider == "azure"


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([{"id": "x"}], "custom_id is null; a line of batch results has one"),
        ([line(line_id=None)], "the line has no id"),
        ([line({**CHAT, "created": None})], "nothing says when line"),
        ([line({**CHAT, "created": None}, line_id="batch_req_zzzzzzzz08190948f212848e33ab5aaaa")], "nothing says"),
        ([line({**CHAT, "created": None}, line_id="batch_req_00000001aa08190948f212848e33ab5a")], "nothing says"),
        ([line({**CHAT, "created": 10**15})], "created is 1000000000000000"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(tmp_path, records, told):
    (one,) = read(tmp_path, *records)
    assert told in one.event.what


def test_the_real_line_says_its_time_in_its_id():
    if not SAMPLE.is_file():
        pytest.skip("the shared data is absent: billing_samples")
    (one,) = open_files([SAMPLE]).read()
    assert one.event.started_us == 0x68C8F34A * 1_000_000
    assert one.event.tokens["input_uncached"] == 13
    assert (one.event.model, one.event.tier) == ("text-embedding-3-small", "batch")
    assert one.event.request_id == "8724e1825b5baa0ac74cf4d11c77d513"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*CHAT, *BATCH, "body", "response", "custom_id"]), inner)
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(list(BATCH)), JSON),
    st.dictionaries(st.sampled_from(list(CHAT)), JSON),
    st.dictionaries(st.sampled_from(["id", "custom_id", "response", "error"]), JSON),
    JSON,
)
def test_any_line_gives_a_call_or_a_fault(tmp_path_factory, batch, body, changes, more):
    folder = tmp_path_factory.mktemp("fuzz")
    lines = [
        BATCH | batch | {"object": "batch"},
        line(CHAT | body),
        line(CHAT | body, **changes),
        more,
    ]
    for one in read(folder, *lines):
        assert isinstance(one.event, EventError) or one.event.tier == "batch"
