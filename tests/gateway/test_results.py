"""Batches: billed by their lines, to whoever began them, however often anybody looks."""

from __future__ import annotations

import json

from gateway.provider import answer
from gateway.test_journal import attempt
from sdk.bodies import chat, message
from tallybook.gateway.pending import Pending

LINES = b"".join(
    json.dumps(
        {
            "id": f"batch_req_{n}",
            "custom_id": f"c{n}",
            "response": {"status_code": 200, "request_id": f"r{n}", "body": chat(f"chatcmpl-b{n}")},
            "error": None,
        }
    ).encode()
    + b"\n"
    for n in range(3)
)


def begun(gateway, provider):
    provider.add(
        "/v1/batches", answer(b'{"id": "batch_1", "object": "batch", "status": "validating"}')
    )
    done = {"id": "batch_1", "object": "batch", "status": "completed", "output_file_id": "file-9"}
    provider.add("/v1/batches/batch_1", answer(json.dumps(done).encode()))
    provider.add(
        "/v1/files/file-9/content", answer([LINES[:700], LINES[700:]], "application/jsonl")
    )
    asked = {"input_file_id": "file-1", "endpoint": "/v1/chat/completions"}
    assert gateway.ask("/v1/batches", asked, x_tallybook_customer="c-1")[0] == 200


def test_a_batch_is_billed_by_its_lines_to_whoever_began_it_however_often_it_is_fetched(
    gateway, provider
):
    begun(gateway, provider)
    assert gateway.events() == []
    other = gateway.issue("other", teams=("growth",), features=(), purposes=())
    for _ in range(3):
        gateway.ask("/v1/batches/batch_1", method="GET", secret=other)
        assert gateway.ask("/v1/files/file-9/content", method="GET", secret=other)[2] == LINES
    found = gateway.settled(9)
    assert len({json.dumps(one, sort_keys=True) for one in found}) == 3  # the same to the byte
    for one in found:
        assert (one["team"], one["customer"], one["tier"]) == ("support", "c-1", "batch")
        assert one["tokens"] == {"input_uncached": 40, "cache_read": 60, "output": 20}
        assert one["model"] == "gpt-4o-mini-2024-07-18"


def test_a_file_that_is_no_result_of_ours_bills_nobody(gateway, provider):
    provider.add("/v1/files/file-7/content", answer(LINES, "application/jsonl"))
    gateway.ask("/v1/files/file-7/content", method="GET")
    assert gateway.events() == []


def test_batches_of_anthropic_have_their_results_under_their_own_name(gateway, provider):
    provider.add("/v1/messages/batches", answer(b'{"id": "msgbatch_1", "type": "message_batch"}'))
    line = {"custom_id": "c0", "result": {"type": "succeeded", "message": message()}}
    errored = {"custom_id": "c1", "result": {"type": "errored", "error": {"type": "error"}}}
    body = b"\n".join(json.dumps(one).encode() for one in (line, errored))
    provider.add("/v1/messages/batches/msgbatch_1/results", answer(body, "application/x-jsonl"))
    gateway.ask("/anthropic/v1/messages/batches", {"requests": []})
    gateway.ask("/anthropic/v1/messages/batches/msgbatch_1/results", method="GET")
    ok, failed = gateway.settled(2)
    assert (ok["tokens"]["output"], ok["tier"], ok["provider"]) == (33, "batch", "anthropic")
    assert failed["status"] == "error"


def test_a_key_bound_to_models_begins_no_batch(gateway, provider):
    bound = gateway.issue("bound", models=("gpt-4o*",))
    status, headers, _ = gateway.ask("/v1/batches", {}, secret=bound)
    assert (status, headers["x-tallybook-error"]) == (403, "batch_not_allowed")


def test_of_several_that_ask_one_takes_it(tmp_path):
    pending = Pending(tmp_path / "pending")
    pending.keep("openai", "response r1", attempt())
    assert pending.find("openai", "response r1") == attempt()
    assert pending.find("other", "response r1") is None
    assert pending.take("openai", "response r1") == attempt()
    assert pending.take("openai", "response r1") is None
    assert list((tmp_path / "pending").iterdir()) == []
