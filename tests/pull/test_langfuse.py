"""Langfuse's observations, with what its server leaves out unless it is asked."""

import pytest

from tallybook.clock import parse_instant
from tallybook.errors import PullError
from tallybook.pull.langfuse import CUT_LENGTH, EXPANDED_MAX, streams
from tallybook.pull.model import Window
from usage_api import served

FROM, TO = (parse_instant(f"2026-10-0{day}T00:00:00Z") for day in (1, 4))
LONG = "x" * 300


def answer(path, params):
    """A page for each day, as observations API v2 documents it."""
    assert path == "/api/public/v2/observations"
    told = dict(params)
    fields = set(told.get("fields", "core,basic").split(","))
    expanded = set(told.get("expandMetadata", "").split(","))
    day = int(told.get("cursor", "c1")[1:])
    one = {"id": f"obs-{day}", "traceId": f"t-{day}", "projectId": "p", "type": told["type"],
           "startTime": f"2026-10-0{day}T10:00:00.000Z", "endTime": f"2026-10-0{day}T10:00:01.000Z",
           "parentObservationId": None, "name": "call", "environment": "default"}  # fmt: skip
    if "metadata" in fields:
        metadata = {"team": "search", "note": LONG, "job": "7"}
        one["metadata"] = {
            name: value if name in expanded else value[:CUT_LENGTH]
            for name, value in metadata.items()
        }
    if "model" in fields:
        one["providedModelName"] = "gpt-4o"
    if "usage" in fields:
        one |= {"usageDetails": {"input": 10, "output": 5, "total": 15}, "totalCost": 0.1}
    return {"data": [one], "meta": {"cursor": f"c{day + 1}"} if day < 3 else {}}


@pytest.fixture
def api():
    with served(answer) as running:
        yield running


def test_observations_come_in_with_their_usage(api, pull_of, inbox_rows):
    generations, _ = streams(())
    pulled = pull_of(api, "langfuse").stream(generations, FROM, TO)
    assert (pulled.pages, pulled.accepted, pulled.rejected) == (3, 3, 0)
    rows = inbox_rows()
    assert {row["source"] for row in rows} == {"langfuse"}
    assert [row["input_uncached"] for row in rows] == [10, 10, 10]
    assert api.headers[0]["Authorization"].startswith("Basic ")


def test_values_that_are_cut_are_asked_for_whole(api, pull_of):
    (generations,) = streams(["generation"])
    pull_of(api, "langfuse").stream(generations, FROM, TO)
    assert api.params("expandMetadata") == [None, "note", "note", "note"]
    assert api.params("cursor") == [None, None, "c2", "c3"]


def test_a_server_that_leaves_usage_out_is_refused(client_of, pull_of, store):
    def without(path, params):
        return answer(path, [(n, v) for n, v in params if n != "fields"])

    (embeddings,) = streams(["EMBEDDING"])
    with served(without) as api, pytest.raises(PullError, match="obs-1 comes without usageDetails"):
        pull_of(api, "langfuse").stream(embeddings, FROM, TO)


def test_keys_in_one_address_are_bounded_and_plain():
    (stream,) = streams(["generation"])
    metadata = {f"k{n}": LONG for n in range(60)} | {"a,b": LONG}
    page = {"data": [{"usageDetails": {}, "metadata": metadata}, 7, {"usageDetails": {}}]}
    assert stream.again(page)
    assert not stream.again(page)
    told = dict(stream.ask(Window(FROM, TO), "").params)["expandMetadata"]
    assert len(told.split(",")) == EXPANDED_MAX


def test_only_what_bills_by_itself_is_asked_and_an_hour_must_be_over():
    assert [stream.name for stream in streams(())] == ["generation", "embedding"]
    assert streams(())[0].settled_us(FROM) == FROM - 3_600_000_000
    with pytest.raises(PullError, match="agent is no type"):
        streams(["agent"])


def test_what_is_no_page_is_told():
    (stream,) = streams(["generation"])
    with pytest.raises(PullError, match="no page of observations"):
        stream.again({"message": "hello"})
    assert stream.cursor_of({"data": []}) == ""
    assert stream.cursor_of({"meta": {"cursor": 7}}) == ""
