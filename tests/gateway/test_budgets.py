"""Budgets in the way of a call: let in, made to wait, passed to a cheaper model, or refused."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest

from gateway.budget_parts import CHAT, MICRO, Budgeted, answers, asks, callers, upstream
from gateway.provider import answer
from tallybook.clock import FixedClock, parse_instant
from tallybook.gateway.faces import error_body
from tallybook.gateway.model import Refusal

STOP = "feature: refund-bot, monthly: 0.01, over: stop"


@pytest.fixture
def gateway(tmp_path, provider):
    made = []

    def start(*rows, **changes):
        made.append(Budgeted(tmp_path / "gateway", provider, *rows, **changes).__enter__())
        return made[-1]

    provider.add(CHAT, answer(answers()))
    yield start
    for one in made:
        one.__exit__(None, None, None)


def until_refused(gateway, most=200, body=None, **headers):
    for count in range(most):
        found = gateway.ask(CHAT, body or asks(), **headers)
        if found[0] != 200:
            return count, found
    raise AssertionError(f"{most} calls were let in")


def code_of(body: bytes) -> str:
    return json.loads(body)["error"]["code"]


@contextmanager
def held_up(folder, row=STOP, **changes):
    """A gateway whose provider answers nobody until the event is set."""
    hold = threading.Event()

    async def held(_body):
        await asyncio.to_thread(hold.wait, 20)
        return answers()

    with upstream(held) as provider, Budgeted(folder / "gateway", provider, row, **changes) as one:
        yield one, hold


@contextmanager
def asking(one, hold, count=1):
    """So many callers with requests that take most of the budget; ended with the block."""
    threads = [threading.Thread(target=one.ask, args=(CHAT, asks(8000))) for _ in range(count)]
    for each in threads:
        each.start()
    wait_for(lambda: one.works.ledger.under_way == 1)
    yield
    hold.set()
    for each in threads:
        each.join(10)


def test_calls_are_let_in_until_the_next_would_pass_the_limit(gateway):
    one = gateway(STOP)
    count, (status, headers, body) = until_refused(one)
    error = json.loads(body)["error"]
    assert (status, error["code"], error["type"]) == (429, "budget_spent", "rate_limit_error")
    assert headers["x-should-retry"] == "false"
    assert error["details"]["budget"] == "feature:refund-bot"
    assert error["details"]["limit"] == "0.01"
    assert "tallybook budget request feature:refund-bot" in error["message"]
    # 10,000 tokens; a call uses 100 and is held at 612 and its own bytes: what is left is below.
    spent_nano = one.spent_nano()
    assert spent_nano == count * 100 * MICRO
    assert 9_000_000 < spent_nano <= 10_000_000
    (notice,) = one.notices()
    assert (notice["act"], notice["feature"], notice["key_id"]) == ("stop", "refund-bot", "vk")
    assert notice["limit_nano"] == 10_000_000
    assert notice["estimate_nano"] > 100 * MICRO


def test_what_was_spent_is_known_after_a_restart(gateway, tmp_path, provider):
    with Budgeted(tmp_path / "again", provider, STOP) as one:
        until_refused(one)
    with Budgeted(tmp_path / "again", provider, STOP) as one:
        assert one.ask(CHAT, asks())[0] == 429


def test_a_raised_limit_lets_calls_in_again_at_once(gateway):
    one = gateway(STOP)
    until_refused(one)
    one.budgets(STOP.replace("0.01", "0.02"))
    assert one.ask(CHAT, asks())[0] == 200


@pytest.mark.parametrize(
    ("row", "tags"),
    [
        ("team: support, monthly: 0.005, over: stop", {}),
        ("unit: commerce, monthly: 0.005, over: stop", {}),
        ("key: vk, monthly: 0.005, over: stop", {}),
        ('customer: "*", monthly: 0.005, over: stop', {"x-tallybook-customer": "c-17"}),
        ("customer: c-17, monthly: 0.005, over: stop", {"x-tallybook-customer": "c-17"}),
    ],
)
def test_every_level_above_a_call_must_let_it_in(gateway, row, tags):
    one = gateway("feature: refund-bot, monthly: 100, over: stop", row)
    _, (status, _, body) = until_refused(one, **tags)
    named = json.loads(body)["error"]["details"]["budget"]
    assert (status, named.partition(":")[0]) == (429, row.partition(":")[0])
    assert b"c-17" not in json.dumps(one.notices()).encode()


def test_a_use_case_without_a_budget_is_under_the_default(gateway):
    one = gateway(default="monthly: 0.005, over: stop")
    _, (_, _, body) = until_refused(one)
    assert json.loads(body)["error"]["details"]["budget"] == "feature:refund-bot"


def test_a_budget_that_only_shows_refuses_nothing_and_counts(gateway):
    one = gateway('feature: refund-bot, monthly: 0.0001, warn: ["50%", "100%"]')
    for _ in range(5):
        assert one.ask(CHAT, asks())[0] == 200
    wait_for(lambda: len(one.notices()) == 2)
    assert [(note["act"], note["level"]) for note in one.notices()] == [
        ("warn", "50%"),
        ("warn", "100%"),
    ]


def wait_for(what, seconds=10):
    end = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if what():
            return
        end.wait(0.02)
    assert what()


def test_each_warning_is_given_once_over_restarts(tmp_path, provider):
    row = 'feature: refund-bot, monthly: 0.001, over: stop, warn: ["10%", "20%", "99%"]'
    provider.add(CHAT, answer(answers()))
    for _ in range(3):
        with Budgeted(tmp_path / "gateway", provider, row) as one:
            one.ask(CHAT, asks(1))
            wait_for(lambda: len(one.notices()) >= 2 if one.spent_nano() >= 200_000 else True)
    levels = [note["level"] for note in one.notices() if note["act"] == "warn"]
    assert levels == ["10%", "20%"]


def test_an_approver_is_asked_where_the_owner_chose_that(gateway):
    one = gateway(
        "feature: refund-bot, monthly: 0.002, over: approval, approvers: [fin@x.example]",
        budgets={"request_url": "https://budgets.example/ask"},
    )
    _, (status, _, body) = until_refused(one)
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (429, "budget_needs_approval")
    assert "https://budgets.example/ask" in error["message"]
    assert one.notices()[0]["act"] == "approval"


def test_beyond_the_limit_a_throttled_use_case_keeps_the_published_rate(gateway):
    one = gateway(
        "feature: refund-bot, monthly: 0.002, over: throttle, calls_per_minute: 4, up_to: 900%"
    )
    count, (status, headers, body) = until_refused(one)
    assert (status, code_of(body)) == (429, "budget_throttled")
    assert 1 <= int(headers["retry-after"]) <= 60
    assert "x-should-retry" not in headers
    spent_nano = one.spent_nano()
    within = 2_000_000 // (100 * MICRO)
    assert count <= within + 8  # a minute may have turned
    assert spent_nano > 2_000_000 - 750 * MICRO


def test_a_throttled_use_case_stops_where_the_owner_said(gateway):
    one = gateway(
        "feature: refund-bot, monthly: 0.002, over: throttle, calls_per_minute: 500, up_to: 150%"
    )
    _, (_, _, body) = until_refused(one)
    assert code_of(body) == "budget_spent"
    assert 2_000_000 < one.spent_nano() <= 3_000_000


def test_beyond_the_limit_the_cheaper_model_answers_where_the_owner_chose_it(gateway, provider):
    one = gateway(
        "feature: refund-bot, monthly: 0.002, over: downgrade, up_to: 110%, "
        "downgrade: {plain: cheap}"
    )
    models = []
    while not models or models[-1][0] == "plain":
        status, headers, _ = one.ask(CHAT, asks(temperature=0.5))
        assert status == 200
        sent = json.loads(provider.asked[-1].body)
        models.append((sent["model"], headers.get("x-tallybook-downgraded"), sent["temperature"]))
    assert models[-1] == ("cheap", "plain -> cheap", 0.5)
    assert {told for _, told, _ in models[:-1]} == {None}
    assert one.settled(len(models))[-1]["labels"]["downgraded_from"] == "plain"
    assert one.events()[-1]["model_requested"] == "cheap"
    (notice,) = one.notices()
    assert (notice["act"], notice["model"], notice["instead"]) == ("downgrade", "plain", "cheap")


def test_a_model_that_may_not_be_replaced_is_stopped(gateway):
    one = gateway("feature: refund-bot, monthly: 0.002, over: downgrade, downgrade: {other: cheap}")
    _, (_, _, body) = until_refused(one)
    assert code_of(body) == "budget_spent"


def test_a_model_without_a_price_is_refused_and_never_counted_as_nothing(gateway):
    one = gateway(STOP)
    status, _, body = one.ask(CHAT, asks(model="nobody-knows"))
    assert (status, code_of(body)) == (403, "model_unpriced")
    assert one.notices()[0]["act"] == "unpriced"
    assert one.ask(CHAT, asks())[0] == 200


def test_where_policy_lets_an_unpriced_model_in_what_was_held_is_what_it_counts_as(
    gateway, provider
):
    provider.add(CHAT, answer(answers(model="nobody-knows")))
    one = gateway(STOP, budgets={"unpriced": "admit"})
    count, _ = until_refused(one, body=asks(model="nobody-knows"))
    assert count == 16  # a sixteenth of the limit each


def test_a_failed_call_gives_back_what_it_held(gateway, provider):
    provider.add(CHAT, answer(b'{"error": {}}', status="500 Internal Server Error"))
    one = gateway(STOP)
    for _ in range(40):
        assert one.ask(CHAT, asks(5000))[0] == 500
    provider.add(CHAT, answer(answers()))
    assert one.ask(CHAT, asks(5000))[0] == 200


def test_what_is_left_is_told_where_the_operator_chose_it(gateway):
    one = gateway(STOP, "team: support, monthly: 1", budgets={"header": True})
    assert one.ask(CHAT, asks())[1]["x-tallybook-budget-remaining"] == (
        "feature:refund-bot=0.01, team:support=1.00"
    )
    assert one.ask(CHAT, asks())[1]["x-tallybook-budget-remaining"] == (
        "feature:refund-bot=0.0099, team:support=0.9999"
    )


@pytest.mark.parametrize("kind", ["anthropic", "bedrock", "gemini", "vertex", "azure"])
def test_a_refusal_has_the_providers_own_shape(gateway, kind):
    refusal = Refusal(429, "budget_spent", "spent", details={"budget": "team:a"}, is_final=True)
    told = json.dumps(error_body(kind, refusal))
    assert "budget_spent" in told
    assert "team:a" in told


def test_without_limits_nobody_can_say_what_is_left(gateway, provider):
    one = gateway(STOP)
    one.works.budgets._published.months.clear()
    status, _, body = one.ask(CHAT, asks())
    assert (status, code_of(body)) == (503, "budget_unknown")


def test_policy_may_let_calls_in_that_nobody_can_judge(gateway):
    one = gateway(STOP, budgets={"blind": "admit"})
    one.works.budgets._published.months.clear()
    status, headers, _ = one.ask(CHAT, asks())
    assert (status, headers["x-tallybook-budget"]) == (200, "unknown")
    assert one.notices()[0]["act"] == "blind"


def run_callers(one, count, body, times=1):
    return asyncio.run(callers([(one.port, one.secret)], count, body, times=times))


@pytest.mark.parametrize("count", [64, 1000])
def test_so_many_callers_at_once_never_spend_more_than_the_budget(tmp_path, count):
    async def slow(_body):
        await asyncio.sleep(0.02)
        return answers()

    with upstream(slow) as provider:
        row = "feature: refund-bot, monthly: 0.05, over: stop"  # 500 calls' worth
        with Budgeted(tmp_path / "gateway", provider, row) as one:
            found = run_callers(one, count, asks(), times=max(1, 1200 // count))
            spent_nano = one.spent_nano()
            assert set(found) == {200, 429}
            assert 45_000_000 < spent_nano <= 50_000_000
            assert spent_nano == found.count(200) * 100 * MICRO


def test_a_burst_of_small_calls_under_a_large_budget_is_not_starved(tmp_path):
    """Each could answer a million tokens and answers sixty: 40 dollars for 1,000 at once."""

    async def slow(_body):
        await asyncio.sleep(0.01)
        return answers()

    with upstream(slow) as provider:
        row = "feature: refund-bot, monthly: 20, over: stop"
        with Budgeted(tmp_path / "gateway", provider, row) as one:
            assert set(run_callers(one, 400, asks(1_000_000))) == {200}
            assert set(run_callers(one, 400, {"model": "plain", "messages": []})) == {200}


def test_a_caller_who_leaves_while_it_waits_holds_nobody_up(tmp_path):
    with held_up(tmp_path) as (one, hold):
        with asking(one, hold):
            leaving = one.open()
            data = json.dumps(asks(8000)).encode()
            leaving.sendall(
                b"POST %b HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer %b\r\nContent-Type: "
                b"application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (CHAT.encode(), one.secret.encode(), len(data), data)
            )
            wait_for(lambda: one.works.budgets.waiting == 1)
            leaving.close()
            wait_for(lambda: one.works.budgets.waiting == 0)
        assert one.ask(CHAT, asks(8000))[0] == 200


def test_one_that_waits_for_too_long_is_told_that_others_hold_what_is_left(tmp_path):
    with held_up(tmp_path, budgets={"wait_s": 1}) as (one, hold), asking(one, hold):
        status, headers, body = one.ask(CHAT, asks(8000))
    assert (status, code_of(body)) == (429, "budget_busy")
    assert headers["retry-after"] == "1"


def test_a_call_that_waits_goes_on_when_the_limit_is_raised(tmp_path):
    with held_up(tmp_path) as (one, hold), asking(one, hold, 2):
        wait_for(lambda: one.works.budgets.waiting == 1)
        one.budgets(STOP.replace("0.01", "0.02"))
        wait_for(lambda: one.works.ledger.under_way == 2)


@pytest.mark.parametrize("carries", [True, False])
def test_what_does_not_reset_is_not_there_again_in_the_next_month(
    tmp_path, provider, monkeypatch, carries
):
    clock = FixedClock(parse_instant("2026-10-31T23:00:00Z"))
    for place in ("tallybook.gateway.worker", "gateway.budget_parts"):
        monkeypatch.setattr(f"{place}.SystemClock", lambda: clock)
    provider.add(CHAT, answer(answers()))
    amount = "amount: 0.01, resets: never" if carries else "monthly: 0.01"
    with Budgeted(
        tmp_path / "gateway", provider, f"feature: refund-bot, {amount}, over: stop"
    ) as one:
        _, (_, _, body) = until_refused(one)
        assert ("since 2020-01" in json.loads(body)["error"]["message"]) is carries
        clock.advance(2 * 3_600_000_000)
        one.steward.publish(strict=True)
        assert one.ask(CHAT, asks())[0] == (429 if carries else 200)
        one.budgets(f"feature: refund-bot, {amount.replace('0.01', '0.02')}, over: stop")
        assert one.ask(CHAT, asks())[0] == 200
    assert one.spent_nano() <= 20_000_000
