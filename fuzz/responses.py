"""Responses: any bytes give a reading or an `EventError`, and any pieces the reading of the whole.

``python -m fuzz.responses [folder of seeds] [options of libFuzzer]``
"""

from __future__ import annotations

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["tallybook.meter.usage"]):
    from tallybook.errors import EventError
    from tallybook.meter.usage.model import WIRES, UsageReading
    from tallybook.meter.usage.read import UsageStream, read_response

PROVIDERS = (
    *("openai", "azure", "anthropic", "aws", "google", "cohere", "mistral", "groq", "x-ai"),
    *("openrouter", "perplexity", "ollama", "voyageai", "deepseek", ""),
)
ENDPOINTS = (
    *("", "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"),
    *("/v1/images/generations", "/v1/audio/transcriptions", "/v1/moderations", "/v1/ocr"),
    *("Converse", "InvokeModel", "generateContent", "predict", "cachedContents", "interactions"),
    *("/v2/chat", "/v2/rerank", "/api/chat"),
)


def one(data: bytes) -> None:
    """One input: its first bytes choose provider, endpoint, wire and cut; the rest is the body."""
    choice = atheris.FuzzedDataProvider(data)
    provider = choice.PickValueInList(list(PROVIDERS))
    endpoint = choice.PickValueInList(list(ENDPOINTS))
    wire = choice.PickValueInList(list(WIRES))
    cut = choice.ConsumeIntInRange(0, 255)
    body = choice.ConsumeBytes(choice.remaining_bytes())
    whole = None
    with suppress(EventError):
        whole = read_response(body, provider=provider, endpoint=endpoint, wire=wire)
    stream = UsageStream(provider=provider, endpoint=endpoint, wire=wire)
    stream.feed(body[:cut])
    stream.feed(body[cut:])
    reading = stream.finish()
    check(reading)
    if whole is not None:
        check(whole)
        if wire != "json" and whole != reading:
            raise AssertionError(f"in two pieces {reading}, in one {whole}")


def check(reading: UsageReading) -> None:
    """No figure is below zero, and none at all is unknown or an error."""
    figures = [
        figure
        for part in reading.parts
        for counts in (part.tokens, part.units)
        for figure in (counts or {}).values()
    ]
    known = [figure for figure in figures if figure is not None]
    if not reading.parts or any(figure < 0 for figure in known):
        raise AssertionError(str(reading))
    is_right = reading.usage != "unknown" if known else reading.status == "error"
    if not is_right and (known or reading.usage != "unknown"):
        raise AssertionError(str(reading))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
