"""One thread writes; what is done is on the disk, and one bad request spoils no other."""

from __future__ import annotations

import pytest

from otlp import CHAT, reading
from tallybook.api.intake import Full, Intake
from tallybook.api.model import Limits
from tallybook.clock import FixedClock
from tallybook.errors import StoreError
from tallybook.meter.ingest import ingest

BAD = {"gen_ai.usage.output_tokens": -1}


@pytest.fixture
def made(store):
    def make(**limits):
        return Intake(
            store,
            clock=FixedClock(1_790_900_100_000_000),
            new_id=lambda: "subject-1",
            reject_folder=store.home / "rejects",
            limits=Limits(**limits),
        )

    return make


def test_what_is_done_is_claimed(made, claims):
    with made().running() as intake:
        intake.submit(reading(CHAT | {"user.id": "bob"})).result(10)
        assert claims() == 1
    assert not intake.alive


@pytest.mark.both_stores
def test_a_server_that_cut_every_line_is_written_to_again(made, store, stores, claims):
    with made().running() as intake:
        intake.submit(reading(CHAT)).result(30)
        stores.copy(store.home, store.home.parent / "copy")  # whoever is connected is sent away
        intake.submit(reading(CHAT, spanId="2" * 16)).result(30)
        assert claims() == 2


def test_every_batch_has_its_line_in_the_command_log(made, store):
    with made().running() as intake:
        intake.submit(reading(CHAT)).result(10)
    with store.read() as tx:
        rows = tx.rows("SELECT name, args, actor, outcome FROM command")
    assert [tuple(row) for row in rows] == [
        ("ingest", '{"source":"otel"}', "api", "1 accepted, 0 quarantined")
    ]


def test_what_waits_at_the_end_is_still_written(made, claims):
    with made().running() as intake:
        waiting = [intake.submit(reading(CHAT, spanId=f"{n:016x}")) for n in range(1, 9)]
    assert all(one.done() for one in waiting)
    assert claims() == 8


def test_no_more_waits_than_the_limit(made, claims):
    intake = made(waiting_spans=2)
    waiting = [intake.submit(reading(CHAT, spanId=f"{n:016x}")) for n in (1, 2)]
    with pytest.raises(Full):
        intake.submit(reading(CHAT, spanId="3" * 16))
    assert waiting[1].cancel()  # its sender went away
    with intake.running():
        waiting[0].result(10)
    assert claims() == 1


def test_one_bad_request_spoils_no_other(made, monkeypatch, claims):
    real = "tallybook.api.intake.ingest"

    def picky(store, source, **rest):
        if any(one.event.span_id == "2" * 16 for one in source.read()):
            raise StoreError("not this one")
        return ingest(store, source, **rest)

    monkeypatch.setattr(real, picky)
    intake = made()
    waiting = [intake.submit(reading(CHAT, spanId=str(n) * 16)) for n in (1, 2, 3)]
    with intake.running():
        pass
    assert [type(one.exception()) for one in waiting] == [type(None), StoreError, type(None)]
    assert claims() == 2


def test_what_was_refused_is_kept_up_to_a_limit(made, monkeypatch, store):
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 1)
    with made().running() as intake:
        dropped = [intake.submit(reading(CHAT | BAD)).result(10) for _ in range(3)]
    (kept,) = (store.home / "rejects").iterdir()
    assert (dropped, len(kept.read_text().splitlines())) == ([0, 1, 1], 1)
