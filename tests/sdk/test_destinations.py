"""Where events go: a server, books, Parquet files, a table; each knows an event that comes again."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager

import httpx2
import pyarrow.parquet as pq
import pytest
import uvicorn

from tallybook.api.app import make_app
from tallybook.api.guard import Guard, tokens_of
from tallybook.api.serve import listen
from tallybook.clock import SystemClock
from tallybook.errors import DeliveryError, WrongUsageError
from tallybook.sdk.counters import Health
from tallybook.sdk.destinations import ENDPOINT, Server, destination
from tallybook.sdk.shipping import Delivery, RefusedError, ship
from tallybook.store import Store


def event(number):
    return {
        "event_id": f"e{number}",
        "source": "sdk",
        "started_at": "2026-10-03T10:00:00Z",
        "provider": "openai",
        "model": "gpt-4o",
        "tokens": {"output": 1, "cache_read": None},
        "labels": {"squad": "a"},
    }


@pytest.fixture
def segment(tmp_path):
    path = tmp_path / "1-1-a.jsonl"
    path.write_text("".join(json.dumps(event(number)) + "\n" for number in range(3)))
    return path


@contextmanager
def serving(store, **settings):
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(store, clock=SystemClock(), **settings), log_level="error", lifespan="on"
        )
    )
    listening = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def test_a_server_takes_events_once(company, segment):
    with serving(company.store, guard=Guard(tokens_of("t"))) as address:
        there = destination(address + "/", "t")
        assert there.deliver(segment) == Delivery(accepted=3)
        assert there.deliver(segment) == Delivery(duplicate=3)
        there.close()
        wrong = destination(address)
        with pytest.raises(DeliveryError, match="401"):
            wrong.deliver(segment)
        wrong.close()
    gone = destination(address, "t")
    with pytest.raises(DeliveryError, match="cannot be reached"):
        gone.deliver(segment)
    gone.close()


def answering(handler):
    there = Server("https://books.test", "t")
    there.close()
    there._client = httpx2.Client(transport=httpx2.MockTransport(handler))
    return there


def test_what_is_too_large_goes_in_halves(segment):
    sizes = []

    def answer(request):
        lines = request.content.count(b"\n")
        sizes.append(lines)
        assert request.url.path == ENDPOINT
        return httpx2.Response(413 if lines > 1 else 200, json={"accepted": lines})

    there = answering(answer)
    assert there.deliver(segment) == Delivery(accepted=3)
    assert sizes == [3, 1, 2, 1, 1]
    there.close()


@pytest.mark.parametrize("code", [400, 415, 422])
def test_what_a_server_will_never_take_is_refused(segment, code):
    there = answering(lambda _: httpx2.Response(code))
    with pytest.raises(RefusedError, match=str(code)):
        there.deliver(segment)
    there.close()


def test_what_a_server_cannot_read_nor_keep_stays_with_its_sender(segment):
    counts = {"accepted": 2, "rejected": 1, "dropped": 1}
    there = answering(lambda _: httpx2.Response(200, json=counts))
    with pytest.raises(RefusedError, match="cannot read 1 of them, nor keep them"):
        there.deliver(segment)
    there.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(503),
        httpx2.Response(404),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, json={"accepted": "many"}),
    ],
)
def test_any_other_answer_is_tried_again(segment, answer):
    there = answering(lambda _: answer)
    with pytest.raises(DeliveryError):
        there.deliver(segment)
    there.close()


def test_large_segments_go_in_batches(tmp_path):
    path = tmp_path / "1-1-b.jsonl"
    line = json.dumps(event(1) | {"model": "m" * 300_000}) + "\n"
    path.write_text(line * 7)
    counts = []

    def answer(request):
        counts.append(request.content.count(b"\n"))
        return httpx2.Response(200, json={"accepted": counts[-1]})

    there = answering(answer)
    assert there.deliver(path).accepted == 7
    assert counts == [3, 3, 1]
    there.close()


@pytest.mark.both_stores
def test_books_on_this_machine_take_events_once(found_company, segment):
    company = found_company()
    there = destination(f"books:{company.home}")
    assert there.deliver(segment) == Delivery(accepted=3)
    assert there.deliver(segment) == Delivery(duplicate=3)
    there.close()


def test_a_segment_stays_whose_rejected_the_books_have_no_room_for(
    found_company, segment, monkeypatch
):
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 100)
    company = found_company()
    there = destination(f"books:{company.home}")
    segment.write_text("{oops\n" + segment.read_text())
    assert there.deliver(segment) == Delivery(accepted=3, rejected=1)
    with pytest.raises(RefusedError, match=r"1 of its events cannot be read, and .* no room"):
        there.deliver(segment)
    (kept,) = (company.home / "rejects").iterdir()
    assert kept.read_text().count("\n") == 1
    there.close()


def test_a_parquet_file_is_of_its_segment_and_written_again_as_it_was(tmp_path, segment):
    there = destination(f"parquet:{tmp_path}/lake/usage/")
    for _ in range(2):
        assert there.deliver(segment) == Delivery(accepted=3)
    there.close()
    (path,) = (tmp_path / "lake" / "usage").iterdir()
    assert path.name == "1-1-a.parquet"
    rows = pq.read_table(path).to_pylist()
    assert [row["event_id"] for row in rows] == ["e0", "e1", "e2"]
    assert json.loads(rows[0]["tokens"]) == {"output": 1, "cache_read": None}


@pytest.mark.parametrize("name", ["", "calls"])
def test_a_table_holds_an_event_once(tmp_path, segment, name):
    url = f"table:sqlite:///{tmp_path}/warehouse.db" + (f"#{name}" if name else "")
    there = destination(url)
    assert there.deliver(segment) == Delivery(accepted=3)
    assert there.deliver(segment) == Delivery(duplicate=3)
    there.close()
    with sqlite3.connect(tmp_path / "warehouse.db") as database:
        (count,) = database.execute(f"SELECT COUNT(*) FROM {name or 'tallybook_usage'}").fetchone()
    database.close()
    assert count == 3


@pytest.mark.parametrize("told", ["", "books:", "ftp://x", "parquet:", "table:"])
def test_other_places_are_refused_with_those_there_are(told):
    with pytest.raises(WrongUsageError) as refused:
        destination(told)
    assert "books:folder" in refused.value.next_step


def test_an_empty_segment_makes_no_file(tmp_path):
    path = tmp_path / "1-1-c.jsonl"
    path.write_text("")
    assert destination(f"parquet:{tmp_path}/lake").deliver(path) == Delivery()
    assert not (tmp_path / "lake").exists()


def test_a_spool_is_shipped_into_books(found_company, metered):
    company = found_company()
    with metered.client(lambda _: httpx2.Response(200, json={"id": "r", "usage": {}})) as http:
        http.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o"})
    metered.hook.flush()
    there = destination(f"books:{company.home}")
    assert ship(metered.folder, there, health=Health()) == Delivery(accepted=1)
    there.close()
    with Store.open(company.home).read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM claim") == 1
