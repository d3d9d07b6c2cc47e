"""Work that goes on without its call: a batch, a background response. It holds until it is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing

import pytest

from gateway.budget_parts import CHAT, MICRO, Budgeted, answers, asks
from gateway.provider import answer
from gateway.test_budgets import code_of
from tallybook.budget.book import Book
from tallybook.budget.hold import Holder, bury
from tallybook.budget.limits import Period
from tallybook.budget.model import Estimate, Limit
from tallybook.gateway.published import folder_of

ROW = "feature: refund-bot, monthly: 0.01, over: stop"  # 10,000 tokens
BATCH = {"input_file_id": "file-1", "endpoint": "/v1/chat/completions"}
BACKGROUND = {"model": "plain", "input": "x", "background": True, "max_output_tokens": 3_000}


@pytest.fixture
def gateway(tmp_path, provider):
    provider.add(CHAT, answer(answers()))
    with Budgeted(tmp_path / "gateway", provider, ROW) as made:
        yield made


def book_of(gateway):
    """What is spent of the budget, and what is held for work that goes on, in nano."""
    asyncio.run_coroutine_threadsafe(gateway._tend(), gateway.loop).result(10)
    with closing(Book(folder_of(gateway.config.spool))) as book:
        (found,) = book.accounts.values()
        later = [one for name, one in found.leases.items() if name.startswith("later-")]
        return found.spent_nano, sum(one.taken_nano for one in later)


def requests(count, tokens=1_000, model="plain"):
    """Lines of a file that a batch reads."""
    rows = (
        {"custom_id": f"c{n}", "url": "/v1/chat/completions", "body": asks(tokens, model)}
        for n in range(count)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def upload(gateway, provider, lines, pad=0):
    provider.add("/v1/files", answer(b'{"id": "file-1", "object": "file", "bytes": 9}'))
    form = b"--x\r\nContent-Disposition: form-data; name=purpose\r\n\r\nbatch%b\r\n" % (b" " * pad)
    form += b"--x\r\nContent-Disposition: form-data; name=file; filename=f.jsonl\r\n\r\n"
    status, _, _ = gateway.ask(
        "/v1/files", form + lines + b"\r\n--x--\r\n", content_type="multipart/form-data; boundary=x"
    )
    assert status == 200


def begin(gateway, provider, **told):
    provider.add("/v1/batches", answer(json.dumps({"id": "batch_1"} | told).encode()))
    return gateway.ask("/v1/batches", BATCH)


def results(count):
    rows = (
        {
            "custom_id": f"c{n}",
            "response": {"status_code": 200, "body": json.loads(answers(tier="batch"))},
        }
        for n in range(count)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize("pad", [0, 300_000])
def test_a_batch_holds_what_its_requests_may_cost_until_its_results_are_fetched(
    gateway, provider, pad
):
    """Also where its file is longer than what is looked at before it goes on."""
    lines = requests(3)
    upload(gateway, provider, lines, pad)
    assert begin(gateway, provider)[0] == 200
    held = (3_000 + 3 * (len(json.dumps(asks(1_000))) + 512)) * MICRO
    assert book_of(gateway) == (0, held)
    status, _, body = gateway.ask(CHAT, asks(6_000))
    assert (status, code_of(body)) == (429, "budget_busy")
    done = {"id": "batch_1", "status": "completed", "output_file_id": "out", "error_file_id": "err"}
    provider.add("/v1/batches/batch_1", answer(json.dumps(done).encode()))
    failed = json.dumps(
        {"custom_id": "c9", "response": {"status_code": 400, "body": {"error": {}}}}
    )
    provider.add("/v1/files/err/content", answer(failed.encode(), "application/jsonl"))
    provider.add("/v1/files/out/content", answer(results(3), "application/jsonl"))
    gateway.ask("/v1/batches/batch_1", method="GET")
    gateway.ask("/v1/files/err/content", method="GET")
    assert book_of(gateway) == (0, held)
    for _ in range(2):
        gateway.ask("/v1/files/out/content", method="GET")
        assert book_of(gateway) == (3 * 100 * MICRO, 0)
    assert gateway.ask(CHAT, asks(6_000))[0] == 200


def test_a_batch_that_may_cost_more_than_is_left_is_refused(gateway, provider):
    upload(gateway, provider, requests(12))
    status, _, body = begin(gateway, provider)
    assert (status, code_of(body)) == (429, "budget_spent")


def test_a_batch_with_a_model_without_a_price_is_refused(gateway, provider):
    upload(gateway, provider, requests(1) + requests(1, model="nobody-knows"))
    status, _, body = begin(gateway, provider)
    assert (status, code_of(body)) == (403, "model_unpriced")
    assert b"nobody-knows" in body


def test_of_a_file_that_came_another_way_a_share_of_the_limit_is_held(gateway, provider):
    assert begin(gateway, provider)[0] == 200
    assert book_of(gateway) == (0, 10_000_000 >> 4)


@pytest.mark.parametrize("told", [{"status": "failed"}, {"status": "cancelled"}])
def test_a_batch_that_came_to_nothing_holds_nothing(gateway, provider, told):
    upload(gateway, provider, requests(3))
    begin(gateway, provider)
    provider.add("/v1/batches/batch_1", answer(json.dumps({"id": "batch_1"} | told).encode()))
    gateway.ask("/v1/batches/batch_1", method="GET")
    assert book_of(gateway) == (0, 0)


def test_requests_that_stand_in_the_body_bound_a_batch_too(tmp_path, provider):
    row = "feature: refund-bot, monthly: 100, over: stop"
    with Budgeted(tmp_path / "gateway", provider, row) as gateway:
        provider.add("/v1/messages/batches", answer(b'{"id": "mb", "type": "message_batch"}'))
        params = {"model": "claude-sonnet-4-5", "max_tokens": 1_000_000, "messages": []}
        asked = {"requests": [{"custom_id": "c", "params": params}]}
        assert gateway.ask("/anthropic/v1/messages/batches", asked)[0] == 200
        _, taken = book_of(gateway)
        assert 7_500_000_000 < taken < 7_510_000_000  # 7.50 for a million tokens of a batch


def test_a_background_response_holds_until_its_figures_are_fetched(tmp_path, provider):
    folder = tmp_path / "gateway"
    queued = {"id": "resp_1", "object": "response", "status": "queued", "model": "plain"}
    provider.add("/v1/responses", answer(json.dumps({**queued, "usage": None}).encode()))
    usage = {"input_tokens": 40, "output_tokens": 60, "total_tokens": 100}
    done = {**queued, "status": "completed", "usage": usage, "output": []}
    provider.add("/v1/responses/resp_1", answer(json.dumps(queued).encode()))
    with Budgeted(folder, provider, ROW) as gateway:
        assert gateway.ask("/v1/responses", BACKGROUND)[0] == 200
        spent, taken = book_of(gateway)
        assert (spent, taken > 3_000 * MICRO) == (0, True)
        gateway.ask("/v1/responses/resp_1", method="GET")
        assert book_of(gateway) == (0, taken)
    with Budgeted(folder, provider, ROW) as gateway:  # another process, which fetches it
        assert book_of(gateway) == (0, taken)
        provider.add("/v1/responses/resp_1", answer(json.dumps(done).encode()))
        for _ in range(2):
            gateway.ask("/v1/responses/resp_1", method="GET")
            assert book_of(gateway) == (100 * MICRO, 0)


def test_what_goes_on_is_held_whoever_dies_and_ends_once(tmp_path):
    limit = Limit(
        scope="feature", subject="bot", period=Period(2026, 10), limit_nano=1_000, over="stop"
    )
    holder = Holder(Book(tmp_path), "w1")
    rooms = [holder.room_of(limit)]
    holder.draw(rooms, 400, [1_000])
    held = holder.reserve(rooms, Estimate(400, 400))
    holder.defer(held, "later-1")
    holder.defer(held, "later-1")
    holder.settle(held, 999)
    account = holder.book.account(rooms[0].account)
    assert (account.spent_nano, account.leases["later-1"].taken_nano) == (0, 400)
    with Book(tmp_path).held() as acts:  # its process is gone
        acts.append(["close", rooms[0].account, "w1", 0])
    book = Book(tmp_path)
    assert bury(book) == 0
    assert book.finish("later-1", 250)
    assert not book.finish("later-1", 250)
    assert (book.account(rooms[0].account).taken_nano, book.finish("later-2", 1)) == (250, False)


def test_what_nobody_tells_the_cost_of_counts_with_what_was_held(tmp_path):
    book = Book(tmp_path)
    with book.held() as acts:
        acts.append(["lease", "2026-10/feature:bot", "later-1", 400, 0])
    assert book.finish("later-1", None)
    assert book.account("2026-10/feature:bot").spent_nano == 400
