"""OpenAI's APIs and those in their shape."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallybook.meter.usage.read import read_body

CHAT = {"id": "c1", "object": "chat.completion", "model": "m", "choices": []}


def chat(provider, usage, **body):
    return read_body(
        CHAT | {"usage": usage} | body, provider=provider, endpoint="/v1/chat/completions"
    )


def plain(prompt, completion, **more):
    return {"prompt_tokens": prompt, "completion_tokens": completion, **more}


def only(reading):
    (part,) = reading.parts
    return part


def test_xai_reasoning_stands_beside_and_ticks_are_dollars():
    usage = plain(
        12,
        2,
        total_tokens=354,
        completion_tokens_details={"reasoning_tokens": 340},
        cost_in_usd_ticks=1_721_250,
        num_sources_used=3,
    )
    reading = chat("xai", usage)
    assert only(reading).tokens == {"input_uncached": 12, "output": 342, "reasoning": 340}
    assert only(reading).units == {"search_source": 3}
    assert reading.reported_cost == ("0.000172125", "USD")


def test_xai_without_a_total_is_taken_at_its_word():
    usage = plain(12, 2, completion_tokens_details={"reasoning_tokens": 340})
    assert only(chat("x-ai", usage)).tokens["output"] == 342
    assert only(chat("openai", usage)).tokens["output"] == 2


def test_gemini_hides_its_thinking_in_the_total():
    reading = chat("gemini", plain(35, 12, total_tokens=109))
    assert only(reading).tokens == {"input_uncached": 35, "output": 74, "reasoning": 62}
    assert "62 above its parts: hidden thinking" in reading.notes[0]


def test_deepseek_tells_a_hit_twice_and_it_counts_once():
    usage = plain(
        563,
        116,
        prompt_cache_hit_tokens=512,
        prompt_cache_miss_tokens=51,
        prompt_tokens_details={"cached_tokens": 512},
    )
    assert only(chat("deepseek", usage)).tokens == {
        "input_uncached": 51,
        "cache_read": 512,
        "output": 116,
    }


@pytest.mark.parametrize(
    ("provider", "told"),
    [("mistral", {"num_cached_tokens": 4}), ("together", {"cached_tokens": 4})],
)
def test_cached_tokens_under_other_names(provider, told):
    assert only(chat(provider, plain(10, 1, **told))).tokens["cache_read"] == 4


def test_openrouter_states_its_cost():
    reading = chat("openrouter", plain(900, 69, cost=Decimal("4.1E-05"), is_byok=True))
    assert reading.reported_cost == ("0.000041", "USD")
    assert "customer's own" in reading.notes[0]


def test_perplexity_bills_reasoning_and_citations_beside_the_completion():
    usage = plain(33, 100, total_tokens=133, reasoning_tokens=1000, citation_tokens=200)
    usage |= {"num_search_queries": 21, "cost": {"total_cost": Decimal("0.5")}}
    reading = chat("perplexity", usage)
    assert only(reading).tokens == {"input_uncached": 33, "output": 1300, "reasoning": 1000}
    assert only(reading).units == {"web_search": 21}
    assert reading.reported_cost == ("0.5", "USD")


def test_mistral_connectors_are_input_beside_the_prompt():
    usage = plain(10, 5, total_tokens=22, connector_tokens=7, connectors={"web_search": 2})
    usage |= {"prompt_audio_seconds": Decimal("1.5")}
    part = only(chat("mistral", usage, service_tier="flex"))
    assert part.tokens == {"input_uncached": 17, "output": 5}
    assert part.units == {"web_search": 2, "audio_ms": 1500}


def row(model, prompt, completion):
    return {"model": model, "usage": plain(prompt, completion)}


def test_groq_compound_is_one_part_for_each_model():
    rows = [row("a", 10, 2), row("b", 5, 3)]
    reading = chat("groq", plain(15, 5), usage_breakdown={"models": rows})
    assert [(part.model, part.tokens) for part in reading.parts] == [
        ("a", {"input_uncached": 10, "output": 2}),
        ("b", {"input_uncached": 5, "output": 3}),
    ]


def test_groq_rows_that_repeat_the_total_are_never_added_up():
    rows = [row("a", 15, 5)] * 4
    reading = chat("groq", plain(15, 5), usage_breakdown={"models": rows})
    assert only(reading).tokens == {"input_uncached": 15, "output": 5}
    assert "do not add up" in reading.notes[0]


def test_groq_usage_under_its_own_name():
    reading = read_body(CHAT | {"x_groq": {"usage": plain(3, 1)}}, provider="groq")
    assert only(reading).tokens == {"input_uncached": 3, "output": 1}


def test_voyage_tells_only_a_total():
    body = {"object": "list", "data": [{"embedding": []}], "usage": {"total_tokens": 10}}
    assert only(read_body(body, provider="voyage")).tokens == {"input_uncached": 10, "output": 0}


@pytest.mark.parametrize(("spilled", "tier"), [("true", "standard"), ("false", "provisioned")])
def test_azure_reserved_capacity_is_known_by_a_header(spilled, tier):
    headers = {
        "X-MS-Is-Spilled-Over": spilled,
        "x-ms-region": "West Europe",
        "apim-request-id": "r",
    }
    body = CHAT | {"usage": plain(3, 1), "service_tier": "default"}
    reading = read_body(body, provider="azure", headers=headers)
    assert (reading.tier, reading.region, reading.request_id) == (tier, "westeurope", "r")


def test_a_foreign_shape_on_azure_is_read_all_the_same():
    usage = plain(10, 5, total_tokens=15, reasoning_tokens=0, audio_prompt_tokens=0)
    assert only(chat("azure", usage | {"prompt_tokens_details": None})).tokens == {
        "input_uncached": 10,
        "output": 5,
        "reasoning": 0,
    }


RESPONSE = {"id": "r1", "object": "response", "model": "gpt-5", "status": "completed"}
TWO = {"input_tokens": 8, "output_tokens": 2}


def responses(**body):
    return read_body(RESPONSE | body, provider="openai", endpoint="/v1/responses")


def test_searches_are_those_that_are_billed():
    calls = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "web_search_call"},
    ]
    assert only(responses(usage=TWO, output=calls)).units == {"web_search": 2}
    told = responses(usage=TWO, output=calls, tool_usage={"web_search": {"num_requests": 1}})
    assert only(told).units == {"web_search": 1}
    assert told.extras == {"web_search_calls": 1}


def test_a_container_is_one_however_often_it_ran():
    ran = [{"type": "code_interpreter_call", "container_id": "c1"}] * 3
    ran += [{"type": "file_search_call"}, {"type": "message"}]
    assert only(responses(usage=TWO, output=ran)).units == {"container": 1, "file_search": 1}


def test_an_image_made_by_a_tool_is_billed_at_its_own_model():
    made = {
        "input_tokens": 50,
        "output_tokens": 1000,
        "output_tokens_details": {"image_tokens": 1000},
    }
    reading = responses(
        usage=TWO,
        tool_usage={"image_gen": made},
        tools=[{"type": "image_generation", "model": "gpt-image-1"}],
    )
    assert [(part.model, part.operation) for part in reading.parts] == [
        ("gpt-5", ""),
        ("gpt-image-1", "image_generation"),
    ]
    assert reading.parts[1].tokens == {"input_uncached": 50, "output": 0, "image_output": 1000}


def test_in_the_background_usage_comes_later():
    reading = responses(status="queued", usage=None)
    assert (reading.usage, reading.response_id) == ("unknown", "r1")
    assert "read it again by its id" in reading.notes[0]


def test_a_response_that_failed_is_an_error_and_still_unknown():
    reading = responses(status="failed", usage=None, error={"code": "server_error"})
    assert (reading.usage, reading.status) == ("unknown", "error")


def test_perplexity_and_xai_responses():
    usage = TWO | {
        "input_tokens_details": {"cache_read_input_tokens": 3},
        "tool_calls_details": {"search_web": {"invocation": 2}},
    }
    part = only(read_body(RESPONSE | {"usage": usage}, provider="perplexity"))
    assert (part.tokens["cache_read"], part.units) == (3, {"web_search": 2})
    usage = TWO | {
        "server_side_tool_usage_details": {"x_search_calls": 2, "web_search_calls": 1},
        "output_tokens_details": {"reasoning_tokens": 1},
    }
    part = only(read_body(RESPONSE | {"usage": usage}, provider="xai"))
    assert (part.tokens["output"], part.units) == (2, {"social_search": 2, "web_search": 1})


def test_images_by_token_or_by_the_piece():
    pieces = {"created": 1, "data": [{"url": "a"}, {"url": "b"}]}
    assert only(read_body(pieces, provider="openai", endpoint="/v1/images/generations")).units == {
        "image": 2
    }
    usage = {
        "input_tokens": 50,
        "output_tokens": 4160,
        "input_tokens_details": {"image_tokens": 40},
    }
    reading = read_body(pieces | {"usage": usage}, provider="openai")
    assert only(reading).tokens == {
        "image_input": 40,
        "input_uncached": 10,
        "image_output": 4160,
        "output": 0,
    }


def test_a_drawing_is_authored_by_its_own_model():
    body = {"data": [{}], "usage": TWO, "svg_usage": TWO | {"model": "gpt-svg"}}
    reading = read_body(body, provider="openai", endpoint="/v1/images/generations")
    assert [part.model for part in reading.parts] == ["", "gpt-svg"]


@pytest.mark.parametrize(
    ("body", "units", "usage"),
    [
        ({"usage": {"type": "duration", "seconds": 37}}, {"audio_ms": 37_000}, "reported"),
        ({"duration": Decimal("8.47"), "text": "a"}, {"audio_ms": 8_470}, "estimated"),
        ({"text": "a"}, None, "unknown"),
    ],
)
def test_speech_to_text_by_its_length(body, units, usage):
    reading = read_body(
        body, provider="openai", endpoint="/v1/audio/transcriptions", model="whisper-1"
    )
    assert (only(reading).units, reading.usage) == (units, usage)


def test_speech_to_text_by_token():
    usage = TWO | {"type": "tokens", "input_token_details": {"audio_tokens": 6, "text_tokens": 2}}
    reading = read_body({"usage": usage}, provider="openai", endpoint="/v1/audio/transcriptions")
    assert only(reading).tokens == {"audio_input": 6, "input_uncached": 2, "output": 2}


def test_speech_says_nothing_of_itself():
    reading = read_body({}, provider="openai", endpoint="/v1/audio/speech", model="tts-1")
    assert reading.usage == "unknown"
    assert "characters of the request" in reading.notes[0]


def test_moderation_is_free_and_known_to_be():
    body = {"id": "modr-1", "model": "omni-moderation", "results": [{}]}
    reading = read_body(body, provider="openai", endpoint="/v1/moderations")
    assert (reading.usage, only(reading).tokens) == ("reported", {"input_uncached": 0, "output": 0})
