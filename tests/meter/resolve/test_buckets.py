"""Which buckets fill a gap, against the rule spelled out: each bucket beside every other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.meter.resolve.buckets import Called, Lying, fills_gap, kind_of, window_of
from tallybook.meter.resolve.observation import Observation, base_model

KEYS = ("", "k1", "k2")
MODELS = ("none", "gpt-4o", "gpt-4o-2024-08-06", "o1")
BETTER = ("openai-usage", "anthropic-usage")


def bucket(source, provider, operation, start, width, key, model, grouped_by, is_free):
    labels = [("grouped_by", grouped_by)] if grouped_by else []
    labels += [("not_billed", "free")] if is_free else []
    row = {
        "source": source, "provider": provider, "operation": operation, "started_us": start,
        "ended_us": start + width if width else None, "key_id": key, "model": model,
        "labels": labels,
    }  # fmt: skip
    return Observation(row, "bucket", own=False)


buckets = st.builds(
    bucket,
    st.sampled_from(("openai-usage", "claude-code", "other")),
    st.sampled_from(("x", "y")),
    st.sampled_from(("chat", "embed")),
    st.integers(0, 5),
    st.sampled_from((0, 1, 3, 6)),
    st.sampled_from(KEYS),
    st.sampled_from(MODELS),
    st.sampled_from(("", "model", "model,key", "key")),
    st.booleans(),
)
seen = st.lists(st.tuples(st.sampled_from(MODELS), st.sampled_from((*KEYS, "vk"))))


def may_be(one, other):
    return one == other or "none" in (one, other)


def overlap(one, other):
    (_, start, end), (_, begin, stop) = window_of(one), window_of(other)
    return start < stop and begin < end


def fills(one, called, others, keys):
    return (
        kind_of(one).is_billed
        and not any(counted(one, model, key, keys) for model, key in called)
        and not any(told_better(one, other) for other in others)
    )


def counted(one, model, key, keys):
    ours = one.row["key_id"]
    is_others = ours not in ("", key) and key in keys
    return not is_others and may_be(base_model(model), one.model)


def told_better(one, other):
    mine, theirs = kind_of(one), kind_of(other)
    if one.source == other.source:
        better = mine.operation == theirs.operation and theirs.view > mine.view
    else:
        ranks = [(each.source not in BETTER, each.source) for each in (other, one)]
        better = theirs.is_billed and ranks[0] < ranks[1]
    named = {each.row["key_id"] for each in (one, other)} - {""}
    same = one.row["provider"] == other.row["provider"] and may_be(one.model, other.model)
    return better and same and len(named) <= 1 and overlap(one, other)


def looks_otherwise(one, other):
    mine, theirs = kind_of(one), kind_of(other)
    another = (mine.source, mine.view) != (theirs.source, theirs.view)
    return another and mine.provider == theirs.provider and overlap(one, other)


@settings(max_examples=500)
@given(st.lists(buckets, min_size=2, max_size=8), seen, st.sets(st.sampled_from(KEYS[1:])))
def test_a_bucket_is_judged_as_beside_every_other(every, called, keys):
    lying = Lying(every)
    for one in every:
        assert fills_gap(one, Called(called, keys), lying) == fills(one, called, every, keys)
        assert lying.looks_otherwise(one) == any(looks_otherwise(one, each) for each in every)
