"""Run in the environment ``sdk``: the providers' own clients, pointed at a gateway.

Arguments: the gateway's address and a key of it. Each call carries the feature ``case``; prints
what the callers saw, by case.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings

import anthropic
import boto3
import mistralai.client as mistral
import openai
from google import genai
from google.genai import types

warnings.simplefilter("ignore")
URL, KEY = sys.argv[1:]
SEEN: dict[str, object] = {}
MESSAGES = [{"role": "user", "content": "hi"}]
ASKED = {"model": "gpt-4o-mini", "messages": MESSAGES}
CLAUDE = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": MESSAGES}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def case(function):
    """One case: its name is the tag of its calls, what it returns is what the caller saw."""
    made = function({"x-tallybook-feature": function.__name__})
    SEEN[function.__name__] = asyncio.run(made) if asyncio.iscoroutine(made) else made


def open_ai(headers, place="v1", maker=openai.OpenAI, **more):
    return maker(api_key=KEY, base_url=f"{URL}/openai/{place}", default_headers=headers, **more)


def claude(headers, place="", maker=anthropic.Anthropic, **more):
    return maker(api_key=KEY, base_url=f"{URL}/anthropic{place}", default_headers=headers, **more)


@case
def openai_chat(headers):
    return open_ai(headers).chat.completions.create(**ASKED).usage.prompt_tokens


@case
def openai_stream(headers):
    made = open_ai(headers, "stream/v1").chat.completions.create(**ASKED, stream=True)
    chunks = list(made)
    return [len(chunks), [chunk.usage for chunk in chunks if chunk.usage]]


@case
def openai_stream_usage(headers):
    options = {"include_usage": True}
    *_, last = open_ai(headers, "stream/v1").chat.completions.create(
        **ASKED, stream=True, stream_options=options
    )
    return last.usage.total_tokens


@case
def openai_tools(headers):
    made = open_ai(headers, "tools/v1").chat.completions.create(**ASKED, tools=[TOOL])
    return made.choices[0].message.tool_calls[0].function.name


@case
def openai_retries(headers):
    made = open_ai(headers, "retry/v1", max_retries=3)
    return made.chat.completions.create(**ASKED).usage.prompt_tokens


@case
def openai_responses(headers):
    made = open_ai(headers).responses.create(model="gpt-5.6", input="hi")
    return made.usage.total_tokens


@case
def openai_embeddings(headers):
    made = open_ai(headers).embeddings.create(model="text-embedding-ada-002", input="x")
    return made.usage.total_tokens


@case
def openai_upload(headers):
    made = open_ai(headers).audio.transcriptions.create(
        model="whisper-1", file=("a.mp3", b"sound" * 400_000)
    )
    return made.text


@case
async def openai_async(headers):
    async with open_ai(headers, maker=openai.AsyncOpenAI) as client:
        many = [client.chat.completions.create(**ASKED) for _ in range(5)]
        return [made.usage.prompt_tokens for made in await asyncio.gather(*many)]


@case
async def openai_async_stream(headers):
    async with open_ai(headers, "stream/v1", openai.AsyncOpenAI) as client:
        made = await client.chat.completions.create(**ASKED, stream=True)
        return len([chunk async for chunk in made])


@case
def openai_refused(headers):
    try:
        open_ai({**headers, "x-tallybook-team": "growth"}, max_retries=0).models.list()
        open_ai({**headers, "x-tallybook-team": "growth"}).chat.completions.create(**ASKED)
    except openai.PermissionDeniedError as error:
        return [error.status_code, error.code]
    return None


@case
def openai_unknown_key(_headers):
    try:
        openai.OpenAI(api_key="tbk_no", base_url=f"{URL}/openai/v1").models.list()
    except openai.AuthenticationError as error:
        return error.code
    return None


@case
def openai_cut(headers):
    try:
        list(open_ai(headers, "cut/v1").chat.completions.create(**ASKED, stream=True))
    except openai.APIError as error:
        return getattr(error, "code", None)
    return None


@case
def anthropic_message(headers):
    return claude(headers).messages.create(**CLAUDE).usage.output_tokens


@case
def anthropic_stream(headers):
    with claude(headers, "/stream").messages.stream(**CLAUDE) as stream:
        return stream.get_final_message().usage.output_tokens


@case
def anthropic_retries(headers):
    return claude(headers, "/retry", max_retries=2).messages.create(**CLAUDE).usage.output_tokens


@case
async def anthropic_async(headers):
    async with claude(headers, maker=anthropic.AsyncAnthropic) as client:
        return (await client.messages.create(**CLAUDE)).usage.output_tokens


@case
def anthropic_refused(headers):
    try:
        claude({**headers, "x-tallybook-team": "growth"}).messages.create(**CLAUDE)
    except anthropic.PermissionDeniedError as error:
        return error.body["error"]["code"]
    return None


@case
def google_generate(headers):
    options = types.HttpOptions(base_url=f"{URL}/gemini", headers=headers)
    client = genai.Client(api_key=KEY, http_options=options)
    made = client.models.generate_content(model="gemini-2.5-flash", contents="hi")
    return made.usage_metadata.total_token_count


@case
def google_stream(headers):
    options = types.HttpOptions(base_url=f"{URL}/gemini", headers=headers)
    client = genai.Client(api_key=KEY, http_options=options)
    *_, last = client.models.generate_content_stream(model="gemini-3-flash-preview", contents="hi")
    return last.usage_metadata.total_token_count


@case
def mistral_chat(headers):
    client = mistral.Mistral(api_key=KEY, server_url=f"{URL}/openai/mistral")
    made = client.chat.complete(
        model="mistral-small-latest", messages=MESSAGES, http_headers=headers
    )
    return made.usage.prompt_tokens


def bedrock(headers, **keys):
    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url=f"{URL}/bedrock", **keys
    )
    client.meta.events.register(
        "before-send", lambda request, **_: request.headers.update(headers) and None
    )
    return client


PROMPT = [{"role": "user", "content": [{"text": "hi"}]}]
SIGNING = {"aws_access_key_id": KEY, "aws_secret_access_key": "anything"}


@case
def bedrock_converse(headers):
    made = bedrock(headers, **SIGNING).converse(modelId="amazon.nova:0", messages=PROMPT)
    return made["usage"]["totalTokens"]


@case
def bedrock_stream(headers):
    made = bedrock(headers, **SIGNING).converse_stream(modelId="amazon.nova:1", messages=PROMPT)
    found = [event["metadata"]["usage"] for event in made["stream"] if "metadata" in event]
    return found[0]["totalTokens"]


sys.stdout.write("\n" + json.dumps(SEEN) + "\n")
