"""The providers' own clients, as they are: they see what they asked for, and we see what they used."""

from __future__ import annotations

import pytest

from sdk.bodies import PROMPT, REPLY
from sdk.script import events_in, run_script
from tallybook.meter.measure import state
from tallybook.meter.read import read_event

CHAT = {"input_uncached": 40, "cache_read": 60, "output": 20}
STREAM = {"input_uncached": 100, "output": 20}
CLAUDE = {
    "input_uncached": 3,
    "cache_read": 1111,
    "cache_write_5m": 418,
    "cache_write_1h": 0,
    "output": 33,
}
RESPONSE = {"input_uncached": 50, "cache_read": 30, "output": 50, "reasoning": 32}


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    spool = tmp_path_factory.mktemp("clients") / "spool"
    seen = run_script("sdk", "drive_clients.py", spool)
    by_case: dict[str, list[dict]] = {}
    for event in events_in(spool):
        read_event(event)
        by_case.setdefault(event["feature"], []).append(event)
    text = "".join(path.read_text() for path in spool.iterdir())
    return seen, by_case, text


@pytest.mark.parametrize(
    ("case", "saw", "tokens"),
    [
        ("openai_chat", REPLY, CHAT),
        ("openai_chat_stream", [7, [], {"include_usage": True}], STREAM),
        ("openai_chat_stream_usage", 120, STREAM),
        ("openai_tools", "f", CHAT),
        ("openai_responses", 130, RESPONSE),
        ("openai_responses_stream", ["response.created", "response.completed"], RESPONSE),
        ("openai_embeddings", 8, {"input_uncached": 8, "output": 0}),
        ("openai_async", 120, CHAT),
        ("openai_async_stream", 7, STREAM),
        ("anthropic_message", 33, CLAUDE),
        ("anthropic_stream", 33, CLAUDE),
        ("anthropic_async", 33, CLAUDE),
        ("mistral_chat", 120, CHAT),
        ("mistral_stream", 7, CHAT),
        ("cohere_chat", "c1", {"input_uncached": 5, "output": 7}),
    ],
)
def test_a_call_is_metered_and_its_caller_sees_no_difference(driven, case, saw, tokens):
    seen, events, _ = driven
    assert seen[case] == saw
    (event,) = events[case]
    assert (event["tokens"], event["status"], event["usage"]) == (tokens, "ok", "reported")
    assert (event["team"], event["attempt"]) == ("support", 1)
    assert event["provider"] == case.partition("_")[0]
    assert event["key_id"].startswith("key-")


def test_what_is_no_token_is_a_unit(driven):
    seen, events, _ = driven
    (event,) = events["openai_transcription"]
    assert (seen["openai_transcription"], event["model"]) == ("hi", "whisper-1")
    assert event["units"] == {"audio_ms": 37_000}


@pytest.mark.parametrize(
    ("case", "answer", "attempts"),
    [("openai_retries", "chatcmpl-r", 3), ("anthropic_retries", "msg_r", 2)],
)
def test_each_attempt_of_a_client_is_an_event_of_one_operation(driven, case, answer, attempts):
    seen, by_case, _ = driven
    events = by_case[case]
    assert seen[case] == answer
    assert [event["attempt"] for event in events] == list(range(1, attempts + 1))
    assert len({event["operation_id"] for event in events}) == 1
    assert [event["status"] for event in events] == ["error"] * (attempts - 1) + ["ok"]
    assert {state(read_event(event)) for event in events} == {"reported"}


@pytest.mark.parametrize(
    ("case", "saw", "status", "known"),
    [
        ("openai_error", "BadRequestError", "error", "reported"),
        ("openai_timeout", "APITimeoutError", "client_aborted", "unknown"),
        ("openai_stream_left", REPLY.split()[0], "client_aborted", "unknown"),
        ("openai_stream_cut", "APIConnectionError", "error", "unknown"),
        ("openai_async_cancelled", "cancelled", "client_aborted", "unknown"),
        ("anthropic_stream_left", "message_start", "client_aborted", "partial"),
    ],
)
def test_what_ended_early_is_never_zero(driven, case, saw, status, known):
    seen, events, _ = driven
    assert seen[case] == saw
    (event,) = events[case]
    assert (event["status"], state(read_event(event))) == (status, known)
    assert event["attempt"] == 1


def test_the_providers_ids_are_kept_for_the_joining(driven):
    _, events, _ = driven
    assert events["openai_error"][0]["request_id"] == "req_e"
    assert events["anthropic_message"][0]["request_id"] == "req_a"
    assert events["anthropic_message"][0]["response_id"] == "msg_1"


def test_nothing_private_is_in_the_spool_and_nothing_heavy_was_loaded(driven):
    seen, _, text = driven
    assert seen["heavy"] == []
    assert "failed" not in seen["health"]
    for secret in (PROMPT, REPLY, "sk-secret", "sk-ant", "Bearer", "nobody may keep"):
        assert secret not in text
