"""Recorded runs of agents: what they are, and what their spans must not lose.

They are cassettes: what a client library received, kept to play it again. One holds the rows that
the Claude Agent SDK streams, the other the event streams of Bedrock's agent runtime. The rows carry
no time of their own, so they are no source by themselves; an agent's run comes in as spans.
"""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from otlp import reading
from tallybook.meter.usage.frames import Frames
from tallybook.meter.usage.read import read_usage

DATA = Path(__file__).parents[4] / "shared" / "data" / "multi_agent_runs"


def recorded(name):
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the shared data is absent: multi_agent_runs/{name}")
    if path.suffix == ".csv":
        return list(csv.DictReader(path.read_text().splitlines()))
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def test_the_claude_sub_agent_is_in_the_agents_span_59771():
    """One message id stands in several rows; the result's `usage` leaves the sub-agent out.

    Read by message id the calls add up to 46,913 cached tokens, the result says 34,198, and its
    `modelUsage`, which the instrumentation writes on the agent's span, 59,771. The calls are calls,
    the span states the rest over them: 12,858, from a call that the stream never showed.
    """
    rows = recorded("claude_agent_sdk_subagent.yaml")["messages"]
    told = [row["message"] for row in rows if row["type"] == "assistant"]
    by_id = {one["id"]: one for one in told}
    assert (len(told), len(by_id)) == (4, 3)
    calls = [
        read_usage(one["usage"], provider="anthropic", model=one["model"]).tokens["cache_read"]
        for one in by_id.values()
    ]
    result = rows[-1]
    whole = result["modelUsage"]["claude-sonnet-4-6"]
    assert (sum(calls), result["usage"]["cache_read_input_tokens"]) == (46_913, 34_198)
    agent = {
        "openinference.span.kind": "AGENT",
        "llm.provider": "anthropic",
        "llm.model_name": "claude-sonnet-4-6",
        "llm.token_count.prompt": whole["inputTokens"]
        + whole["cacheReadInputTokens"]
        + whole["cacheCreationInputTokens"],
        "llm.token_count.completion": whole["outputTokens"],
        "llm.token_count.prompt_details.cache_read": whole["cacheReadInputTokens"],
        "llm.token_count.prompt_details.cache_write": whole["cacheCreationInputTokens"],
        "llm.cost.total": whole["costUSD"],
    }
    (one,) = reading(agent)
    assert one.role == "agent"
    assert one.event.tokens == {
        "input_uncached": 8,
        "cache_read": 59_771,
        "cache_write": 306,
        "output": 373,
    }
    # The recording's float is 0.041163000000000005; as a double that is its shortest decimal.
    assert Decimal(one.event.reported_cost.amount).quantize(Decimal("1e-6")) == Decimal("0.041163")
    assert one.event.tokens["cache_read"] - sum(calls) == 12_858


def test_the_claude_agent_alone_misstates_nothing_by_a_cache_beside_the_input():
    """The same span with Anthropic's own figure of input: 8 beside 60,077 of cache."""
    recorded("claude_agent_sdk_subagent.yaml")
    (one,) = reading(
        {
            "openinference.span.kind": "AGENT",
            "llm.provider": "anthropic",
            "llm.model_name": "claude-sonnet-4-6",
            "llm.token_count.prompt": 8,
            "llm.token_count.completion": 373,
            "llm.token_count.prompt_details.cache_read": 59_771,
            "llm.token_count.prompt_details.cache_write": 306,
        }
    )
    assert one.event.tokens["input_uncached"] == 8


def test_bedrocks_collaborators_are_event_streams_of_calls():
    """Each model call of the three levels tells its usage in a frame of its own."""
    (stream,) = (
        one["response"]["body"]["string"]
        for one in recorded("bedrock_multi_agent_collaborator.yaml")["interactions"]
    )
    calls = []
    for frame in Frames().feed(stream):
        trace = json.loads(frame.payload).get("trace", {})
        for step in trace.values():
            said = step.get("modelInvocationOutput") if isinstance(step, dict) else None
            if said:
                usage = said["metadata"]["usage"]
                calls.append((said["traceId"], read_usage(usage, provider="aws").tokens))
    expected = [
        (row["call_id"], int(row["input_tokens"]), int(row["output_tokens"]))
        for row in recorded("agent_calls.csv")
        if row["source"].endswith("bedrock_multi_agent_collaborator.yaml")
    ]
    found = [(name, tokens["input_uncached"], tokens["output"]) for name, tokens in calls]
    assert sorted(found) == sorted(expected)
