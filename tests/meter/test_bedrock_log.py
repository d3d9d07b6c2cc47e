"""Bedrock's invocation log: each call once, cache tokens beside the input, whoever called it."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.sources.bedrock_log import model_of, open_files

SAMPLE = Path(__file__).parents[3] / "shared/data/billing_samples/bedrock_model_invocation_log.json"
RECORD = {
    "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-10-03T10:00:00Z",
    "accountId": "123", "identity": {"arn": "arn:aws:sts::123:assumed-role/Search/anna@example.com"},
    "region": "eu-central-1", "requestId": "req-1", "operation": "Converse",
    "modelId": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "inferenceRegion": "eu-west-1",
    "requestMetadata": {"team": "search", "feature": "rag", "build": "7"},
    "input": {"inputContentType": "application/json", "inputBodyJson": {"messages": "secret"},
              "inputTokenCount": 3, "cacheReadInputTokenCount": 1712, "cacheWriteInputTokenCount": 236},
    "output": {"outputBodyJson": {
        "output": {"message": {"content": [{"text": "secret"}]}}, "metrics": {"latencyMs": 302},
        "usage": {"inputTokens": 3, "outputTokens": 121, "totalTokens": 2072,
                  "cacheReadInputTokens": 1712, "cacheWriteInputTokens": 236,
                  "cacheDetails": [{"ttl": "5m", "inputTokens": 236}]},
        "serviceTier": {"type": "priority"}}, "outputTokenCount": 121},
}  # fmt: skip


def read(tmp_path, *records):
    path = tmp_path / "log.json.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return list(open_files([path]).read())


def event_of(tmp_path, **changes):
    (one,) = read(tmp_path, {**RECORD, **changes})
    if isinstance(one.event, EventError):
        raise one.event
    return one.event


def test_a_record_is_a_call_with_the_cache_beside_its_input(tmp_path):
    (one,) = read(tmp_path, RECORD)
    event = one.event
    assert event.tokens == {
        "input_uncached": 3, "cache_read": 1712, "cache_write_5m": 236, "output": 121
    } | dict.fromkeys(event.tokens.keys() - {"input_uncached", "cache_read", "cache_write_5m", "output"}, 0)  # fmt: skip
    assert (one.role, event.event_id, event.request_id) == ("call", "req-1", "req-1")
    assert (event.provider, event.model) == ("aws", RECORD["modelId"])
    assert (event.tier, event.region, event.operation) == ("priority", "eu-central-1", "Converse")
    assert (event.latency_ms, event.team, event.feature) == (302, "search", "rag")
    assert event.labels == {"account": "123", "build": "7", "inference_region": "eu-west-1"}
    assert "secret" not in json.dumps(one.record)


def test_a_role_is_the_key_and_its_session_may_be_a_person(tmp_path):
    event = event_of(tmp_path)
    assert (event.key_id, event.user) == (
        "arn:aws:sts::123:assumed-role/Search",
        "anna@example.com",
    )
    event = event_of(tmp_path, identity={"arn": "arn:aws:iam::123:user/ci"})
    assert (event.key_id, event.user) == ("arn:aws:iam::123:user/ci", "ci")
    event = event_of(tmp_path, identity={"arn": "arn:aws:iam::123:root"})
    assert (event.key_id, event.user) == ("arn:aws:iam::123:root", None)
    assert event_of(tmp_path, identity=None).key_id is None


def test_the_caller_is_in_no_digest(tmp_path):
    source = open_files([])
    assert ("identity",) in source.personal
    assert ("requestMetadata", "user_id") in source.personal


def test_bodies_in_s3_leave_the_counts_of_the_log(tmp_path):
    output = {"outputBodyS3Path": "s3://bucket/key.json.gz", "outputTokenCount": 121}
    event = event_of(tmp_path, output=output)
    assert event.tokens["cache_write"] == 236
    assert (event.tokens["input_uncached"], event.tokens["output"]) == (3, 121)


def test_a_stream_of_chunks_leaves_the_counts_of_the_log(tmp_path):
    output = {"outputBodyJson": [{"type": "message_start"}], "outputTokenCount": 121}
    assert event_of(tmp_path, output=output).tokens["output"] == 121


def test_a_body_that_states_less_is_not_believed(tmp_path):
    output = {
        "outputBodyJson": {"usage": {"inputTokens": 3, "outputTokens": 1}},
        "outputTokenCount": 121,
    }
    assert event_of(tmp_path, output=output).tokens["output"] == 121


def test_what_compaction_used_is_in_the_body_only(tmp_path):
    iterations = [
        {"type": "compaction", "input_tokens": 5000, "output_tokens": 100},
        {"type": "message", "input_tokens": 3, "output_tokens": 121},
    ]
    usage = {"input_tokens": 3, "output_tokens": 121, "iterations": iterations}
    counts = {"inputTokenCount": 3}
    body = {"type": "message", "model": "claude-sonnet-4-5", "usage": usage}
    record = {**RECORD, "operation": "InvokeModel", "input": counts}
    record["output"] = {"outputBodyJson": body, "outputTokenCount": 121}
    found = read(tmp_path, record)
    assert sum(one.event.tokens["input_uncached"] for one in found) == 5003
    assert sum(one.event.tokens["output"] for one in found) == 221


def test_an_embedding_writes_nothing(tmp_path):
    body = {"embedding": [0.5, 0.25], "inputTextTokenCount": 3}
    counts = {"inputTokenCount": 3}
    output = {"outputBodyJson": body}
    event = event_of(tmp_path, operation="InvokeModel", modelId="amazon.titan-embed-text-v2:0",
                     input=counts, output=output)  # fmt: skip
    assert event.tokens["input_uncached"] == 3
    assert not event.tokens.get("output")
    (one,) = read(tmp_path, {**RECORD, "output": output, "operation": "InvokeModel"})
    assert "0.5" not in json.dumps(one.record)


def test_a_body_that_leaves_a_figure_open_is_not_believed(tmp_path):
    output = {
        "outputBodyJson": {"usage": {"inputTokens": 9000, "outputTokens": None}},
        "outputTokenCount": 121,
    }
    assert event_of(tmp_path, output=output).tokens["output"] == 121


def test_a_call_that_failed_is_an_error_and_one_without_counts_unknown(tmp_path):
    event = event_of(tmp_path, errorCode="ThrottlingException", input={}, output={})
    assert (event.status, event.tokens) == ("error", None)
    assert event.labels["error"] == "ThrottlingException"
    event = event_of(tmp_path, input=None, output=None)
    assert (event.status, event.tokens, event.usage) == (None, None, "unknown")


@pytest.mark.parametrize(
    ("model_id", "model"),
    [
        ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("arn:aws:bedrock:us-east-1:123:inference-profile/us.meta.llama3-3-70b-instruct-v1:0", "us.meta.llama3-3-70b-instruct-v1:0"),
        ("arn:aws:bedrock:us-east-1:123:application-inference-profile/abc", "arn:aws:bedrock:us-east-1:123:application-inference-profile/abc"),
        ("foundation-model/x", "foundation-model/x"),
    ],
)  # fmt: skip
def test_the_model_in_an_arn(model_id, model):
    assert model_of(model_id) == model


def test_an_applications_profile_stays_for_an_alias(tmp_path):
    arn = "arn:aws:bedrock:us-east-1:123:application-inference-profile/abc"
    assert event_of(tmp_path, modelId=arn).model == arn


def test_the_envelopes_of_cloudwatch(tmp_path):
    text = json.dumps(RECORD)
    found = read(
        tmp_path, {"timestamp": 1, "message": text}, {"@message": text}, {"@message": RECORD}
    )
    assert [one.event.event_id for one in found] == ["req-1"] * 3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"schemaType": "Other"},
            'schemaType is "Other"; a record of the log is a ModelInvocationLog',
        ),
        ({"timestamp": None}, "started_at"),
        ({"requestId": None}, "event_id"),
        ({"modelId": ""}, "model"),
        ({"input": {"inputTokenCount": -1}}, "inputTokenCount"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, changes, told):
    with pytest.raises(EventError, match=told):
        event_of(tmp_path, **changes)


def test_the_real_record():
    if not SAMPLE.is_file():
        pytest.skip("the shared data is absent: billing_samples")
    (one,) = open_files([SAMPLE]).read()
    assert one.event.tokens["input_uncached"] == 4
    assert one.event.tokens["output"] == 38
    assert one.event.model == "amazon.nova-lite-v1:0"
    assert one.event.latency_ms == 302


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*RECORD, "usage", "inputTokenCount", "message", "arn"]), inner
        )
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(RECORD)), JSON), JSON, JSON)
def test_any_record_gives_a_call_or_a_fault(tmp_path_factory, changes, body, more):
    folder = tmp_path_factory.mktemp("fuzz")
    inside = {**RECORD, "output": {"outputBodyJson": body, "outputTokenCount": 3}}
    for one in read(folder, {**RECORD, **changes}, inside, more):
        assert isinstance(one.event, EventError) or one.event.provider == "aws"
