"""One call, one charge: several sources, one event."""

from __future__ import annotations

from typing import Any

from tallybook.sim.oracle.books import read_books
from tallybook.sim.oracle.told import nodes_of
from tallybook.sim.oracle.usage import take_in

Event = dict[str, Any]
RESPONSE = "resp-0123456789-0123456789"
BOOKS = read_books(
    {"org": "company: {timezone: UTC}", "policy": "versions: [{effective_from: 2026-01}]"},
    "2026-10",
)


def told(event_id: str, source: str, second: int = 0, **more: object) -> Event:
    at = f"2026-10-03T00:00:{second:02}Z"
    plain = {"event_id": event_id, "source": source, "started_at": at, "provider": "X"}
    return {**plain, "model": "m", **more}


def calls(*events: Event) -> list[Event]:
    found, backwards = (nodes_of(BOOKS, take_in(order)) for order in (events, events[::-1]))
    assert sorted(map(str, found)) == sorted(map(str, backwards))
    return found


GATEWAY = told("1", "gateway", 5, response_id=RESPONSE, key_id="k", tokens={"output": 7},
               usage="estimated", labels={"a": "g"})  # fmt: skip
SPAN = told("2", "otel", 1, response_id=RESPONSE, team="A", tokens={"output": 9}, key_id="other",
            trace_id="t", span_id="s", parent_span_id="p", labels={"a": "o", "b": "o"})  # fmt: skip


def test_a_response_is_one_call_with_the_best_known_usage_and_every_tag() -> None:
    (one,) = calls(GATEWAY, SPAN)
    assert one["tokens"] == {"output": 9}
    assert (one["team"], one["key_id"]) == ("A", "k")
    assert (one["trace_id"], one["span_id"], one["parent_span_id"]) == ("t", "s", "p")
    assert one["started_at"].endswith("05Z")
    assert one["labels"] == {"a": "g", "b": "o"}


def test_a_short_id_names_a_response_of_one_provider() -> None:
    short = [told(str(n), "gateway", response_id="r", provider=who) for n, who in enumerate("XYX")]
    assert len(calls(*short)) == 2


def test_a_correction_belongs_to_the_call_and_stands_where_it_stood() -> None:
    plain = {**GATEWAY, "trace_id": "t", "span_id": "s"}
    fixed = told("3", "gateway", 9, supersedes="1", tokens={"output": 1})
    (one,) = calls(plain, fixed)
    assert (one["tokens"], one["span_id"]) == ({"output": 1}, "s")
    (one,) = calls(GATEWAY, SPAN, fixed)
    assert (one["tokens"], one["team"], one["span_id"]) == ({"output": 1}, "A", "s")


def test_a_step_is_no_call() -> None:
    one = {**SPAN, "role": "step"}
    other = {**one, "source": "langfuse", "event_id": "s", "started_at": "2026-10-03T00:00:02Z"}
    (step,) = calls(one, other)
    assert (step["role"], step["source"]) == ("step", "otel")
