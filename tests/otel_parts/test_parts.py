"""The real SDK, exporters, baggage processor, instrumentations and clients, into a real server.

Only the providers' endpoints are imitated. The client of Anthropic writes spans by itself too, so
each of its calls stands twice; both tell the response's id, by which `meter.resolve` joins them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pyarrow import ipc

from answering import PLACEHOLDER, answering
from environment import environment
from serving import serving
from tallybook.meter.sources.otel.files import open_files
from tallybook.store import Store

DRIVE = Path(__file__).parent / "drive.py"
CHAT = {"input_uncached": 400, "cache_read": 600, "output": 50}
RESPONSE = {"input_uncached": 400, "cache_read": 500, "output": 40}
CLAUDE = {"input_uncached": 3, "cache_read": 1111, "output": 33}
BY_TTL = {"cache_write_5m": 400, "cache_write_1h": 18}
OWN = "com.anthropic.sdk.python"
"""What Anthropic's client calls itself in its own spans."""


WIRE_OF = {"openllmetry": "protobuf", "openinference": "json"}


@pytest.fixture(scope="module", params=WIRE_OF)
def driven(request, tmp_path_factory):
    """The family, the file that it wrote, and the books that its spans went into."""
    family, folder = request.param, tmp_path_factory.mktemp(request.param)
    home, file = folder / "books", folder / "spans.jsonl"
    python = environment("otel")
    Store.create(home).close()
    with answering() as provider, serving(home) as server:
        endpoint = f"{server.url}/v1/traces"
        done = subprocess.run(
            [python, DRIVE, family, WIRE_OF[family], endpoint, file, provider],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return family, list(open_files([file]).read()), home


def priced(event):
    """The classes that have a price and were used."""
    tokens = event.tokens or {}
    return {name: count for name, count in tokens.items() if count and name != "reasoning"}


def calls(readings, *, by):
    """Response id, and tokens, of the calls that one instrumentation saw."""
    return {
        one.event.response_id: priced(one.event)
        for one in readings
        if one.role == "call" and one.event.labels["instrumentation"].startswith(by)
    }


OPENAI_CALLS = {
    "chatcmpl-1": CHAT,
    "chatcmpl-2": CHAT,
    "chatcmpl-3": {},  # a stream that was not asked for usage: unknown
    "resp_1": RESPONSE,
    None: {"input_uncached": 8},
}


def test_what_each_instrumentation_says(driven):
    family, found, _ = driven
    exact = CLAUDE | BY_TTL
    assert calls(found, by=OWN) == {"msg_01": exact, "msg_02": exact}
    assert {one.event.request_id for one in found if one.event.request_id} == {"req_2"}
    if family == "openinference":
        assert calls(found, by="openinference.instrumentation.openai") == OPENAI_CALLS
        by_anthropic = calls(found, by="openinference.instrumentation.anthropic")
        assert by_anthropic == {"msg_01": exact, "msg_02": exact}
        return
    assert calls(found, by="opentelemetry.instrumentation.openai") == OPENAI_CALLS
    # Of a stream this instrumentation adds the placeholder of the first event to the output, so
    # its word is taken for an estimate.
    assert calls(found, by="opentelemetry.instrumentation.anthropic") == {
        "msg_01": CLAUDE | {"cache_write": 418},
        "msg_02": CLAUDE | {"cache_write": 418, "output": 33 + PLACEHOLDER},
    }
    estimated = {one.event.response_id for one in found if one.event.usage == "estimated"}
    assert estimated == {"msg_02"}


def test_what_people_wrote_is_not_kept(driven):
    _, found, _ = driven
    assert "hello" not in str([one.record for one in found])


def waiting(home):
    """What is in the inbox, one dict an event."""
    store = Store.open(home)
    with store.read() as tx:
        blobs = [row.events for row in tx.rows("SELECT events FROM inbox ORDER BY batch")]
        people = tx.rows("SELECT kind, value FROM subject")
    store.close()
    events = [event for blob in blobs for event in ipc.open_stream(blob).read_all().to_pylist()]
    return events, {(row.kind, row.value) for row in people}


def test_baggage_and_the_tree_arrive_at_the_server(driven):
    _, found, home = driven
    events, people = waiting(home)
    assert {one["event_id"] for one in events} == {one.event.event_id for one in found}
    (agent,) = (one for one in events if one["role"] == "span")
    made = [one for one in events if one["role"] == "call"]
    assert (agent["operation"], agent["service"]) == ("invoke_agent", "refunder")
    assert len(made) == 5 + 2 * 2
    nested = {one["span_id"] for one in events}
    assert {one["parent_span_id"] for one in made} <= nested
    assert agent["span_id"] in {one["parent_span_id"] for one in made}
    assert {one["trace_id"] for one in events} == {agent["trace_id"]}
    tags = ("team", "feature", "purpose", "cohort", "plan")
    told = {tuple(one[tag] for tag in tags) for one in events}
    assert told == {("support", "refund-bot", "production", "trial", "gold")}
    assert {one["service"] for one in made} == {"refunds"}
    assert {dict(one["labels"])["cost_center"] for one in events} == {"4711"}
    assert people == {("customer", "customer-7")}
    assert "stays here" not in str(events)
    assert {one["response_id"] for one in made if one["state"] == "unknown"} == {"chatcmpl-3"}
