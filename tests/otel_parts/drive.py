"""Drive real clients under a real instrumentation.

``drive.py FAMILY WIRE ENDPOINT FILE PROVIDER``, run by the Python of the environment ``otel``: FAMILY
is ``openllmetry`` or ``openinference``, WIRE ``protobuf`` or ``json``; the spans go to the address
ENDPOINT and into FILE. PROVIDER is the address of a server that answers as the APIs do.
"""

from __future__ import annotations

import sys
from importlib import import_module

from anthropic import Anthropic
from openai import OpenAI
from opentelemetry import baggage, context, trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.exporter.otlp.json.http import OTLPSpanExporter as JsonExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.processor.baggage import BaggageSpanProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TAGS = {
    "chargeback.team": "support",
    "chargeback.feature": "refund-bot",
    "chargeback.purpose": "production",
    "chargeback.customer": "customer-7",
    "chargeback.cohort": "trial",
    "chargeback.plan": "gold",
    "chargeback.cost_center": "4711",
    "secret": "stays here",
}
MESSAGES = [{"role": "user", "content": "hello"}]


FAMILIES = {
    "openllmetry": "opentelemetry.instrumentation",
    "openinference": "openinference.instrumentation",
}


def instrument(family: str, provider: TracerProvider) -> None:
    for name, instrumentor in (("openai", "OpenAI"), ("anthropic", "Anthropic")):
        module = import_module(f"{FAMILIES[family]}.{name}")
        getattr(module, f"{instrumentor}Instrumentor")().instrument(tracer_provider=provider)


def exporter(wire: str, endpoint: str):
    if wire == "json":
        return JsonExporter(endpoint=endpoint)
    return OTLPSpanExporter(endpoint=endpoint, compression=Compression.Gzip)


def call_openai(client: OpenAI) -> None:
    client.chat.completions.create(model="gpt-5", messages=MESSAGES)
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    for _ in client.chat.completions.create(model="gpt-5", messages=MESSAGES, **asked):
        pass
    for _ in client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True):
        pass
    client.responses.create(model="gpt-5", input="hello")
    client.embeddings.create(model="text-embedding-3-small", input="hello")


def call_anthropic(client: Anthropic) -> None:
    asked = {"model": "claude-sonnet-4-6", "max_tokens": 50, "messages": MESSAGES}
    client.messages.create(**asked)
    for _ in client.messages.create(**asked, stream=True):
        pass


def main(family: str, wire: str, endpoint: str, file: str, answering: str) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "refunds"}))
    provider.add_span_processor(BaggageSpanProcessor(lambda key: key.startswith("chargeback.")))
    provider.add_span_processor(BatchSpanProcessor(exporter(wire, endpoint)))
    provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(file)))
    trace.set_tracer_provider(provider)
    instrument(family, provider)
    inside = context.get_current()
    for name, value in TAGS.items():
        inside = baggage.set_baggage(name, value, context=inside)
    token = context.attach(inside)
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "refunder"}
    with provider.get_tracer("acme").start_as_current_span(
        "invoke_agent refunder", attributes=attributes
    ):
        call_openai(OpenAI(base_url=f"{answering}/v1", api_key="none", max_retries=0))
        call_anthropic(Anthropic(base_url=answering, api_key="none", max_retries=0))
    context.detach(token)
    provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
