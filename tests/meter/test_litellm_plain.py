"""What is a plain row, and what is left to the general reader; `test_litellm.py` compares the two."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.clock import parse_instant
from tallybook.meter.sources.litellm_plain import Plain

USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
ROW = {
    "request_id": "chatcmpl-AbC", "call_type": "acompletion", "status": "success",
    "startTime": "2026-10-24 09:20:46.847371", "endTime": "2026-10-24T09:20:47Z",
    "custom_llm_provider": "openai", "model": "gpt-4o", "spend": Decimal("0.000225"),
}  # fmt: skip


@pytest.fixture
def shared():
    asked = []

    def told(record, metadata):
        asked.append(record)
        return {"source": "litellm", "provider": "openai", "model": record["model"]}, {"a": "b"}

    told.asked = asked
    return told


def test_what_rows_share_is_worked_out_once(shared):
    plain = Plain(shared)
    first = plain.read(ROW, {"usage_object": USAGE})
    second = plain.read(ROW | {"request_id": "chatcmpl-X", "user": "u"}, {"usage_object": USAGE})
    assert len(shared.asked) == 1
    assert (first.event_id, second.event_id, second.user) == ("chatcmpl-AbC", "chatcmpl-X", "u")
    assert first.tokens == {"input_uncached": 10, "output": 20}
    assert first.reported_cost.amount == "0.000225"
    assert first.ended_us - first.started_us == 152_629
    assert plain.read(ROW | {"model": "gpt-4"}, {"usage_object": USAGE}).model == "gpt-4"


@pytest.mark.parametrize(
    "change",
    [
        {"request_id": ""},
        {"request_id": "resp_1"},
        {"cache_hit": "True"},
        {"status": "failure"},
        {"call_type": "aretrieve_batch"},
        {"custom_llm_provider": "azure"},
        {"response": {"id": "x"}},
        {"spend": Decimal(-1)},
        {"spend": Decimal("1E-7")},
        {"startTime": 1792833646},
        {"endTime": "2026-10-24T09:20:45Z"},
        {"endTime": "2026-10-24 09:20:60.847371"},
        {"endTime": "2026-10-24 09:20:4x.847371"},
        {"endTime": "2026-10-24 09:20:47.84737x"},
        {"endTime": "2026-10-24 09:20:47,847371"},
        {"endTime": "2026-10-24_09:20:47.847371"},
        {"trace_id": "t"},
        {"cost_breakdown": {"original_cost": 1}},
    ],
)
def test_a_row_that_needs_a_second_look_is_left(shared, change):
    assert Plain(shared).read(ROW | change, {"usage_object": USAGE}) is None


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        USAGE | {"prompt_tokens": 0, "completion_tokens": 0},
        USAGE | {"prompt_tokens": -1},
        USAGE | {"prompt_tokens_details": {"cached_tokens": 11}},
        USAGE | {"prompt_tokens_details": {"audio_tokens": 1}},
        USAGE | {"total_tokens": 31, "completion_tokens_details": {"reasoning_tokens": 1}},
        USAGE | {"cache_read_input_tokens": 1},
    ],
)
def test_usage_with_more_in_it_is_left(shared, usage):
    assert Plain(shared).read(ROW, {"usage_object": usage}) is None


def test_names_that_are_none_are_shared_with_nobody(shared):
    plain = Plain(shared)
    assert plain.read(ROW | {"team_id": 1}, {"usage_object": USAGE})
    assert plain.read(ROW | {"team_id": True}, {"usage_object": USAGE})
    assert len(shared.asked) == 2


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001
    parting=st.sampled_from(" T"),
    decimals=st.integers(0, 9),
    end=st.sampled_from(["", "Z"]),
)
def test_instants_of_every_form_are_read_as_any_instant_is(moment, parting, decimals, end):
    fraction = f".{moment.microsecond:06}123"[: decimals + 1] if decimals else ""
    told = f"{moment:%Y-%m-%d}{parting}{moment:%H:%M:%S}{fraction}{end}"
    plain = Plain(lambda _row, _metadata: ({"source": "x", "provider": "p", "model": "m"}, {}))
    event = plain.read(ROW | {"startTime": told, "endTime": told}, {"usage_object": USAGE})
    assert event.started_us == event.ended_us == parse_instant(f"{told.removesuffix('Z')}Z")
