"""OpenAI's questions."""

import pytest

from tallybook.clock import parse_instant
from tallybook.errors import PullError
from tallybook.meter.sources.openai_usage_endpoints import ENDPOINTS
from tallybook.pull.model import Window
from tallybook.pull.openai import GROUPS, next_page, streams

WINDOW = Window(0, 86_400_000_000)


def test_every_endpoint_that_is_read_can_be_asked():
    assert {stream.name for stream in streams((), "1d", ())} == ENDPOINTS.keys() - {"decisions"}


def test_a_question_groups_by_all_that_price_and_owner_need():
    (stream,) = streams(["completions"], "1d", ())
    ask = stream.ask(WINDOW, "")
    assert ask.path == "v1/organization/usage/completions"
    assert ask.params[:4] == (
        ("start_time", "0"), ("end_time", "86400"), ("bucket_width", "1d"), ("limit", "31")
    )  # fmt: skip
    assert [value for name, value in ask.params if name == "group_by[]"] == [*GROUPS["completions"]]
    assert stream.ask(WINDOW, "page_2").params[-1] == ("page", "page_2")


def test_hours_and_groups_by_name():
    (stream,) = streams(["images"], "1h", ["model"])
    assert stream.ask(WINDOW, "").params[2:] == (
        ("bucket_width", "1h"), ("limit", "168"), ("group_by[]", "model")
    )  # fmt: skip
    now_us = parse_instant("2026-10-10T12:30:00Z")
    assert stream.settled_us(now_us) == parse_instant("2026-10-10T12:00:00Z")
    assert streams(["images"], "1d", ())[0].settled_us(now_us) == parse_instant(
        "2026-10-10T00:00:00Z"
    )


def test_an_endpoint_that_is_none_is_told():
    with pytest.raises(PullError, match="no usage endpoint 'costs'"):
        streams(["costs"], "1d", ())


def test_the_next_page():
    assert next_page({"data": [], "has_more": False, "next_page": "x"}) == ""
    assert next_page({"data": [], "has_more": True, "next_page": "x"}) == "x"
    for page in ({"data": None}, {"data": [], "has_more": True, "next_page": None}):
        with pytest.raises(PullError):
            next_page(page)
