"""Run in the environment ``sdk``: the providers' own clients, as their users write them.

Each call carries the tag ``feature``, the name of its case. Prints what the callers saw, by case.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from pathlib import Path

import anthropic
import cohere
import mistralai.client as mistral
import openai

import tallybook.sdk
from sdk import bodies
from sdk.endpoint import Answer, Endpoint, as_events, as_json

warnings.simplefilter("ignore")
MESSAGES = [{"role": "user", "content": bodies.PROMPT}]
CHAT = "/v1/chat/completions"
BUSY = as_json({"error": {"message": "busy"}}, 503, retry_after_ms="1")
SEEN: dict[str, object] = {}


def case(function):
    """One case: its name is the tag of its calls, what it returns is what the caller saw."""
    name = function.__name__
    with tallybook.sdk.tags(team="support", feature=name):
        if asyncio.iscoroutinefunction(function):
            SEEN[name] = asyncio.run(function())
        else:
            SEEN[name] = function()


def open_ai(**more):
    return openai.OpenAI(
        api_key="sk-secret",
        base_url=f"{endpoint.url}/v1",
        http_client=tallybook.sdk.client(),
        **more,
    )


def async_open_ai(**more):
    return openai.AsyncOpenAI(
        api_key="sk-secret",
        base_url=f"{endpoint.url}/v1",
        http_client=tallybook.sdk.async_client(),
        **more,
    )


def claude(**more):
    return anthropic.Anthropic(
        api_key="sk-ant", base_url=endpoint.url, http_client=tallybook.sdk.client(), **more
    )


ASKED = {"model": "gpt-4o-mini", "messages": MESSAGES}
CLAUDE = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": MESSAGES}

with Endpoint() as endpoint:
    host = endpoint.url.removeprefix("http://")
    tallybook.sdk.configure(providers={host: "openai"})

    @case
    def openai_chat():
        endpoint.add(CHAT, as_json(bodies.chat()))
        return open_ai().chat.completions.create(**ASKED).choices[0].message.content

    @case
    def openai_chat_stream():
        endpoint.add(CHAT, as_events(*bodies.chat_chunks(usage=True), done=True))
        chunks = list(open_ai().chat.completions.create(**ASKED, stream=True))
        asked = endpoint.requests[-1][2]["stream_options"]
        return [len(chunks), [c.usage for c in chunks if c.usage], asked]

    @case
    def openai_chat_stream_usage():
        endpoint.add(CHAT, as_events(*bodies.chat_chunks(usage=True), done=True))
        asked = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}
        *_, last = open_ai().chat.completions.create(**asked)
        return last.usage.total_tokens

    @case
    def openai_tools():
        call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "tool_calls": [call]},
            "finish_reason": "tool_calls",
        }
        endpoint.add(CHAT, as_json(bodies.chat(choices=[choice])))
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        made = open_ai().chat.completions.create(**ASKED, tools=[tool])
        return made.choices[0].message.tool_calls[0].function.name

    @case
    def openai_responses():
        endpoint.add("/v1/responses", as_json(bodies.response()))
        return open_ai().responses.create(model="gpt-5", input=bodies.PROMPT).usage.total_tokens

    @case
    def openai_responses_stream():
        done = {"type": "response.completed", "sequence_number": 1, "response": bodies.response()}
        start = bodies.response(status="in_progress", usage=None)
        created = {"type": "response.created", "sequence_number": 0, "response": start}
        endpoint.add("/v1/responses", as_events(created, done, named=True))
        with open_ai().responses.stream(model="gpt-5", input=bodies.PROMPT) as stream:
            return [event.type for event in stream]

    @case
    def openai_embeddings():
        body = {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        }
        endpoint.add("/v1/embeddings", as_json(body))
        made = open_ai().embeddings.create(model="text-embedding-3-small", input="x")
        return made.usage.total_tokens

    @case
    def openai_transcription():
        usage = {"type": "duration", "seconds": 37}
        endpoint.add("/v1/audio/transcriptions", as_json({"text": "hi", "usage": usage}))
        made = open_ai().audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"sound"))
        return made.text

    @case
    def openai_retries():
        endpoint.add(CHAT, BUSY, BUSY, as_json(bodies.chat("chatcmpl-r")))
        return open_ai(max_retries=3).chat.completions.create(**ASKED).id

    @case
    def openai_error():
        endpoint.add(CHAT, as_json({"error": {"message": "no"}}, 400, x_request_id="req_e"))
        try:
            open_ai().chat.completions.create(**ASKED)
        except openai.BadRequestError as error:
            return type(error).__name__

    @case
    def openai_timeout():
        endpoint.add(CHAT, Answer((b"{", b"}"), pause_s=1.0))
        try:
            open_ai(timeout=0.2, max_retries=0).chat.completions.create(**ASKED)
        except openai.APITimeoutError as error:
            return type(error).__name__

    @case
    def openai_stream_left():
        endpoint.add(CHAT, as_events(*bodies.chat_chunks(usage=True), done=True, pause_s=0.02))
        stream = open_ai().chat.completions.create(**ASKED, stream=True)
        first = next(iter(stream)).choices[0].delta.content
        stream.close()
        return first

    @case
    def openai_stream_cut():
        endpoint.add(CHAT, as_events(*bodies.chat_chunks(usage=True)[:2], cut=True))
        try:
            list(open_ai().chat.completions.create(**ASKED, stream=True))
        except Exception as error:  # noqa: BLE001 - whatever the client makes of it
            return type(error).__name__

    @case
    async def openai_async():
        endpoint.add(CHAT, as_json(bodies.chat()))
        made = await async_open_ai().chat.completions.create(**ASKED)
        return made.usage.total_tokens

    @case
    async def openai_async_stream():
        endpoint.add(CHAT, as_events(*bodies.chat_chunks(usage=True), done=True))
        stream = await async_open_ai().chat.completions.create(**ASKED, stream=True)
        return len([chunk async for chunk in stream])

    @case
    async def openai_async_cancelled():
        endpoint.add(CHAT, as_events(*bodies.chat_chunks(usage=True), done=True, pause_s=0.2))

        async def read():
            stream = await async_open_ai().chat.completions.create(**ASKED, stream=True)
            return [chunk async for chunk in stream]

        task = asyncio.create_task(read())
        await asyncio.sleep(0.5)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"

    tallybook.sdk.configure(providers={host: "anthropic"})

    @case
    def anthropic_message():
        endpoint.add("/v1/messages", as_json(bodies.message(), request_id="req_a"))
        return claude().messages.create(**CLAUDE).usage.output_tokens

    @case
    def anthropic_stream():
        endpoint.add("/v1/messages", as_events(*bodies.message_events(), named=True))
        with claude().messages.stream(**CLAUDE) as stream:
            return stream.get_final_message().usage.output_tokens

    @case
    def anthropic_stream_left():
        endpoint.add("/v1/messages", as_events(*bodies.message_events(), named=True, pause_s=0.02))
        with claude().messages.stream(**CLAUDE) as stream:
            return next(iter(stream)).type

    @case
    def anthropic_retries():
        endpoint.add("/v1/messages", BUSY, as_json(bodies.message("msg_r")))
        return claude().messages.create(**CLAUDE).id

    @case
    async def anthropic_async():
        endpoint.add("/v1/messages", as_json(bodies.message()))
        client = anthropic.AsyncAnthropic(
            api_key="sk-ant", base_url=endpoint.url, http_client=tallybook.sdk.async_client()
        )
        return (await client.messages.create(**CLAUDE)).usage.output_tokens

    tallybook.sdk.configure(providers={host: "mistral"})
    MISTRAL = {"model": "mistral-small-latest", "messages": MESSAGES}

    @case
    def mistral_chat():
        endpoint.add(CHAT, as_json(bodies.chat() | {"model": "mistral-small-2506"}))
        client = mistral.Mistral(
            api_key="k", server_url=endpoint.url, client=tallybook.sdk.client()
        )
        return client.chat.complete(**MISTRAL).usage.total_tokens

    @case
    def mistral_stream():
        *words, last = bodies.chat_chunks(usage=False)
        last = last | {"usage": bodies.chat()["usage"]}
        endpoint.add(CHAT, as_events(*words, last, done=True))
        client = mistral.Mistral(
            api_key="k", server_url=endpoint.url, client=tallybook.sdk.client()
        )
        return len(list(client.chat.stream(**MISTRAL)))

    tallybook.sdk.configure(providers={host: "cohere"})

    @case
    def cohere_chat():
        usage = {"billed_units": {"input_tokens": 5, "output_tokens": 7}}
        message = {"role": "assistant", "content": [{"type": "text", "text": "hi"}]}
        body = {"id": "c1", "finish_reason": "COMPLETE", "message": message, "usage": usage}
        endpoint.add("/v2/chat", as_json(body))
        client = cohere.ClientV2(
            api_key="k",
            base_url=endpoint.url,
            httpx_client=tallybook.sdk.client(library="httpx"),
        )
        return client.chat(model="command-r", messages=MESSAGES).id

    heavy = ["duckdb", "pyarrow", "sqlalchemy", "pydantic_settings", "fsspec.parquet"]
    SEEN["heavy"] = [name for name in heavy if name in sys.modules]
    SEEN["health"] = tallybook.sdk.health()

tallybook.sdk.flush()
sys.stdout.write("\n" + json.dumps(SEEN) + "\n")
assert Path(tallybook.__file__).exists()
