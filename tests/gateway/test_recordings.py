"""Every recorded response passes byte for byte, whatever its pieces, and is read as it always is."""

from __future__ import annotations

from threading import Event

import pytest

from gateway.provider import Provider
from gateway.recorded import INDEX, more_upstreams, needs_recordings, replayed, upstream_of
from gateway.running import Running
from gateway.test_exchange import leave_after
from meter.usage.recorded import body, call
from tallybook.meter.read import read_event
from tallybook.meter.usage.read import read_response

pytestmark = needs_recordings
STREAMS = [one for one in INDEX if one["wire"] != "json"]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with Provider() as provider:
        folder = tmp_path_factory.mktemp("recordings") / "g"
        with Running(folder, provider, more=more_upstreams(provider.url)) as made:
            made.provider = provider
            yield made


def asked_of(entry):
    """A request as its recording answered: nothing is injected into a stream that asks itself."""
    asked = {"model": entry["model_requested"] or "m", "messages": []}
    if entry["wire"] == "sse":
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return asked


@pytest.mark.parametrize("chunks", [0, 1, 997], ids=["length", "byte by byte", "chunks"])
@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["id"])
def test_a_recorded_response_passes_byte_for_byte_and_is_read(gateway, entry, chunks):
    if chunks == 1 and len(body(entry)) > 10_000:
        chunks = 13
    path, before = entry["request_path"], len(gateway.events())
    gateway.provider.add(path, replayed(entry, chunks))
    status, _, got = gateway.ask(f"/{upstream_of(entry)}{path}", asked_of(entry))
    assert (status, got) == (200, body(entry))
    expected = read_response(body(entry), **call(entry))
    events = gateway.settled(before + len(expected.parts))[before:]
    for part, event in zip(expected.parts, events, strict=True):
        read_event(event)
        assert event.get("tokens") == (dict(part.tokens) if part.tokens else None)
        assert event["usage"] == expected.usage
    if not entry["expected"]["usage_found"]:
        assert events[0]["usage"] == "unknown"


@pytest.mark.parametrize("entry", STREAMS, ids=lambda entry: entry["id"])
def test_a_caller_who_leaves_a_recorded_stream_anywhere_is_billed_for_the_whole(gateway, entry):
    """At eight places of each; every boundary of a stream is tried in `test_exchange`."""
    path, whole = entry["request_path"], body(entry)
    expected = read_response(whole, **call(entry))
    for number in range(8):
        cut, left = len(whole) * number // 9, Event()
        framed = replayed(entry, 10**9)
        gateway.provider.add(
            path,
            [
                framed[0] + b"%x\r\n%b\r\n" % (cut, whole[:cut]) if cut else framed[0],
                left,
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(whole) - cut, whole[cut:]),
            ],
        )
        before = len(gateway.events())
        leave_after(gateway, f"/{upstream_of(entry)}{path}", asked_of(entry), cut, left)
        events = gateway.settled(before + len(expected.parts))[before:]
        for part, event in zip(expected.parts, events, strict=True):
            assert event["status"] == "client_aborted"
            assert event.get("tokens") == (dict(part.tokens) if part.tokens else None)
            assert event["usage"] == expected.usage
