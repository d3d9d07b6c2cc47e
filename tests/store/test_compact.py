"""Compaction changes where events lie and nothing else."""

import pytest

from company import usage
from tallybook.errors import CorruptedError
from tallybook.store import faults
from tallybook.store.compact import compact
from tallybook.store.growth import files_since
from tallybook.store.lake import BILLING
from tallybook.store.seal import combined_digest

ALWAYS = lambda _tx, _period: True  # noqa: E731 - a rule of one word


@pytest.fixture
def crowded(company):
    """Five runs, each after one event more."""
    for number in range(5):
        company.ingest(usage(f"e-{number}"))
        company.run()
    return company


def live(company, version=None):
    return company.store.lake.snapshot("2026-10", version).files


def told(files):
    return combined_digest([file.digest for file in files]), sum(file.rows for file in files)


def test_many_small_files_become_one_with_the_same_events(crowded):
    before = live(crowded)
    assert compact(crowded.store, ALWAYS, 5) == 5
    after = live(crowded)
    assert (len(before), len(after)) == (5, 1)
    assert told(after) == told(before)
    assert crowded.failing() == {}
    assert live(crowded, version=5) == before
    assert compact(crowded.store, ALWAYS, 5) == 0


POINTS = ("compact.written", "compact.listed")


@pytest.mark.parametrize("point", POINTS)
def test_cut_off_at_any_point_it_is_done_again_with_the_same_events(crowded, monkeypatch, point):
    class Cut(BaseException):
        """What no code of ours catches."""

    def cut(reached):
        if reached == point:
            raise Cut

    before = live(crowded)
    with monkeypatch.context() as patch:
        patch.setattr(faults, "reached", cut)
        with pytest.raises(Cut):
            compact(crowded.store, ALWAYS, 5)
    assert told(live(crowded)) == told(before)
    assert crowded.failing() == {}
    compact(crowded.store, ALWAYS, 5)
    assert (len(live(crowded)), told(live(crowded))) == (1, told(before))
    assert crowded.failing() == {}


def test_a_run_after_it_posts_nothing_and_reads_only_what_is_new(crowded):
    compact(crowded.store, ALWAYS, 5)
    assert crowded.run().entries == ()
    crowded.ingest(usage("f"), usage("0b", supersedes="e-0"))
    crowded.run()
    assert crowded.balances()["Charge:a:usage"] == "6.00"
    assert crowded.failing() == {}


def test_it_brings_nothing_new_but_what_came_before_it_is_still_told(crowded):
    crowded.ingest(usage("f"))
    crowded.run()
    assert compact(crowded.store, ALWAYS, 5) == 6
    with crowded.store.read() as tx:
        assert files_since(tx, "2026-10", 6, 7, BILLING) == ()
        (new,) = files_since(tx, "2026-10", 5, 7, BILLING)
    assert new.rows == 1


def test_few_files_and_files_of_other_sizes_are_left(crowded):
    assert compact(crowded.store, ALWAYS, 6) == 0
    crowded.ingest(*(usage(f"m-{n}") for n in range(10)))
    crowded.run()
    assert compact(crowded.store, ALWAYS, 5) == 5
    assert sorted(file.rows for file in live(crowded)) == [5, 10]


def test_what_a_month_was_closed_over_stays(crowded):
    crowded.close()
    assert compact(crowded.store, lambda _tx, period: period != "2026-10", 5) == 0
    assert len(live(crowded)) == 5


def test_a_month_closed_meanwhile_keeps_its_files(crowded):
    answers = iter((True, False))
    assert compact(crowded.store, lambda _tx, _period: next(answers), 5) == 0
    assert len(live(crowded)) == 5


def test_a_damaged_file_is_not_merged(crowded):
    path = crowded.store.lake.path(live(crowded)[2])
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CorruptedError, match="SHA-256"):
        compact(crowded.store, ALWAYS, 5)
    assert len(live(crowded)) == 5


def test_a_run_compacts_a_crowd_by_itself(company, monkeypatch):
    monkeypatch.setattr("tallybook.post.run.MANY", 3)
    for number in range(4):
        company.ingest(usage(f"e-{number}"))
        company.run()
    assert sorted(file.rows for file in live(company)) == [1, 3]
    company.close()
    assert company.failing() == {}
    assert company.rebuilt() == {("2026-10", 1): ""}
