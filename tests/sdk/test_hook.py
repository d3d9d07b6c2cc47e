"""The hook: what a call is begun with, and what is known of a response from before."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import httpx2
import pytest

from sdk.bodies import chat, response
from tallybook.sdk import hook as module
from tallybook.sdk.hook import Hook, Seen
from tallybook.sdk.settings import Settings

CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"


@pytest.mark.parametrize("valid", [True, False])
def test_the_current_span_of_a_process_that_traces_is_kept(metered, monkeypatch, valid):
    context = SimpleNamespace(is_valid=valid, trace_id=0xAB, span_id=0xCD)
    span = SimpleNamespace(get_span_context=lambda: context)
    tracing = SimpleNamespace(get_current_span=lambda: span)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", tracing)
    with metered.client(lambda _: httpx2.Response(200, json=chat())) as http:
        http.post(CHAT, json={"model": "gpt-4o"})
    (event,) = metered.events()
    told = ("ab".rjust(32, "0"), "cd".rjust(16, "0")) if valid else (None, None)
    assert (event.get("trace_id"), event.get("span_id")) == told


def test_a_request_that_uses_no_model_begins_nothing(metered):
    seen = Seen("GET", "https://api.openai.com/v1/models", "", {}, None, {})
    assert metered.hook.begin(seen) is None
    assert metered.counts == {}


def test_only_so_many_responses_are_remembered(metered, monkeypatch):
    monkeypatch.setattr(module, "_KNOWN_MAX", 2)

    def answer(request):
        name = request.url.path.rpartition("/")[2]
        asked = "resp_1" if name == "responses" else name
        return httpx2.Response(200, json=response(asked))

    with metered.client(answer) as http:
        for number in (1, 2, 3, 1, 1):
            http.get(f"{RESPONSES}/resp_{number}")
    assert [event["response_id"] for event in metered.events()] == [
        "resp_1",
        "resp_2",
        "resp_3",
        "resp_1",
    ]


def test_hooks_are_told_of_a_fork(tmp_path):
    made = Hook(Settings(spool=tmp_path))
    made.health.add("observed")
    module._after_fork()
    assert made.health.counts() == {}
    made.close()


def test_what_cannot_be_written_down_is_counted_as_lost(tmp_path):
    made = Hook(Settings(spool=tmp_path))
    made.write([{"event_id": "a"}, {"event_id": "half a character: \ud83d"}])
    assert made.health.counts() == {"lost": 2, "failed": 1}
