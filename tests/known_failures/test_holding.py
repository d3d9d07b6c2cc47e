"""Exhibits of budgets that did not hold: overrun, starved, switched off, skipped, walked around."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest

from gateway.budget_parts import CHAT, MICRO, Budgeted, answers, asks, callers, upstream
from gateway.provider import Provider, answer
from tallybook.budget.book import Book
from tallybook.budget.hold import Holder, bury
from tallybook.budget.model import Estimate, Limit
from tallybook.clock import Period

PLAIN = "feature: refund-bot, monthly: {}, over: stop"


@pytest.fixture
def provider():
    with Provider() as made:
        made.add(CHAT, answer(answers()))
        yield made


def at_once(one, count, times=1, body=None):
    return asyncio.run(callers([(one.port, one.secret)], count, body or asks(), times=times))


async def slow(_body):
    await asyncio.sleep(0.02)
    return answers(tokens=20, read=10)


def test_a05_a_stream_that_tells_no_usage_counts_as_what_was_held_for_it(tmp_path, provider):
    """BurnLens: 0 tokens, $0.0, "calculated", so a cap never fills. Here: 2,000 tokens are held."""
    chunks = [b'data: {"id":"c","model":"plain","choices":[]}\n\n', b"data: [DONE]\n\n"]
    provider.add(CHAT, answer(chunks, "text/event-stream"))
    with Budgeted(tmp_path / "g", provider, PLAIN.format("0.005")) as one:
        found = [one.ask(CHAT, asks(1000, stream=True))[0] for _ in range(8)]
    assert found[:3] == [200, 200, 200]
    assert found[3:] == [429] * 5


def test_a06_a_caller_who_hangs_up_has_spent(tmp_path, provider):
    """LiteLLM PR 30630: budgets undercount by the abort rate. Here the drained answer counts."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    told = answers(tokens=3000)
    provider.add(CHAT, [head % len(told) + told[:5], 0.3, told[5:]])
    with Budgeted(tmp_path / "g", provider, PLAIN.format("0.01")) as one:
        for number in range(1, 4):
            data = json.dumps(asks(3100)).encode()
            leaving = one.open()
            leaving.sendall(
                b"POST %b HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer %b\r\nContent-Type: "
                b"application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (CHAT.encode(), one.secret.encode(), len(data), data)
            )
            leaving.recv(10)
            leaving.close()
            one.settled(number)
        assert one.ask(CHAT, asks(3100))[0] == 429


def test_a07_sixteen_threads_at_a_cap_of_half_a_cent(tmp_path):
    """BurnLens: 160 of 160 served, $0.0384 at a cap of $0.005. Here: 166 calls' worth at most."""
    row = PLAIN.format("0.005")
    with upstream(slow) as provider, Budgeted(tmp_path / "g", provider, row) as one:
        found = at_once(one, 16, times=25)
        spent_nano = one.spent_nano()
    assert found.count(200) * 30 * MICRO == spent_nano
    assert 4_000_000 < spent_nano <= 5_000_000


def test_a07_the_first_requests_of_a_customer_that_nobody_knows(tmp_path):
    """L#40095: the first requests of an unknown customer all pass, for there is no row yet."""
    with upstream(slow) as provider:
        row = 'customer: "*", monthly: 0.002, over: stop'
        with Budgeted(tmp_path / "g", provider, row, budgets={"wait_s": 1}) as one:
            secret = one.issue("vk-c")
            found = asyncio.run(
                callers([(one.port, secret)], 200, asks(), tags={"customer": "never-seen"})
            )
            spent_nano = one.spent_nano()
    assert 0 < found.count(200) < 200
    assert spent_nano <= 2_000_000


def test_a08_a_burst_of_small_calls_under_a_large_budget(tmp_path):
    """L PR 27509: blocked at a cap of $2,000 with $0.144 spent. Here: all 300 are served."""
    row = PLAIN.format("2000")
    with upstream(slow) as provider, Budgeted(tmp_path / "g", provider, row) as one:
        assert set(at_once(one, 150, body=asks(100_000_000))) == {200}
        assert set(at_once(one, 150, body={"model": "plain", "messages": []})) == {200}


def test_a08_what_failed_holds_nothing(tmp_path, provider):
    """L PR 38647: clamped at 25.000000000000004 with $0 logged. Here 50 failures hold nothing."""
    provider.add(CHAT, answer(b"{}", status="503 Service Unavailable"))
    with Budgeted(tmp_path / "g", provider, PLAIN.format("0.01")) as one:
        assert {one.ask(CHAT, asks(9000))[0] for _ in range(50)} == {503}
        provider.add(CHAT, answer(answers()))
        assert one.ask(CHAT, asks(9000))[0] == 200


