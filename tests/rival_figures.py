"""A month with everything that a rival figure may have got wrong, and an oracle over its events."""

from fractions import Fraction

from company import usage

PRICES = """
currency: USD
contracts:
  - {contract: O1, provider: openai, discount: "10%"}
  - {contract: X0, provider: X, model: x-1, per_million_tokens: {input_uncached: "20", output: "60"}, to: 2026-10-01}
  - {contract: X1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10", output: "50"}, from: 2026-10-01}
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: real_cost, markup: "15%"}
    pools:
      - {id: gateway, monthly: "30.00", driver: calls, recovered_by: markup}
    limits: {unallocated: "100%"}
"""
CACHED = {"input_uncached": 10_000, "cache_read": 300_000, "output": 4_000}


def gpt(event_id, day, **changes):
    plain = {"provider": "openai", "model": "gpt-4o-2024-08-06", "tokens": CACHED, "key_id": "k-1",
             "started_at": f"2026-{day}T12:00:00Z"}  # fmt: skip
    return usage(event_id, **{**plain, **changes})


EVENTS = (
    gpt("e-1", "10-01"),
    gpt("e-2", "10-05", tokens={"input_uncached": 70_000, "output": 9_000}, key_id="k-2"),
    gpt("e-3", "10-05", team="b", feature="find"),
    # b's service, run for a: a pays, b runs
    gpt("e-4", "10-09", service="retrieval", tokens={"input_uncached": 200_000, "output": 1_000}),
    usage("e-5", started_at="2026-10-05T01:00:00Z", key_id="k-3"),
    usage("e-6", started_at="2026-10-09T23:30:00Z", team="b", feature="find", key_id="k-3"),
    usage("e-7", started_at="2026-10-20T10:00:00Z", purpose="experiment", key_id="k-3"),
    # at the edges of the month: of another one in New York
    gpt("e-8", "10-01", started_at="2026-10-01T02:00:00Z", tokens={"output": 33_000}),
    gpt("e-9", "10-31", started_at="2026-10-31T23:00:00Z", tokens={"output": 44_000}),
    gpt("n-1", "11-01", started_at="2026-11-01T02:00:00Z", tokens={"output": 55_000}),
)
LIST = {"input_uncached": Fraction("2.5"), "cache_read": Fraction("1.25"), "output": Fraction(10)}
CONTRACT = {name: price * Fraction(9, 10) for name, price in LIST.items()}
X_NOW = {"input_uncached": Fraction(10), "output": Fraction(50)}
X_BEFORE = {"input_uncached": Fraction(20), "output": Fraction(60)}


def cost(events, openai=CONTRACT, x=X_NOW):
    """What events cost at some prices, exactly."""
    return sum(
        (
            Fraction(count, 10**6) * (openai if event["provider"] == "openai" else x)[name]
            for event in events
            for name, count in event["tokens"].items()
        ),
        Fraction(0),
    )


def october(**wanted):
    """Events of October in UTC that have some values."""
    return [
        event
        for event in EVENTS
        if event["started_at"].startswith("2026-10")
        and all(event.get(name) == value for name, value in wanted.items())
    ]
