"""One click through three teams' processes: an assistant, a retrieval service, a worker on a queue.

``three_teams.py ROLE ENDPOINT PROVIDER FOLDER``, run by the Python of the environment ``otel``. ROLE is
``assistant``, ``retrieval`` or ``rerank``; spans go to the address ENDPOINT, calls to the model at
PROVIDER. The queue is a table in FOLDER, and what passes through it carries the headers of the W3C
trace context and baggage, as a message broker would. A service prints its port when it listens.
"""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import sys
import time
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from openai import OpenAI
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.processor.baggage import BaggageSpanProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ORIGIN = {
    "chargeback.team": "support",
    "chargeback.feature": "refund-bot",
    "chargeback.purpose": "production",
}
STOP = "stop"


class Part:
    """What each process has: its tracer, its model, its end of the queue."""

    def __init__(self, name: str, endpoint: str, provider: str, folder: Path) -> None:
        self.name = name
        self.tracing = TracerProvider(resource=Resource.create({"service.name": name}))
        self.tracing.add_span_processor(BaggageSpanProcessor(lambda key: key in ORIGIN))
        self.tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        trace.set_tracer_provider(self.tracing)
        OpenAIInstrumentor().instrument(tracer_provider=self.tracing)
        self.tracer = self.tracing.get_tracer("acme")
        self.model = OpenAI(base_url=f"{provider}/v1", api_key="none", max_retries=0)
        self.folder = folder

    def queue(self) -> sqlite3.Connection:
        queue = sqlite3.connect(self.folder / "queue.sqlite", timeout=30, isolation_level=None)
        queue.execute("CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, headers, body)")
        return queue

    def chat(self, words: str) -> None:
        self.model.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": words}]
        )

    def embed(self, words: str) -> None:
        self.model.embeddings.create(model="text-embedding-3-small", input=words)


def assistant(part: Part) -> FastAPI:
    """Team support: starts the work, says for whom, and asks the others."""
    app = FastAPI()
    retrieval = f"http://127.0.0.1:{(part.folder / 'retrieval.port').read_text()}"
    client = httpx.Client(base_url=retrieval, timeout=30)
    HTTPXClientInstrumentor.instrument_client(client, tracer_provider=part.tracing)

    @app.post("/ask")
    def ask(question: str) -> str:
        inside = context.get_current()
        for name, value in ORIGIN.items():
            inside = baggage.set_baggage(name, value, context=inside)
        token = context.attach(inside)
        with part.tracer.start_as_current_span(
            "invoke_agent refunder",
            attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "refunder"},
        ):
            client.post("/search", params={"words": question}).raise_for_status()
            part.chat(question)
        context.detach(token)
        return "answered"

    return app


def retrieval(part: Part) -> FastAPI:
    """Team search: looks things up, and leaves the ranking to a worker of others."""
    app = FastAPI()

    @app.post("/search")
    def search(words: str) -> str:
        part.embed(words)
        headers: dict[str, str] = {}
        propagate.inject(headers)
        part.queue().execute(
            "INSERT INTO job (headers, body) VALUES (?, ?)", (json.dumps(headers), words)
        )
        return "found"

    return app


def rerank(part: Part) -> None:
    """Team ranking: takes from the queue what it finds, until it is told to stop."""
    queue = part.queue()
    while True:
        job = queue.execute(
            "DELETE FROM job WHERE id = (SELECT MIN(id) FROM job) RETURNING headers, body"
        ).fetchone()
        if job is None:
            time.sleep(0.02)
            continue
        headers, words = job
        if words == STOP:
            return
        token = context.attach(propagate.extract(json.loads(headers)))
        with part.tracer.start_as_current_span("rerank", kind=trace.SpanKind.CONSUMER):
            part.chat(words)
        context.detach(token)


def tell(what: object) -> None:
    """Say to whoever started the process that it is ready."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def serve(part: Part, app: FastAPI) -> None:
    """Serve on a free port until the process is asked to end."""
    FastAPIInstrumentor.instrument_app(app, tracer_provider=part.tracing)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    port = listening.getsockname()[1]
    (part.folder / f"{part.name}.port").write_text(str(port))
    # The server raises the signal that ended it once more: the last spans are still to be told.
    signal.signal(signal.SIGTERM, lambda *_: None)
    tell(port)
    server.run(sockets=[listening])


def main(role: str, endpoint: str, provider: str, folder: str) -> None:
    part = Part(role, endpoint, provider, Path(folder))
    if role == "rerank":
        part.queue()
        tell("ready")
        rerank(part)
    else:
        serve(part, {"assistant": assistant, "retrieval": retrieval}[role](part))
    part.tracing.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
