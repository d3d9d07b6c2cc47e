"""Three exports of Langfuse, one reading; traces give their observations tags and people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.model import UsageEvent
from tallybook.meter.sources.langfuse.files import open_files
from tallybook.meter.sources.registry import open_product

DATA = Path(__file__).parents[4] / "shared" / "data" / "langfuse_traces"

PAGE = {
    "id": "obs-1",
    "traceId": "trace-1",
    "startTime": "2026-10-03T10:00:00.250Z",
    "endTime": "2026-10-03T10:00:01.250Z",
    "projectId": "p",
    "parentObservationId": "obs-0",
    "type": "GENERATION",
    "name": "answer",
    "level": "DEFAULT",
    "environment": "default",
    "userId": None,
    "sessionId": None,
    "providedModelName": "gpt-5-2025-08-07",
    "usageDetails": {"input": 30, "input_cached_tokens": 70, "output": 5, "total": 105},
    "costDetails": {"input": 0.0001, "total": 0.00015},
    "totalCost": 0.00015,
    "metadata": {"feature": "search", "note": "free text"},
    "input": "secret",
}
ROW = {
    "id": "obs-1",
    "trace_id": "trace-1",
    "project_id": "p",
    "environment": "default",
    "type": "GENERATION",
    "parent_observation_id": "obs-0",
    "start_time": "2026-10-03 10:00:00.250",
    "end_time": "2026-10-03 10:00:01.250",
    "name": "answer",
    "metadata": '{"feature": "search"}',
    "level": "DEFAULT",
    "input": "secret",
    "provided_model_name": "gpt-5-2025-08-07",
    "usage_details": '{"input": 30, "input_cached_tokens": 70, "output": 5, "total": 105}',
    "cost_details": '{"total": 0.00015}',
    "total_cost": 0.00015,
    "updated_at": "2026-10-03 10:00:09.000",
}
TRACE = {
    "id": "trace-1",
    "timestamp": "2026-10-03T10:00:00Z",
    "name": "chat",
    "user_id": "bob",
    "session_id": "s-1",
    "tags": ["team:sales", "beta"],
    "metadata": '{"customer": "c-1"}',
}


def readings(tmp_path, *contents):
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        paths.append(path)
    return list(open_product("langfuse", paths).read())


def event(tmp_path, *contents):
    (one,) = readings(tmp_path, *contents)
    assert isinstance(one.event, UsageEvent), one.event
    return one.event


def test_a_page_of_the_api(tmp_path):
    (one,) = readings(tmp_path, {"data": [PAGE], "meta": {"cursor": "x"}})
    found = one.event
    assert (one.place, one.role) == ("0.json:1", "call")
    assert (found.event_id, found.source, found.provider) == ("obs-1", "langfuse", "openai")
    assert found.tokens == {"input_uncached": 30, "cache_read": 70, "output": 5}
    assert (found.trace_id, found.span_id, found.parent_span_id) == ("trace-1", "obs-1", "obs-0")
    assert found.reported_cost.amount == "0.00015"
    assert (found.feature, found.environment) == ("search", None)
    assert "secret" not in str(one.record)


def test_a_row_of_the_blob_export_is_the_same_record(tmp_path):
    (row,) = readings(tmp_path, json.dumps(ROW) + "\n")
    (page,) = readings(tmp_path, {"data": [PAGE]})
    assert row.record == page.record
    assert row.event.tokens == page.event.tokens
    assert row.event.started_us == page.event.started_us


def test_traces_among_the_files_give_tags(tmp_path):
    for files in ([ROW, TRACE], [TRACE, ROW], [f"{json.dumps(TRACE)}\n{json.dumps(ROW)}\n"]):
        found = event(tmp_path, *files)
        assert (found.team, found.user, found.customer) == ("sales", "bob", "c-1")
        assert (found.session, found.labels["tags"]) == ("s-1", "beta")


def test_what_was_provided_comes_before_what_was_made_of_it(tmp_path):
    given = {
        "id": "obs-1",
        "traceId": "t",
        "environment": "default",
        "type": "SPAN",
        "startTime": "2024-01-01T00:00:01.000Z",
        "endTime": "2024-01-01T00:00:02.000Z",
        "name": "Observation 1",
        "parentObservationId": None,
        "level": "DEFAULT",
        "model": None,
        "usageDetails": {"input": 90, "output": 45, "total": 135},
        "costDetails": {"total": 1.23},
        "providedCostDetails": {"total": 1.5},
        "providedUsageDetails": {"input": 100, "output": 50, "total": 150},
        "totalCost": None,
    }
    (one,) = readings(tmp_path, {"trace": TRACE, "observations": [given]})
    assert one.role == "agent"  # a step that states usage states it over its children
    assert one.event.tokens == {"input_uncached": 100, "output": 50}
    assert one.event.reported_cost.amount == "1.5"
    assert one.event.model == "unknown"


def test_evaluation_is_told_by_the_environment(tmp_path):
    assert (
        event(tmp_path, PAGE | {"environment": "langfuse-llm-as-a-judge"}).purpose == "evaluation"
    )


def test_steps_and_errors(tmp_path):
    plain = {name: PAGE[name] for name in ("id", "traceId", "startTime", "name")}
    found = readings(
        tmp_path,
        json.dumps(plain | {"type": "TOOL"})
        + "\n"
        + json.dumps(PAGE | {"id": "e", "level": "ERROR", "usageDetails": {}}),
    )
    assert [(one.role, one.event.operation) for one in found] == [
        ("span", "execute_tool"),
        ("call", "chat"),
    ]
    assert (found[0].event.provider, found[0].event.service) == ("none", "answer")
    assert (found[1].event.status, found[1].event.tokens) == ("error", None)


def test_an_embedding_writes_nothing(tmp_path):
    given = PAGE | {"type": "EMBEDDING", "usageDetails": {"input": 9, "total": 9}}
    assert event(tmp_path, given).tokens == {"input_uncached": 9}


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (PAGE | {"id": ""}, "id is"),
        ({"traceId": "t", "type": "SPAN"}, "id is"),
        (PAGE | {"startTime": None}, "startTime is absent"),
        (PAGE | {"startTime": [1]}, "startTime is"),
        (PAGE | {"usageDetails": 7}, "usageDetails is 7"),
        (PAGE | {"usageDetails": {"input": -5}}, "usageDetails.input is -5"),
        ({"what": "else"}, "neither an observation nor a trace"),
        ({"data": [7]}, "an observation is a JSON object"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_goes_in(tmp_path, record, what):
    found = readings(tmp_path, json.dumps(record) + "\n" + json.dumps(PAGE | {"id": "good"}) + "\n")
    assert found[0].event.what.startswith(what)
    assert found[1].event.event_id == "good"
    assert "secret" not in str(found[0].record)


def test_a_line_is_read_by_itself():
    (one,) = open_files([]).line("x:3", json.dumps(PAGE).encode())
    assert (one.place, one.event.event_id) == ("x:3", "obs-1")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*PAGE, "data", "observations", "trace"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(name=st.sampled_from([*PAGE, "providedUsageDetails", "tags"]), put=ANY)
def test_anything_in_an_observation_is_read_or_refused(tmp_path_factory, name, put):
    path = tmp_path_factory.getbasetemp() / "page.json"
    path.write_text(json.dumps({"data": [PAGE | {name: put}, TRACE | {name: put}]}))
    for one in open_files([path]).read():
        assert isinstance(one.event, UsageEvent | EventError)


@given(content=st.binary(max_size=60) | ANY.map(lambda told: json.dumps(told).encode()))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    for one in open_files([path]).read():
        assert isinstance(one.event, UsageEvent | EventError)


def real(name):
    """Readings of a real trace; the shared data lies beside the project."""
    (path,) = DATA.glob(f"{name}-*.json") if DATA.is_dir() else (None,)
    if path is None:
        pytest.skip(f"the shared data is absent: langfuse_traces/{name}")
    found = list(open_files([path]).read())
    assert not any(isinstance(one.event, EventError) for one in found)
    return found


def input_of(found, *, usage):
    calls = [one.event for one in found if one.role == "call" and one.event.usage == usage]
    return sum(one.tokens["input_uncached"] for one in calls if one.tokens)


def test_agno_826_and_not_2936():
    """Two calls stand twice: the framework's spans hold counts that Langfuse made by itself.

    What was reported adds up to 826; the outer spans are estimates and parents of the inner ones.
    """
    found = real("agno")
    assert input_of(found, usage=None) == 826
    assert input_of(found, usage="estimated") == 2936 - 826
    inner = [one.event for one in found if one.role == "call" and one.event.usage is None]
    outer = {one.event.span_id for one in found if one.event.usage == "estimated"}
    assert {one.parent_span_id for one in inner} == outer


def test_vercels_outer_span_is_no_call():
    """The outer span repeats the inner one's tokens, whatever Langfuse counted beside it."""
    outer, inner = (one for one in real("vercel-aisdk") if one.event.tokens)
    assert (outer.role, inner.role) == ("agent", "call")
    assert inner.event.parent_span_id == outer.event.span_id
    assert outer.event.tokens == inner.event.tokens == {"input_uncached": 62, "output": 85}
    assert outer.event.response_id == inner.event.response_id


def test_beeais_output_is_unknown_and_not_zero():
    calls = [one.event for one in real("beeai") if one.role == "call"]
    assert [one.tokens and one.tokens["output"] for one in calls] == [None] * 5
    assert sum(one.tokens is None for one in calls) == 2


def test_pydantic_ais_agents_state_what_their_calls_used():
    found = real("pydantic-ai")
    calls = sum(one.event.tokens["input_uncached"] for one in found if one.role == "call")
    agents = sum(one.event.tokens["input_uncached"] for one in found if one.role == "agent")
    assert calls == agents == 1315


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("crewai", (190, 164)),
        ("google-adk", (67, 9)),
        ("langgraph", (168, 66)),
        ("openai-agents", (140, 44)),
    ],
)
def test_the_other_frameworks(name, tokens):
    calls = [one.event.tokens for one in real(name) if one.role == "call"]
    assert (sum(t["input_uncached"] for t in calls), sum(t["output"] for t in calls)) == tokens
