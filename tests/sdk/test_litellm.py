"""LiteLLM as it is, client, router and proxy, with our callback."""

from __future__ import annotations

import pytest

from sdk.bodies import PROMPT, REPLY
from sdk.script import events_in, run_script
from tallybook.meter.measure import state
from tallybook.meter.read import read_event

CHAT = {"input_uncached": 40, "cache_read": 60, "output": 20}
STREAM = {"input_uncached": 100, "output": 20}


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    spool = tmp_path_factory.mktemp("litellm") / "spool"
    seen = run_script("litellm", "drive_litellm.py", spool)
    by_case: dict[str, list[dict]] = {}
    for event in events_in(spool):
        read_event(event)
        by_case.setdefault(event["feature"], []).append(event)
    return seen, by_case, "".join(path.read_text() for path in spool.iterdir())


@pytest.mark.parametrize(
    ("case", "response_id", "tokens"),
    [
        ("sync_call", "c-sync", CHAT),
        ("sync_stream", "c-sync-stream", STREAM),
        ("async_call", "c-async", CHAT),
        ("stream_with_usage", "c-usage", STREAM),
    ],
)
def test_a_call_through_litellm_is_metered_once(driven, case, response_id, tokens):
    seen, events, _ = driven
    assert seen[case]
    (event,) = events[case]
    assert (event["source"], event["provider"]) == ("litellm-callback", "openai")
    assert (event["response_id"], event["tokens"]) == (response_id, tokens)
    assert event["team"] == "support"
    assert state(read_event(event)) == "reported"


def test_tags_of_litellm_and_of_the_process_meet(driven):
    assert driven[1]["sync_call"][0]["labels"] == {"squad": "a"}


def test_a_stream_that_litellm_counted_itself_is_estimated(driven):
    (event,) = driven[1]["stream_without_usage"]
    assert event["usage"] == "estimated"


def test_claude_through_litellm_has_its_cache_apart(driven):
    (event,) = driven[1]["anthropic_call"]
    assert event["tokens"] == {
        "input_uncached": 3,
        "cache_read": 1111,
        "cache_write_5m": 418,
        "output": 33,
    }


def test_retries_and_fallbacks_are_attempts_of_one_operation_each_at_its_model(driven):
    seen, events, _ = driven
    assert seen["router"] == "c-fallback"
    attempts = events["router"]
    assert [(one["attempt"], one["model"], one.get("status", "ok")) for one in attempts] == [
        (1, "gpt-4o", "error"),
        (2, "gpt-4o", "error"),
        (3, "gpt-4o-mini", "ok"),
    ]
    assert len({one["operation_id"] for one in attempts}) == 1
    assert len({one["event_id"] for one in attempts}) == 3


def test_a_failure_is_an_event_that_used_nothing(driven):
    seen, events, _ = driven
    (event,) = events["failure"]
    assert (seen["failure"], event["status"]) == ("BadRequestError", "error")
    assert state(read_event(event)) == "reported"
    assert "tokens" not in event


def test_a_hit_of_litellms_cache_used_nothing_at_the_provider(driven):
    seen, events, _ = driven
    first, hit = events["cache"]
    assert seen["cache"] == ["c-cached", "c-cached"]
    assert first["tokens"] == CHAT
    assert hit["tokens"] == {"input_uncached": 0, "output": 0}
    assert hit["labels"]["cache_hit"] == "true"
    assert first["event_id"] != hit["event_id"]
    assert "response_id" not in hit


def test_a_call_that_litellm_could_not_describe_is_counted_as_lost(driven):
    seen, _, _ = driven
    assert ("lost" in seen["health"], seen["lost"]) == (False, 1)


def test_nothing_private_and_nothing_heavy(driven):
    seen, _, text = driven
    assert seen["heavy"] == []
    assert "failed" not in seen["health"]
    for secret in (PROMPT, REPLY, "sk-secret", "nobody may keep"):
        assert secret not in text


def test_the_proxy_meters_through_its_configuration(tmp_path):
    spool = tmp_path / "spool"
    seen = run_script("litellm", "drive_proxy.py", spool, tmp_path)
    assert seen == {"call": "p-call", "stream": True, "failure": 400}
    call, stream, failure = events_in(spool)
    assert (call["response_id"], call["tokens"], call["team"]) == ("p-call", CHAT, "support")
    assert (call["model_requested"], call["endpoint"]) == ("chat", "/v1/chat/completions")
    assert (stream["response_id"], stream["tokens"], stream["feature"]) == (
        "p-stream",
        STREAM,
        "bot",
    )
    assert failure["status"] == "error"
    text = "".join(path.read_text() for path in spool.iterdir())
    for secret in (PROMPT, REPLY, "caller-secret", "sk-provider-secret"):
        assert secret not in text
    assert call["key_id"].startswith("key-")
