"""What is written down of an attempt is a canonical event, whatever the provider said."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.measure import state
from tallybook.meter.read import read_event
from tallybook.meter.usage.model import Part, UsageReading
from tallybook.sdk.asked import Asked
from tallybook.sdk.record import Attempt, Outcome, records, request_id_of

ASKED = Asked("openai", "/v1/responses", "responses", "gpt-5", False, False, False)


def attempt(**more):
    return Attempt(
        **{
            "event_id": "e1",
            "operation_id": "e1",
            "attempt": 1,
            "started_us": 1_000_000,
            "asked": ASKED,
            "tags": {},
            "key_id": "",
            "trace": {},
            **more,
        }
    )


def told(outcome, **more):
    return records(attempt(**more), outcome)


def reading(*parts, **more):
    return UsageReading(
        **{"provider": "openai", "model": "gpt-5-x", "usage": "reported", "parts": parts, **more}
    )


def test_each_part_is_an_event_at_its_own_model():
    parts = (Part("gpt-5-x", {"output": 3}), Part("gpt-image", units={"image": 1}, operation="x"))
    answer = reading(
        *parts, response_id="resp_1", request_id="req_1", reported_cost=("0.01", "USD")
    )
    first, second = told(Outcome(status="ok", took_us=2500, reading=answer, first_us=1500))
    assert first["tokens"] == {"output": 3}
    assert (first["event_id"], second["event_id"]) == ("e1", "e1/1")
    assert (first["response_id"], second["response_id"]) == ("resp_1", "resp_1/1")
    assert (first["model"], second["model"]) == ("gpt-5-x", "gpt-image")
    assert (first["operation"], second["operation"]) == ("responses", "x")
    assert (first["latency_ms"], first["ttft_ms"]) == (2, 1)
    assert first["reported_cost"] == {"amount": "0.01", "currency": "USD"}
    assert "reported_cost" not in second
    assert second["request_id"] == "req_1"


def test_an_error_that_was_answered_used_nothing_and_one_that_was_not_is_unknown():
    (refused,) = told(Outcome(status="error", took_us=1))
    (cut,) = told(Outcome(status="client_aborted", took_us=1, billed=True))
    assert state(read_event(refused)) == "reported"
    assert state(read_event(cut)) == "unknown"
    assert refused["model"] == "gpt-5"


def test_what_reached_the_caller_is_told_of_a_call_that_did_not_end():
    cut = reading(Part("m", {"input_uncached": 5, "output": 2}), usage="estimated")
    (event,) = told(Outcome(status="client_aborted", took_us=1, reading=cut))
    assert (event["output_delivered"], event["usage"]) == (2, "estimated")
    placeholder = reading(Part("m", {"input_uncached": 5, "output": None}), usage="estimated")
    (event,) = told(Outcome(status="client_aborted", took_us=1, reading=placeholder))
    assert "output_delivered" not in event


def test_tags_are_fields_and_labels():
    (event,) = told(
        Outcome(status="ok", took_us=1, billed=True),
        tags={"team": "support", "feature": "", "labels.host": "mine", "labels.b": "c"},
        asked=Asked("openai", "/", "chat", "", False, True, False, host="llm.internal"),
        trace={"trace_id": "a" * 32},
    )
    assert (event["team"], event["labels"]) == (
        "support",
        {"host": "mine", "b": "c", "background": "true"},
    )
    assert "feature" not in event
    assert (event["model"], event["trace_id"]) == ("unknown", "a" * 32)


def test_a_correction_names_what_it_corrects():
    (event,) = told(Outcome(status="ok", took_us=1, reading=reading(Part("m")), supersedes="e0"))
    assert event["supersedes"] == "e0"


def test_the_providers_own_id_of_a_request_is_found():
    assert request_id_of({"x-request-id": "", "apim-request-id": "a"}) == "a"
    assert request_id_of({}) == ""


@given(
    st.sampled_from(["ok", "error", "client_aborted"]),
    st.integers(0, 10**12),
    st.booleans(),
    st.lists(
        st.builds(
            Part,
            st.text(),
            st.none()
            | st.dictionaries(
                st.sampled_from(["output", "cache_read"]), st.none() | st.integers(0, 2**40)
            ),
            st.none() | st.dictionaries(st.text(min_size=1), st.integers(0, 2**40)),
        )
    ),
    st.text(),
)
def test_every_outcome_is_an_event_that_ingest_takes(status, took_us, billed, parts, response_id):
    answer = reading(*parts, response_id=response_id) if parts else None
    for event in told(Outcome(status=status, took_us=took_us, billed=billed, reading=answer)):
        read_event(msgspec.json.decode(msgspec.json.encode(event)))
