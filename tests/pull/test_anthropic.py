"""Anthropic's questions, asked and answered as documented."""

import pytest

from tallybook.clock import parse_instant
from tallybook.errors import PullError
from tallybook.pull.anthropic import GROUPS, streams
from tallybook.pull.model import Window
from usage_api import served

FROM, TO = (parse_instant(f"2026-10-0{day}T00:00:00Z") for day in (1, 4))
HALF_DAY_US = 43_200_000_000


def answer(path, params):
    told = dict(params)
    second = told.get("page") == "page_2"
    if path.endswith("claude_code"):
        assert len(told["starting_at"]) == len("2026-10-01")
        record = {
            "date": f"{told['starting_at']}T00:00:00Z", "customer_type": "api",
            "actor": {"email_address": "b@b.c" if second else "a@b.c"},
            "model_breakdown": [{"model": "claude-opus-5", "tokens": {"input": 1, "output": 2},
                                 "estimated_cost": {"amount": 186, "currency": "USD"}}],
        }  # fmt: skip
        return {"data": [record], "has_more": not second, "next_page": None if second else "page_2"}
    result = {"uncached_input_tokens": 1, "output_tokens": 2, "model": "claude-opus-5"}
    day = "02" if second else "01"
    bucket = {
        "starting_at": f"2026-10-{day}T00:00:00Z", "ending_at": f"2026-10-{day}T12:00:00Z",
        "results": [result],
    }  # fmt: skip
    return {"data": [bucket], "has_more": not second, "next_page": None if second else "page_2"}


def test_the_usage_report_comes_in(pull_of, inbox_rows):
    messages, _ = streams((), "1d", ())
    with served(answer) as api:
        pulled = pull_of(api, "anthropic").stream(messages, FROM, TO)
    assert (pulled.pages, pulled.accepted) == (2, 2)
    assert {row["source"] for row in inbox_rows()} == {"anthropic-usage"}
    assert api.headers[0]["anthropic-version"] == "2023-06-01"
    assert [value for name, value in api.asked[0][1] if name == "group_by[]"] == [*GROUPS]
    assert api.params("starting_at")[0] == "2026-10-01T00:00:00Z"
    assert api.params("page") == [None, "page_2"]


def test_claude_code_is_asked_day_by_day(pull_of, inbox_rows):
    (code,) = streams(["claude_code"], "1d", ())
    with served(answer) as api:
        pulled = pull_of(api, "anthropic").stream(code, FROM + HALF_DAY_US, TO)
    assert (pulled.pages, pulled.accepted) == (6, 6)
    assert api.params("starting_at") == [f"2026-10-0{day}" for day in (1, 1, 2, 2, 3, 3)]
    assert {row["reported_cost"] for row in inbox_rows()} == {"1.86"}


def test_days_that_are_in_are_not_asked_again(pull_of):
    (code,) = streams(["claude_code"], "1d", ())
    with served(answer) as api:
        pull = pull_of(api, "anthropic", tries=1)
        api.failures = [None, None, None, 500]
        with pytest.raises(PullError):
            pull.stream(code, FROM, TO)
        api.asked.clear()
        pull_of(api, "anthropic").stream(code, FROM, TO)
    assert api.params("starting_at") == ["2026-10-02", "2026-10-03", "2026-10-03"]
    assert api.params("page")[0] == "page_2"


def test_hours_and_groups_by_name():
    messages, code = streams((), "1h", ["model", "speed"])
    ask = messages.ask(Window(FROM, TO), "c")
    assert ask.params[2:] == (
        ("bucket_width", "1h"), ("limit", "168"), ("group_by[]", "model"),
        ("group_by[]", "speed"), ("page", "c"),
    )  # fmt: skip
    assert messages.settled_us(FROM + HALF_DAY_US + 1) == FROM + HALF_DAY_US
    assert code.settled_us(FROM + HALF_DAY_US) == FROM


def test_a_report_that_is_none_is_told():
    with pytest.raises(PullError, match="no usage report 'costs'"):
        streams(["costs"], "1d", ())
