"""What is kept of a span, and what it is told by."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from otlp import CHAT, as_json, as_protobuf, reading, request, span
from tallybook.errors import EventError
from tallybook.meter.identity import canonical_record
from tallybook.meter.sources.otel.json_spans import spans_of as in_json
from tallybook.meter.sources.otel.proto_spans import spans_of as in_protobuf
from tallybook.meter.sources.otel.readings import readings_of


def test_what_people_wrote_is_not_kept():
    written = {
        "gen_ai.input.messages": "secret",
        "gen_ai.prompt.0.content": "secret",
        "llm.output_messages.0.message.content": "secret",
        "traceloop.entity.input": "secret",
        "input.value": "secret",
        "ai.prompt.messages": "secret",
        "chargeback.customer": "secret",
        "user.id": "secret",
        "traceloop.association.properties.user_id": "secret",
        "anything": "secret" * 200,
    }
    (one,) = reading(CHAT | written, resource={"user.id": "secret"})
    assert "secret" not in str(one.record)
    kept = one.event
    assert "secret" not in str(kept.labels)
    assert (kept.user, kept.customer) == ("secret", "secret")


VALUES = (
    st.text(st.characters(codec="utf-8"), max_size=600)
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.lists(st.text(st.characters(codec="utf-8"), max_size=600), max_size=2)
)


@given(told=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), VALUES, max_size=5))
def test_either_wire_gives_the_same_record(told):
    sent = request(span(attributes=CHAT | told))
    (by_json,) = readings_of("t", in_json(json.loads(as_json(sent))))
    (by_protobuf,) = readings_of("t", in_protobuf(as_protobuf(sent)))
    assert canonical_record(by_json.record) == canonical_record(by_protobuf.record)
    assert by_json.event == by_protobuf.event


def test_a_span_that_is_refused_is_kept_without_content():
    (one,) = reading(CHAT | {"gen_ai.usage.output_tokens": -1, "input.value": "secret"})
    assert isinstance(one.event, EventError)
    assert one.record["attributes"]["gen_ai.usage.output_tokens"] == -1
    assert "secret" not in str(one.record)
