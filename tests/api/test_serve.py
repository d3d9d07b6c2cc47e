"""The server as a process: kill -9 loses nothing that was acknowledged, a full disk is told."""

from __future__ import annotations

import gzip
import http.client
from threading import Thread

import pytest

from otlp import as_json, as_protobuf, request, span
from serving import serving
from tallybook.api.serve import listen
from tallybook.errors import StoreError
from tallybook.store import Store

JSON = {"content-type": "application/json"}
PACKED = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
SMALL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
"""


@pytest.fixture
def home(tmp_path):
    Store.create(tmp_path / "books").close()
    return tmp_path / "books"


def claimed(home):
    """The ids that are claimed; opening the books is what a start after a crash does."""
    store = Store.open(home)
    with store.read() as tx:
        count = tx.scalar("SELECT COUNT(*) FROM claim")
        rows = tx.scalar("SELECT COALESCE(SUM(rows), 0) FROM inbox")
        assert tx.integrity() == []
    store.close()
    assert count == rows
    return count


def test_kill_right_after_the_answer_loses_nothing(home):
    with serving(home) as server:
        for number in range(1, 4):
            body = gzip.compress(as_protobuf(request(span(f"{number:016x}"))))
            assert server.post(body, PACKED)[0] == 200
        server.kill()
    assert claimed(home) == 3


def test_kill_at_any_moment_loses_nothing_that_was_acknowledged(home):
    """Four senders send, the server dies amid them; sent again, each span is there once."""
    acknowledged, sent = [], []

    def send(first):
        for number in range(first, first + 400):
            body = as_json(request(span(f"{number:016x}")))
            sent.append(body)
            try:
                if server.post(body, JSON)[0] == 200:
                    acknowledged.append(number)
            except (OSError, http.client.HTTPException):
                return

    with serving(home) as server:
        senders = [Thread(target=send, args=(n * 1000 + 1,)) for n in range(4)]
        for one in senders:
            one.start()
        while len(acknowledged) < 25:
            assert any(one.is_alive() for one in senders)
        server.kill()
        for one in senders:
            one.join()
    assert len(acknowledged) <= claimed(home) <= len(sent)
    with serving(home) as server:
        assert all(server.post(body, JSON)[0] == 200 for body in sent)
    assert claimed(home) == len(sent)


def test_a_full_disk_is_told_and_loses_nothing(home):
    with serving(home, before=SMALL_DISK) as server:
        statuses = []
        for number in range(1, 200):
            spans = (span(f"{number * 1000 + n:016x}") for n in range(100))
            status, headers, body = server.post(as_json(request(*spans)), JSON)
            statuses.append(status)
            if status != 200:
                break
    assert (status, headers["retry-after"]) == (503, "30")
    assert b"could not write" in body
    assert claimed(home) == 100 * statuses.count(200)


def test_an_address_that_is_taken_is_named():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(StoreError, match=f"cannot listen on 127.0.0.1 port {port}"):
            listen("127.0.0.1", port)
