"""The providers' own clients through the gateway: they see what they would see without it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from environment import environment
from gateway.provider import CLOSE, Provider, answer
from gateway.recorded import entry_of, needs_recordings, replayed
from gateway.running import Running
from sdk.bodies import chat
from tallybook.meter.read import read_event

pytestmark = needs_recordings
TIMEOUT_S = 240
CHAT = "/chat/completions"
BUSY = answer(b'{"error": {"message": "busy"}}', status="503 Busy", retry_after_ms="1")
TOOL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CUT = b'data: {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}\n\n'


def prepared(provider):
    said = {"role": "assistant", "content": None, "tool_calls": [TOOL]}
    tools = chat(choices=[{"index": 0, "message": said, "finish_reason": "tool_calls"}])
    plain, stream = (replayed(entry_of(f"openai-chat-{one}")) for one in ("cached", "stream-usage"))
    message = replayed(entry_of("anthropic-cache-read-and-write"))
    provider.add(f"/v1{CHAT}", plain)
    provider.add(f"/stream/v1{CHAT}", stream)
    provider.add(f"/tools/v1{CHAT}", answer(json.dumps(tools).encode()))
    provider.add(f"/retry/v1{CHAT}", BUSY, BUSY, plain)
    cut = answer([CUT], "text/event-stream")
    provider.add(f"/cut/v1{CHAT}", [*cut[:-1], CLOSE])
    provider.add(f"/mistral/v1{CHAT}", plain)
    provider.add("/v1/responses", replayed(entry_of("openai-responses-cache-write-web-search")))
    provider.add("/v1/embeddings", replayed(entry_of("openai-embeddings")))
    heard = {"text": "hi", "usage": {"type": "duration", "seconds": 7}}
    provider.add("/v1/audio/transcriptions", answer(json.dumps(heard).encode()))
    provider.add("/v1/models", answer(b'{"object": "list", "data": []}'))
    provider.add("/v1/messages", message)
    provider.add("/stream/v1/messages", replayed(entry_of("anthropic-stream-thinking"), 400))
    provider.add("/retry/v1/messages", BUSY, message)
    gemini = "/v1/models/gemini-"
    provider.add(f"{gemini}2.5-flash:generateContent", replayed(entry_of("gemini-cached")))
    provider.add(
        f"{gemini}3-flash-preview:streamGenerateContent",
        replayed(entry_of("gemini-stream-thinking"), 300),
    )
    converse = replayed(entry_of("bedrock-converse-cache"))
    provider.add("/model/amazon.nova%3A0/converse", converse)
    provider.add(
        "/model/amazon.nova%3A1/converse-stream", replayed(entry_of("bedrock-converse-stream"), 500)
    )


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    python = environment("sdk")
    with Provider() as provider:
        prepared(provider)
        with Running(tmp_path_factory.mktemp("clients") / "g", provider) as gateway:
            secret = gateway.issue("sdk", features=())
            done = subprocess.run(
                [
                    python,
                    Path(__file__).parent / "drive_clients.py",
                    f"http://127.0.0.1:{gateway.port}",
                    secret,
                ],
                env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_S,
            )
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
            seen = json.loads(done.stdout.splitlines()[-1])
            by_case: dict[str, list[dict]] = {}
            gateway.settled(len(gateway.events()))
            for event in gateway.events():
                read_event(event)
                by_case.setdefault(event.get("feature", ""), []).append(event)
            yield seen, by_case, provider


@pytest.mark.parametrize(
    ("case", "saw", "output", "attempts"),
    [
        ("openai_chat", 4020, 4, 1),
        ("openai_stream", [10, []], 9, 1),
        ("openai_stream_usage", 87, 9, 1),
        ("openai_tools", "f", 20, 1),
        ("openai_retries", 4020, 4, 3),
        ("openai_responses", 8628, 52, 1),
        ("openai_embeddings", 8, 0, 1),
        ("openai_async", [4020] * 5, 4, 5),
        ("openai_async_stream", 10, 9, 1),
        ("anthropic_message", 33, 33, 1),
        ("anthropic_stream", None, None, 1),
        ("anthropic_retries", 33, 33, 2),
        ("anthropic_async", 33, 33, 1),
        ("google_generate", None, 44, 1),
        ("google_stream", 110, 81, 1),
        ("mistral_chat", 4020, 4, 1),
        ("bedrock_converse", 2072, 121, 1),
        ("bedrock_stream", None, None, 1),
    ],
)
def test_a_client_sees_no_difference_and_its_call_is_metered(driven, case, saw, output, attempts):
    seen, by_case, _ = driven
    if saw is None:
        assert seen[case] > 0
    else:
        assert seen[case] == saw
    events = by_case[case]
    assert len(events) == attempts
    last = events[-1]
    assert (last["status"], last["usage"], last["team"]) == ("ok", "reported", "support")
    if output is not None:
        assert last["tokens"]["output"] == output
    if case.endswith("_retries"):
        assert [one["attempt"] for one in events] == list(range(1, attempts + 1))
        assert len({one["operation_id"] for one in events}) == 1


def test_a_file_is_passed_on_while_it_comes(driven):
    seen, by_case, provider = driven
    assert seen["openai_upload"] == "hi"
    (event,) = by_case["openai_upload"]
    assert (event["model"], event["units"]) == ("whisper-1", {"audio_ms": 7000})
    (asked,) = [one for one in provider.asked if one.target.endswith("transcriptions")]
    assert len(asked.body) > 2_000_000


def test_refusals_are_the_clients_own_exceptions(driven):
    seen, by_case, _ = driven
    assert seen["openai_refused"] == [403, "team_not_allowed"]
    assert seen["anthropic_refused"] == "team_not_allowed"
    assert seen["openai_unknown_key"] == "key_unknown"
    assert seen["openai_cut"] == "upstream_cut"
    assert not {"openai_refused", "anthropic_refused"} & set(by_case)
    (event,) = by_case["openai_cut"]
    assert (event["status"], event["usage"]) == ("error", "unknown")


def test_no_provider_saw_a_key_or_a_tag_of_ours(driven):
    _, _, provider = driven
    for asked in provider.asked:
        assert b"tbk_" not in asked.raw
        assert b"tallybook" not in asked.raw.lower()
