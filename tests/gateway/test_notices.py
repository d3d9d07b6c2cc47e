"""Notices: written at once, counted together when they are shipped, kept once."""

from __future__ import annotations

from contextlib import closing

import pytest

from gateway.provider import answer
from gateway.running import Running
from serving import serving
from tallybook.budget.model import Limit, Notice
from tallybook.clock import FixedClock, Period
from tallybook.errors import StoreError
from tallybook.gateway.counters import Counters
from tallybook.gateway.notices import Notices, folded, ship_notices
from tallybook.gateway.notices import notices_of as notices_folder
from tallybook.gateway.ship import once
from tallybook.sdk.asked import Asked
from tallybook.sdk.counters import Health
from tallybook.sdk.record import Attempt
from tallybook.sdk.spool import waiting
from tallybook.store import Store
from tallybook.store.notices import notices_of

OCTOBER = Period.parse("2026-10")
CLOCK = FixedClock(7)
LIMIT = Limit(scope="feature", subject="bot", period=OCTOBER, limit_nano=100, over="stop")


def note(notices, feature="bot", act="stop", estimate=7):
    attempt = Attempt(
        event_id="e",
        operation_id="o",
        attempt=1,
        started_us=5,
        asked=Asked("openai", "/v1", "chat", "gpt", False, False, False),
        tags={"team": "t", "feature": feature, "customer": "somebody"},
        key_id="vk",
        trace={},
    )
    notices.note(
        at_us=5, limit=LIMIT, act=act, attempt=attempt, estimate_nano=estimate, spent_nano=90,
        reason="r", instead="", model="gpt",
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "notices"


def rows(home):
    with closing(Store.open(home)) as store, store.read() as tx:
        return notices_of(tx, OCTOBER)


def logged(store):
    with store.read() as tx:
        rows = tx.rows("SELECT name, actor, outcome FROM command ORDER BY seq")
    return [tuple(row) for row in rows]


def test_alike_notices_become_one_row_that_counts_its_calls(tmp_path, folder):
    notices = Notices(folder, Health())
    for _ in range(5):
        note(notices)
    note(notices, feature="other")
    notices.close()
    with closing(Store.create(tmp_path / "home")) as store:
        assert ship_notices(folder, store, CLOCK) == 2
        assert ship_notices(folder, store, CLOCK) == 0
        assert logged(store) == [("ship", "gateway", "2 notices")]
    first, other = rows(tmp_path / "home")
    assert (first.feature, first.calls, first.estimate_nano, first.spent_nano) == ("bot", 5, 35, 90)
    assert (other.feature, other.calls, other.key_id, other.team) == ("other", 1, "vk", "t")
    assert not list(folder.glob("*.jsonl"))


def test_a_notice_beyond_what_a_column_holds_stops_no_other(tmp_path, folder):
    notices = Notices(folder, Health())
    for _ in range(3):
        note(notices, estimate=2**63 - 1)
    note(notices, feature="other")
    notices.close()
    with closing(Store.create(tmp_path / "home")) as store:
        assert ship_notices(folder, store, CLOCK) == 2
    first, other = rows(tmp_path / "home")
    assert (first.calls, first.estimate_nano, other.estimate_nano) == (3, 2**63 - 1, 7)


def test_half_a_line_of_a_process_that_was_cut_off_stops_no_other(tmp_path, folder):
    notices = Notices(folder, Health())
    note(notices)
    notices.close()
    (segment,) = folder.glob("*.jsonl")
    segment.write_bytes(segment.read_bytes() + b'{"notice_id":"x","at_us":5,"per')
    with closing(Store.create(tmp_path / "home")) as store:
        assert ship_notices(folder, store, CLOCK) == 1
    assert [row.calls for row in rows(tmp_path / "home")] == [1]
    assert not list(folder.glob("*.jsonl"))


def test_a_segment_that_is_shipped_twice_counts_once(tmp_path, folder):
    notices = Notices(folder, Health())
    note(notices)
    notices.close()
    (segment,) = folder.glob("*.jsonl")
    kept = segment.read_bytes()
    with closing(Store.create(tmp_path / "home")) as store:
        ship_notices(folder, store, CLOCK)
        segment.write_bytes(kept)  # killed between the store and the file
        assert ship_notices(folder, store, CLOCK) == 0
    assert [row.calls for row in rows(tmp_path / "home")] == [1]
    assert b"somebody" not in kept


def test_a_store_that_cannot_be_written_leaves_the_notices(tmp_path, folder):
    notices = Notices(folder, Health())
    note(notices)
    notices.close()
    with closing(Store.create(tmp_path / "home")) as store:
        with store.write() as tx:
            tx.run("DROP TABLE budget_notice")
        with pytest.raises(StoreError):
            ship_notices(folder, store, CLOCK)
    assert list(folder.glob("*.jsonl"))


def test_warnings_of_several_tellers_are_one():
    told = [
        Notice(notice_id="w#1", at_us=n, period="2026-10", budget="team:a", act="warn", calls=0)
        for n in (1, 2)
    ]
    (one,) = folded(told, "segment")
    assert (one.notice_id, one.calls) == ("w#1", 0)


@pytest.fixture
def sent(tmp_path, provider):
    """A gateway that ships to an address, with one notice that waits."""

    def ship(address):
        config = Running(tmp_path / "gateway", provider, ship_to=address).config
        notices = Notices(notices_folder(config.spool), Health())
        note(notices)
        note(notices)
        notices.close()
        return config, once(config, Counters(1).row(0), Health())

    return ship


def test_notices_go_to_the_server_that_events_go_to(tmp_path, sent, monkeypatch):
    monkeypatch.setenv("TALLYBOOK_TOKEN", "t0k3n")
    Store.create(tmp_path / "home").close()
    (tmp_path / "tokens").write_text("t0k3n ingest\n")
    with serving(tmp_path / "home", "--token-file", str(tmp_path / "tokens")) as server:
        config, done = sent(server.url)
    assert done
    (row,) = rows(tmp_path / "home")
    assert (row.act, row.calls, row.estimate_nano) == ("stop", 2, 14)
    assert not waiting(notices_folder(config.spool))


@pytest.mark.parametrize(("code", "waits"), [(404, True), (503, True), (422, False)])
def test_what_a_server_does_not_take_waits_and_holds_no_event_up(provider, sent, code, waits):
    provider.add("/v1/notices", answer(b"{}", status=f"{code} No"))
    config, done = sent(provider.url)
    assert done
    folder = notices_folder(config.spool)
    assert bool(waiting(folder)) is waits
    assert len(list(folder.glob("*.refused"))) == (not waits)