def test_a09_what_has_no_price_does_not_switch_a_budget_off(tmp_path, provider):
    """L#35524, Portkey: no price, no reservation, no budget. Here: refused, by name."""
    with Budgeted(tmp_path / "g", provider, PLAIN.format("1")) as one:
        status, _, body = one.ask(CHAT, asks(model="brand-new"))
        assert (status, json.loads(body)["error"]["code"]) == (403, "model_unpriced")
        assert not provider.asked


def test_a10_what_a_killed_process_spent_is_spent(tmp_path):
    """L#33872: counters popped before they are written. Here: used and held survive kill -9."""
    limit = Limit(
        scope="feature", subject="bot", period=Period.parse("2026-10"), limit_nano=100, over="stop"
    )
    ready = os.pipe()
    pid = os.fork()
    if not pid:
        mine = Holder(Book(tmp_path), "killed")
        room = mine.room_of(limit)
        for cost in (30, 20, None):
            mine.draw([room], 40, [100])
            held = mine.reserve([room], Estimate(40, 40))
            if cost is not None:
                mine.settle(held, cost)
        os.write(ready[1], b"x")
        signal.pause()
    os.read(ready[0], 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    book = Book(tmp_path)
    assert bury(book) == 1
    assert book.account("2026-10/feature:bot").spent_nano == 90


@pytest.mark.parametrize(
    "row",
    [
        "team: support, monthly: 0.001, over: stop",
        "unit: commerce, monthly: 0.001, over: stop",
        "key: vk, monthly: 0.001, over: stop",
        "feature: refund-bot, monthly: 0.001, over: stop",
    ],
)
def test_a14_no_level_is_skipped(tmp_path, provider, row):
    """L#11962, #17054: a user's budget skipped on team keys, an org's loaded and never checked."""
    rows = {
        scope: f"{scope}: {subject}, monthly: 100, over: stop"
        for scope, subject in (
            ("feature", "refund-bot"), ("team", "support"), ("unit", "commerce"), ("key", "vk"),
        )
    }  # fmt: skip
    rows[row.partition(":")[0]] = row
    with Budgeted(tmp_path / "g", provider, *rows.values()) as one:
        found = [one.ask(CHAT, asks())[0] for _ in range(12)]
    assert found[0] == 200
    assert found[-1] == 429


ROUTES = [
    ("/openai/v1/responses", {"model": "plain", "input": "x"}),
    ("/openai/v1/embeddings", {"model": "plain", "input": "x"}),
    ("/openai/v1/images/generations", {"model": "plain", "prompt": "x"}),
    ("/openai/v1/batches", {"input_file_id": "f", "endpoint": "/v1/chat/completions"}),
    ("/azure/openai/deployments/plain/chat/completions", {"messages": []}),
    ("/anthropic/v1/messages", {"model": "plain", "messages": [], "max_tokens": 5}),
    ("/bedrock/model/plain/invoke", {"messages": []}),
    ("/bedrock/model/plain/converse", {"messages": []}),
    ("/gemini/v1beta/models/plain:generateContent", {"contents": []}),
]


@pytest.mark.parametrize(("path", "body"), ROUTES, ids=[path for path, _ in ROUTES])
def test_a15_no_route_is_a_way_around_a_budget(tmp_path, provider, path, body):
    """L#13882, BF#2873: pass-through endpoints ignore budgets. Here a spent one refuses each."""
    row = "team: support, monthly: 0, over: stop"
    with Budgeted(tmp_path / "g", provider, row, budgets={"unpriced": "admit"}) as one:
        status, _, told = one.ask(path, body)
        assert (status, b"budget_spent" in told) == (429, True)
        assert not provider.asked


def test_a16_a_retry_is_held_and_counted_by_itself(tmp_path, provider):
    """L#39455: three rows for one operation. Here: two attempts failed, one counts, once."""
    failed = answer(b"{}", status="500 Internal Server Error")
    provider.add(CHAT, failed, failed, answer(answers()))
    with Budgeted(tmp_path / "g", provider, PLAIN.format("0.001"), budgets={"header": True}) as one:
        retried = [
            one.ask(CHAT, asks(), x_stainless_retry_count=str(number))[0] for number in range(3)
        ]
        left = one.ask(CHAT, asks())[1]["x-tallybook-budget-remaining"]
    assert retried == [500, 500, 200]
    assert left == "feature:refund-bot=0.0009"


def test_a19_the_last_nano_of_a_limit_can_be_spent(tmp_path):
    """OT#691: 0.6619999999999999 decides a 403. Here ten tenths are the whole, exactly."""
    limit = Limit(
        scope="feature", subject="bot", period=Period.parse("2026-10"), limit_nano=10, over="stop"
    )
    holder = Holder(Book(tmp_path), "one")
    room = holder.room_of(limit)
    let = 0
    while not holder.draw([room], 1, [10]):
        holder.settle(holder.reserve([room], Estimate(1, 1)), 1)
        let += 1
    holder.close()
    assert let == 10
