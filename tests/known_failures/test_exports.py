"""Exhibits of exports that were read wrongly elsewhere; here they must not."""

import json

import pytest

from tallybook.clock import FixedClock
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.registry import open_product
from tallybook.store import Store

BATCH = {
    "id": "batch_1", "object": "batch", "created_at": 1_759_622_400, "status": "completed",
    "metadata": {"team": "search"}, "usage": {"input_tokens": 300, "output_tokens": 30},
}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    books = Store.create(tmp_path / "books")
    yield books
    books.close()


def bring_in(store, product, *records):
    path = store.home / "export.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    ids = iter(map(str, range(99)))
    result = ingest(
        store,
        open_product(product, [path]),
        clock=FixedClock(1),
        new_id=ids.__next__,
        on_progress=None,
        reject_folder=store.home,
    )
    return result.accepted, result.duplicate, result.quarantined, result.rejected


def line(number):
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    body = {"id": f"chatcmpl-{number}", "model": "gpt-4o", "created": 1_759_622_400, "usage": usage}
    response = {"status_code": 200, "request_id": f"req-{number}", "body": body}
    return {"id": f"batch_req_{number}", "custom_id": f"c-{number}", "response": response}


def test_a11_results_that_every_poll_fetches_count_once(store):
    """LiteLLM #12084, PRs 37050, 39980: each poll of a finished batch billed it again, to nobody.

    A batch of three requests is polled five times, with its totals and its results each time.
    Theirs: five batches. Ours: three calls, of the team that the batch was made for.
    """
    lines = [line(number) for number in (1, 2, 3)]
    assert bring_in(store, "openai-batch", BATCH) == (0, 0, 0, 0)
    assert bring_in(store, "openai-batch", BATCH, *lines) == (3, 0, 0, 0)
    for _ in range(4):
        assert bring_in(store, "openai-batch", BATCH, *lines) == (0, 3, 0, 0)
    path = store.home / "export.jsonl"
    events = [one.event for one in open_product("openai-batch", [path]).read()]
    assert {(event.team, event.tier) for event in events} == {("search", "batch")}
    assert sum(event.tokens["input_uncached"] for event in events) == 300


def test_a19_cents_of_an_export_are_not_dollars(store):
    """LiteLLM #20615, Bifrost #3559, #5243: figures taken in another unit, a hundredfold.

    Claude Code analytics state an estimate of 186, in cents. Ours: 1.86 dollars, to the last digit.
    """
    cost = {"amount": 186, "currency": "USD"}
    model = {"model": "claude-opus-5", "tokens": {"input": 1, "output": 1}, "estimated_cost": cost}
    record = {
        "date": "2026-10-03T00:00:00Z", "customer_type": "api", "actor": {"api_key_name": "ci"},
        "model_breakdown": [model],
    }  # fmt: skip
    assert bring_in(store, "claude-code", {"data": [record]}) == (1, 0, 0, 0)
    (one,) = open_product("claude-code", [store.home / "export.jsonl"]).read()
    assert (one.event.reported_cost.amount, one.event.reported_cost.currency) == ("1.86", "USD")


def test_a16_a_bucket_that_is_asked_for_again_counts_once(store):
    """LiteLLM #39455: three rows for one operation, since each look made a row of its own.

    A day of a provider's usage is asked for while it grows, 40 then 90 tokens, and again when it is
    over. Ours: one bucket of 90 in force, its earlier version superseded, the third look a duplicate.
    """

    def day(output):
        result = {
            "object": "organization.usage.completions.result", "model": "gpt-4o",
            "num_model_requests": 1, "input_tokens": 0, "output_tokens": output,
        }  # fmt: skip
        bucket = {"start_time": 1_759_622_400, "end_time": 1_759_708_800, "results": [result]}
        return {"data": [bucket]}

    assert bring_in(store, "openai-usage", day(40)) == (1, 0, 0, 0)
    assert bring_in(store, "openai-usage", day(90)) == (1, 0, 0, 0)
    assert bring_in(store, "openai-usage", day(90)) == (0, 1, 0, 0)
    assert bring_in(store, "openai-usage", day(40)) == (0, 1, 0, 0)
