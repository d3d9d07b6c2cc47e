"""Run in the environment ``litellm``: LiteLLM's own client and router with our callback.

Each call carries the tag ``feature``, the name of its case. Prints what the callers saw, by case.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import litellm

import tallybook.sdk
from sdk import bodies
from sdk.endpoint import Endpoint, as_events, as_json
from tallybook.sdk.litellm import TallybookLogger

MESSAGES = [{"role": "user", "content": bodies.PROMPT}]
CHAT = "/v1/chat/completions"
BUSY = as_json({"error": {"message": "busy"}}, 500)
SEEN: dict[str, object] = {}

litellm.suppress_debug_info = True
litellm.callbacks = [TallybookLogger()]


async def case(function):
    name = function.__name__
    with tallybook.sdk.tags(team="support", feature=name):
        SEEN[name] = await function()
    await asyncio.sleep(0.3)


def asked(**more):
    return {
        "model": "openai/gpt-4o-mini",
        "api_base": f"{endpoint.url}/v1",
        "api_key": "sk-secret",
        "messages": MESSAGES,
        **more,
    }


async def sync_call():
    endpoint.add(CHAT, as_json(bodies.chat("c-sync")))
    return litellm.completion(**asked(metadata={"tags": ["squad:a"]})).usage.total_tokens


async def sync_stream():
    chunks = bodies.chat_chunks(usage=True, response_id="c-sync-stream")
    endpoint.add(CHAT, as_events(*chunks, done=True))
    options = {"include_usage": True}
    return len(list(litellm.completion(**asked(stream=True, stream_options=options)))) > 0


async def async_call():
    endpoint.add(CHAT, as_json(bodies.chat("c-async")))
    return (await litellm.acompletion(**asked())).usage.total_tokens


async def stream_with_usage():
    chunks = bodies.chat_chunks(usage=True, response_id="c-usage")
    endpoint.add(CHAT, as_events(*chunks, done=True))
    options = {"include_usage": True}
    stream = await litellm.acompletion(**asked(stream=True, stream_options=options))
    return len([chunk async for chunk in stream]) > 0


async def stream_without_usage():
    chunks = bodies.chat_chunks(usage=False, response_id="c-own-count")
    endpoint.add(CHAT, as_events(*chunks, done=True))
    stream = await litellm.acompletion(**asked(stream=True))
    return len([chunk async for chunk in stream]) > 0


async def anthropic_call():
    endpoint.add("/v1/messages", as_json(bodies.message(), request_id="req_a"))
    told = asked(model="anthropic/claude-sonnet-4-5", api_base=endpoint.url)
    return (await litellm.acompletion(**told)).usage.completion_tokens


async def router():
    endpoint.add(CHAT, BUSY, BUSY, as_json(bodies.chat("c-fallback")))
    models = [
        {"model_name": name, "litellm_params": {**asked(model=f"openai/{model}"), "messages": None}}
        for name, model in (("first", "gpt-4o"), ("second", "gpt-4o-mini"))
    ]
    made = litellm.Router(
        model_list=models, fallbacks=[{"first": ["second"]}], num_retries=1, retry_after=0
    )
    return (await made.acompletion(model="first", messages=MESSAGES)).id


async def failure():
    endpoint.add(CHAT, as_json({"error": {"message": "no"}}, 400))
    try:
        await litellm.acompletion(**asked())
    except litellm.BadRequestError as error:
        return type(error).__name__


async def cache():
    litellm.cache = litellm.Cache()
    endpoint.add(CHAT, as_json(bodies.chat("c-cached")))
    ids = []
    for _ in range(2):
        ids.append((await litellm.acompletion(**asked(caching=True))).id)
        await asyncio.sleep(0.3)
    litellm.cache = None
    return ids


CASES = (
    sync_call,
    sync_stream,
    async_call,
    stream_with_usage,
    stream_without_usage,
    anthropic_call,
    router,
    failure,
    cache,
)


async def main():
    for each in CASES:
        await case(each)
    await asyncio.sleep(1.5)


with Endpoint() as endpoint:
    asyncio.run(main())
    time.sleep(1)
    heavy = ["duckdb", "pyarrow", "sqlalchemy"]
    SEEN["heavy"] = [name for name in heavy if name in sys.modules]
    SEEN["health"] = tallybook.sdk.health()
    litellm.callbacks[0].log_success_event({"litellm_call_id": "untold"}, None, None, None)
    SEEN["lost"] = tallybook.sdk.health().get("lost", 0)

tallybook.sdk.flush()
sys.stdout.write("\n" + json.dumps(SEEN) + "\n")
