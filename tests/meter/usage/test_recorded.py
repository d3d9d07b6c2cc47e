"""Every recorded response of the shared data, exactly as its index says, by any way of asking."""

from __future__ import annotations

import pytest

from meter.usage.recorded import body, call, entries
from tallybook.meter.usage.read import UsageStream, read_response
from tallybook.meter.usage.summary import summary

ENTRIES = entries() or [None]


@pytest.fixture(params=ENTRIES, ids=lambda entry: entry["id"] if entry else "absent")
def entry(request):
    if request.param is None:
        pytest.skip("the shared data is absent: provider_responses")
    return request.param


def test_a_recorded_response_is_read_as_its_index_says(entry):
    assert summary(read_response(body(entry), **call(entry))) == entry["expected"]


def test_the_shape_alone_is_enough(entry):
    asked = call(entry) | {"endpoint": ""}
    assert summary(read_response(body(entry), **asked)) == entry["expected"]


def test_the_path_says_the_same_as_the_name_of_the_operation(entry):
    asked = call(entry) | {"endpoint": f"https://{entry['host']}{entry['request_path']}"}
    assert summary(read_response(body(entry), **asked)) == entry["expected"]


def test_a_stream_reader_gives_the_same_for_any_wire(entry):
    stream = UsageStream(**call(entry))
    stream.feed(body(entry))
    assert stream.finish() == read_response(body(entry), **call(entry))


def test_every_part_is_at_the_model_that_is_billed(entry):
    reading = read_response(body(entry), **call(entry))
    billed = entry["model_in_response"]
    if entry["provider"] == "aws-bedrock":
        billed = entry["model_in_path"]  # what the body says is the vendor's name for it
    expected = billed or entry["model_requested"] or entry.get("model_in_path")
    assert {part.model for part in reading.parts} == {expected or ""}
