"""Lines of Anthropic batch results: what succeeded, at the batch tier, when the batch ran."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.sources.anthropic_batch import open_files

BATCH = {
    "id": "msgbatch_1", "type": "message_batch", "processing_status": "ended",
    "created_at": "2026-10-03T10:00:00Z", "ended_at": "2026-10-03T11:00:00Z",
    "request_counts": {"succeeded": 1},
}  # fmt: skip
MESSAGE = {
    "id": "msg_1", "type": "message", "model": "claude-opus-5",
    "content": [{"type": "text", "text": "secret"}],
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 1111, "output_tokens": 33,
              "cache_creation_input_tokens": 0, "service_tier": "batch"},
}  # fmt: skip


def line(message=None, kind="succeeded", **changes):
    result = {"type": kind, "message": MESSAGE if message is None else message}
    return {"custom_id": "c-1", "result": result, **changes}


def read(tmp_path, *records):
    path = tmp_path / "results.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return list(open_files([path]).read())


def test_a_line_is_a_call_of_its_batch(tmp_path):
    (one,) = read(tmp_path, BATCH, line())
    event = one.event
    assert (one.role, event.event_id, event.response_id) == ("call", "msg_1", "msg_1")
    assert (event.tier, event.model, event.provider) == ("batch", "claude-opus-5", "anthropic")
    assert event.ended_us - event.started_us == 3_600_000_000
    assert (event.tokens["input_uncached"], event.tokens["cache_read"]) == (3, 1111)
    assert event.labels == {"batch_id": "msgbatch_1", "custom_id": "c-1"}
    assert "secret" not in json.dumps(one.record)


def test_an_advisor_inside_is_a_part_at_its_own_model(tmp_path):
    usage = MESSAGE["usage"] | {"iterations": [
        {"type": "message", "input_tokens": 3, "output_tokens": 33, "cache_read_input_tokens": 1111},
        {"type": "advisor_message", "model": "claude-fable-5", "input_tokens": 50, "output_tokens": 5},
    ]}  # fmt: skip
    first, second = read(tmp_path, BATCH, line({**MESSAGE, "usage": usage}))
    assert (second.event.event_id, second.event.response_id) == ("msg_1/1", "msg_1/1")
    assert (first.event.model, second.event.model) == ("claude-opus-5", "claude-fable-5")
    assert second.event.tier == "batch"


@pytest.mark.parametrize("kind", ["errored", "canceled", "expired"])
def test_what_did_not_succeed_used_nothing(tmp_path, kind):
    assert read(tmp_path, BATCH, {"custom_id": "c-1", "result": {"type": kind}}) == []


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([line()], 'message "msg_1" does not say when it was made'),
        ([BATCH, line({"type": "message"})], "message null does not say"),
        ([line(kind="done")], 'result.type is "done"'),
        ([{"result": {"type": "succeeded"}}], 'result.type is "succeeded"; a line of batch results has a custom_id'),
        ([BATCH | {"created_at": None}, line()], "started_at"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(tmp_path, records, told):
    (one,) = read(tmp_path, *records)
    assert told in one.event.what


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*MESSAGE, *BATCH, "result", "message", "custom_id"]), inner
        )
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(list(BATCH)), JSON),
    st.dictionaries(st.sampled_from(list(MESSAGE)), JSON),
    JSON,
)
def test_any_line_gives_a_call_or_a_fault(tmp_path_factory, batch, message, more):
    folder = tmp_path_factory.mktemp("fuzz")
    for one in read(folder, BATCH | batch, line(MESSAGE | message), more):
        assert isinstance(one.event, EventError) or one.event.tier == "batch"
