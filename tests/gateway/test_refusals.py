"""What a caller is told at a limit: budget, figures, next step, for people and programs."""

from __future__ import annotations

from copy import copy

import pytest

from gateway.running import key
from tallybook.budget.model import Limit
from tallybook.clock import Period
from tallybook.gateway.call import Call
from tallybook.gateway.model import BudgetPolicy, Upstream
from tallybook.gateway.refusals import refusal_of, remaining_line, text_of
from tallybook.sdk.asked import Asked

LIMIT = Limit(
    scope="team", subject="support", period=Period.parse("2026-12"), limit_nano=10**9,
    over="throttle", calls_per_minute=6,
)  # fmt: skip
CALL = Call(
    upstream=Upstream(name="o", kind="openai", host="h", port=1, tls=False),
    key=key(),
    treatment="metered",
    method="POST",
    path="/v1",
    query="",
    asked=Asked("openai", "/v1", "chat", "gpt", False, False, False),
    attempt=None,
    strip=False,
    body=b"",
    asks=0,
)


@pytest.mark.parametrize(
    ("act", "status", "code", "is_final", "says"),
    [
        ("stop", 429, "budget_spent", True, "stops at its limit"),
        ("approval", 429, "budget_needs_approval", True, "waits for approval"),
        ("throttle", 429, "budget_throttled", False, "6 calls a minute"),
        ("busy", 429, "budget_busy", False, "Calls under way hold"),
        ("unpriced", 403, "model_unpriced", True, "'gpt' has no price"),
    ],
)
def test_a_refusal_says_what_and_what_next(act, status, code, is_final, says):
    found = refusal_of(act, LIMIT, CALL, 995_000_000, 12_345_678, BudgetPolicy())
    assert (found.status, found.code, found.is_final) == (status, code, is_final)
    assert says in found.message
    assert "team:support" in found.message
    if act != "unpriced":
        assert "0.995 of 1.00 is spent in 2026-12" in found.message
        assert found.details["estimate"] == "0.012345678"
    if act in ("stop", "approval", "throttle"):
        assert "tallybook budget request team:support 2026-12 AMOUNT" in found.message
    if act in ("stop", "approval"):
        assert found.message.endswith("It begins anew with 2027-01.")


def test_a_request_that_names_no_model_is_told_so():
    nameless = copy(CALL)
    nameless.asked = Asked("openai", "/v1", "chat", "", False, False, False)
    found = refusal_of("unpriced", LIMIT, nameless, 0, 0, BudgetPolicy())
    assert (found.code, "names no model" in found.message) == ("model_unpriced", True)


def test_where_to_ask_stands_in_the_refusal():
    policy = BudgetPolicy(request_url="https://budgets.example")
    assert "https://budgets.example" in refusal_of("stop", LIMIT, CALL, 1, 1, policy).message


def test_what_is_left_is_a_header():
    assert remaining_line([(LIMIT, 5)]) == (
        b"x-tallybook-budget-remaining: team:support=0.000000005\r\n"
    )
    assert remaining_line([]) == b""
    assert text_of(-1_500_000_000) == "-1.50"
