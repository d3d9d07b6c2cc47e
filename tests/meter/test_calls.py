"""Canonical records of what a gateway's log and a provider's response say together."""

from __future__ import annotations

from tallybook.meter.sources.calls import call, with_reading, with_usage
from tallybook.meter.usage.model import Part, UsageReading

PLAIN = {"event_id": "e", "source": "toy", "provider": "anthropic", "model": "asked"}


def test_what_holds_nothing_is_left_out():
    assert call(a="", b=None, c={}, d=0, e=False) == {"d": 0, "e": False}


def test_no_figures_are_no_zeros():
    assert with_usage(dict(PLAIN), None).canonical == PLAIN
    assert with_usage(dict(PLAIN), {}, usage="estimated").canonical["usage"] == "estimated"


def test_each_part_is_an_event_at_its_own_model():
    reading = UsageReading(
        "anthropic",
        "claude-a",
        "reported",
        (Part("claude-a", {"output": 1}), Part("claude-b", {"output": 2}, operation="advisor")),
        response_id="msg_1",
        tier="batch",
    )
    cost = {"amount": "1", "currency": "USD"}
    first, second = (
        told.canonical for told in with_reading(PLAIN | {"reported_cost": cost}, reading)
    )
    assert (first["event_id"], first["model"], first["tokens"]) == ("e", "claude-a", {"output": 1})
    assert (first["response_id"], first["tier"], first["reported_cost"]) == ("msg_1", "batch", cost)
    assert (second["event_id"], second["response_id"]) == ("e/1", "msg_1/1")
    assert (second["model"], second["operation"]) == ("claude-b", "advisor")
    assert "reported_cost" not in second


def test_a_response_without_usage_is_unknown():
    (told,) = with_reading(dict(PLAIN), UsageReading("openai", "", "unknown"))
    assert told.canonical == PLAIN | {"usage": "unknown"}
