"""Sealed events, snapshots of the manifest, the engine on them."""

from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from company import org, usage
from tallybook.errors import CorruptedError, StoreError
from tallybook.meter.resolve.seal import seal_usage
from tallybook.post.basis import latest_books
from tallybook.store.refile import refile
from tallybook.store.seal import content_digest, write_file
from tallybook.store.session import Session
from tallybook.store.sqltext import sql_text


@pytest.fixture
def sealed(company):
    company.ingest(usage("1"), usage("2", started_at="2026-11-01T02:00:00Z"))
    company.run()
    return company


def test_snapshots_are_of_a_manifest_version(sealed):
    lake = sealed.store.lake
    assert [f.period for f in lake.snapshot().files] == ["2026-10", "2026-11"]
    assert lake.snapshot("2026-10").rows == 1
    sealed.ingest(usage("3"))
    sealed.run()
    assert lake.snapshot("2026-10").rows == 2
    assert lake.snapshot("2026-10", version=1).rows == 1
    assert lake.snapshot(version=0).files == ()


def test_a_session_reads_exactly_the_snapshot(sealed):
    lake = sealed.store.lake
    with lake.session(lake.snapshot("2026-10")) as session:
        assert session.rows("SELECT event_id FROM events") == [("1",)]
    with lake.session(lake.snapshot("2026-12")) as session:
        assert session.rows("SELECT COUNT(*) FROM events") == [(0,)]


def test_it_names_the_files_that_hold_a_row_of_some_traces(company):
    lake = company.store.lake
    for n in (1, 2, 3):
        company.ingest(usage(f"{n}", trace_id=f"t-{n}", span_id="s"), name=f"f{n}")
        company.run()
    every = lake.snapshot("2026-10")
    for wanted in ((), ("t-2",), ("t-3", "t-1"), ("unknown",)):
        found = lake.holding(every, wanted)
        with lake.session(found) as session:
            traces = {trace for (trace,) in session.rows("SELECT trace_id FROM events")}
        assert traces == {*wanted} - {"unknown"}


def test_another_engine_is_handed_the_same_files(sealed):
    class Other:
        @contextmanager
        def open(self, home, views):
            yield (home, views)

    lake = sealed.store.lake
    with lake.session(lake.snapshot()) as session:
        assert isinstance(session, Session)
    lake.use(Other())
    october = lake.snapshot("2026-10")
    with lake.session(october, lake.snapshot("2026-12")) as (home, views):
        assert home == sealed.home
        assert views == {"events": [lake.path(october.files[0])], "corrections": []}
    with lake.session(october) as (_, views):
        assert list(views) == ["events"]


def test_tables_of_ours_keep_text_numbers_and_none(sealed):
    lake = sealed.store.lake
    rows = [("a'b", 2**62, None), ("", -1, True)]
    with lake.session(lake.snapshot()) as session:
        session.table("ours", {"name": "text", "n": "whole", "yes": "truth"}, rows)
        assert session.rows("SELECT * FROM ours ORDER BY n DESC") == rows
        session.table("none", {"n": "whole"}, [])
        assert session.rows("SELECT COUNT(*) FROM none") == [(0,)]


def test_an_overflow_is_an_error_never_another_number(sealed):
    lake = sealed.store.lake
    with (
        lake.session(lake.snapshot()) as session,
        pytest.raises(StoreError, match="does not fit its type"),
    ):
        session.rows("SELECT CAST(9223372036854775807 AS BIGINT) + CAST(1 AS BIGINT)")


def test_what_cannot_be_read_is_named_corrupted(sealed):
    lake = sealed.store.lake
    snapshot = lake.snapshot("2026-10")
    path = lake.path(snapshot.files[0])
    path.write_bytes(b"PAR1" + b"x" * 100)
    with pytest.raises(CorruptedError, match="is not what was written"):
        lake.verify(snapshot)
    with pytest.raises(CorruptedError, match="cannot be read"), lake.session(snapshot):
        pass
    with pytest.raises(CorruptedError):
        lake.identities(snapshot.files[0])


def test_identities_give_the_digest(sealed):
    (file,) = sealed.store.lake.snapshot("2026-10").files
    assert f"{content_digest(*sealed.store.lake.identities(file)):032x}" == file.digest


@pytest.fixture
def moved_zone(sealed):
    """The company's calendar after its zone changed: an event of November is one of October."""
    sealed.apply(org=org("America/New_York"))
    with sealed.store.read() as tx:
        return latest_books(tx)[0].calendar


def meanwhile(monkeypatch, act):
    """Have another command act while files are written, once."""
    acts = [act]

    def written(*args):
        file = write_file(*args)
        if acts:
            acts.pop()()
        return file

    monkeypatch.setattr("tallybook.store.refile.write_file", written)


def test_what_another_command_seals_meanwhile_does_not_hinder_refiling(
    sealed, moved_zone, monkeypatch
):
    def seal():
        sealed.ingest(usage("3"))
        seal_usage(sealed.store, moved_zone)

    meanwhile(monkeypatch, seal)
    assert refile(sealed.store, moved_zone) == 1
    files = sealed.store.lake.snapshot().files
    assert [(file.period, file.rows) for file in files] == [("2026-10", 1)] * 3
    sealed.store.lake.verify(sealed.store.lake.snapshot())


def test_what_another_command_refiles_meanwhile_is_filed_once(sealed, moved_zone, monkeypatch):
    meanwhile(monkeypatch, lambda: refile(sealed.store, moved_zone))
    assert refile(sealed.store, moved_zone) == 0
    assert [file.period for file in sealed.store.lake.snapshot().files] == ["2026-10"] * 2


def test_refiling_moves_events_and_keeps_old_snapshots_readable(sealed, moved_zone):
    lake = sealed.store.lake
    before = lake.snapshot()
    assert refile(sealed.store, moved_zone) == 1
    assert refile(sealed.store, moved_zone) == 0
    assert [f.period for f in lake.snapshot().files] == ["2026-10", "2026-10"]
    assert lake.snapshot(version=before.version) == before
    lake.verify(lake.snapshot())
    lake.verify(before)


def test_refiling_on_a_full_disk_keeps_the_old_files(sealed, moved_zone, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    before = sealed.store.lake.snapshot()
    monkeypatch.setattr(pq, "ParquetWriter", full)
    with pytest.raises(StoreError, match="another zone: No space left on device"):
        refile(sealed.store, moved_zone)
    assert sealed.store.lake.snapshot() == before


def test_sql_lies_beside_the_verb_that_runs_it():
    assert "SELECT" in sql_text("tallybook.ledger", "head")
    with pytest.raises(FileNotFoundError):
        sql_text("tallybook.ledger", "nonsense")
