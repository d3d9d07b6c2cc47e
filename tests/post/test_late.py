"""Late usage: where it lands, what is stale, and how its ranges are spelled."""

import pytest

from company import usage
from tallybook.post.late import Ranges, closed_periods, landing_period, stale_periods


@pytest.mark.parametrize("text", ["", "2026-08:1-3", "2026-08:1-3,4-5;2026-09:2-3"])
def test_ranges_read_back_as_written(text):
    assert str(Ranges.parse(text)) == text


def test_spans_that_meet_become_one():
    ranges = Ranges({}).plus("2026-08", 1, 2).plus("2026-08", 2, 4).plus("2026-08", 5, 6)
    assert str(ranges) == "2026-08:1-4,5-6"


def state(company):
    with company.store.read() as tx:
        return closed_periods(tx), landing_period(tx), stale_periods(company.store, tx)


def test_late_usage_lands_after_the_last_closed_month(company):
    assert state(company) == ([], "", [])
    company.ingest(usage(), usage("s", started_at="2026-08-03T00:00:00Z"))
    company.close("2026-08")
    company.close("2026-10")
    assert state(company) == (["2026-08", "2026-10"], "2026-11", [])
    company.ingest(usage("l"))
    company.run("2026-12")
    assert state(company) == (["2026-08", "2026-10"], "2026-11", ["2026-10"])
    company.run("2026-11")
    assert state(company)[2] == []


def test_a_correction_of_another_month_makes_stale_only_what_it_supersedes(company):
    company.ingest(usage("1"), usage("s", started_at="2026-09-03T00:00:00Z"))
    company.close("2026-09")
    company.close("2026-10")
    november = {"started_at": "2026-11-03T00:00:00Z"}
    company.ingest(usage("n", **november), usage("x", supersedes="n", **november))
    company.run("2026-12")
    assert state(company)[2] == []
    company.ingest(usage("y", supersedes="s", **november))
    company.run("2026-12")
    assert state(company)[2] == ["2026-09"]


@pytest.fixture
def orphan(company):
    """October is closed with a call whose parent nobody told of: the unowned team's."""
    company.ingest(
        usage(
            "c",
            team=None,
            feature=None,
            purpose=None,
            trace_id="t",
            span_id="s",
            parent_span_id="p",
        ),
        usage("d", trace_id="u", span_id="s"),
    )
    company.run()
    company.close()
    return company


def test_a_span_of_the_next_month_may_say_who_caused_a_closed_call(orphan):
    assert orphan.balances("2026-10")["Charge:a:usage"] == "1.00"
    november = {"started_at": "2026-11-01T00:00:01Z", "span_id": "p"}
    orphan.ingest(usage("root", trace_id="t", **november))
    orphan.run("2026-12")
    assert state(orphan)[2] == ["2026-10"]
    orphan.run("2026-11")
    assert state(orphan)[2] == []
    moved = [
        (posting.account, posting.amount_nano)
        for entry in orphan.journal("2026-11")
        for posting in entry.postings
        if posting.service_period == "2026-10" and posting.account == "Charge:a:usage"
    ]
    assert moved == [("Charge:a:usage", 10**9)]
    assert orphan.failing() == {}
    assert set(orphan.rebuilt().values()) == {""}


def test_a_late_correction_that_states_no_trace_is_charged_as_what_it_corrects(company):
    nobody = {"team": None, "feature": None, "purpose": None}
    company.ingest(
        usage("root", trace_id="t", span_id="1"),
        usage("x", **nobody, trace_id="t", span_id="2", parent_span_id="1"),
    )
    company.run()
    company.close()
    company.ingest(
        usage(
            "fixed", **nobody, supersedes="x", tokens={"input_uncached": 100_000, "output": 20_000}
        )
    )
    company.run("2026-11")
    moved = [
        (posting.account, posting.team, posting.amount_nano)
        for entry in company.journal("2026-11")
        for posting in entry.postings
        if posting.service_period == "2026-10" and posting.account.endswith(":usage")
    ]
    assert moved == [("Charge:a:usage", "a", 10**9)]
    assert company.failing() == {}
    assert set(company.rebuilt().values()) == {""}


def test_a_span_of_another_trace_makes_nothing_stale(orphan):
    november = {"started_at": "2026-11-01T00:00:01Z", "span_id": "p", "parent_span_id": "q"}
    orphan.ingest(usage("other", trace_id="v", **november))
    orphan.run("2026-12")
    assert state(orphan)[2] == []


def test_what_a_landing_run_looked_at_is_not_looked_at_again(orphan, monkeypatch):
    november = {"started_at": "2026-11-01T00:00:01Z", "span_id": "p", "parent_span_id": "q"}
    orphan.ingest(usage("other", trace_id="v", **november))
    orphan.run("2026-11")
    opened = []
    session = orphan.store.lake.session
    monkeypatch.setattr(
        orphan.store.lake,
        "session",
        lambda *given, **named: opened.append(given) or session(*given, **named),
    )
    assert state(orphan)[2] == []
    assert opened == []


def test_entries_name_the_sheets_that_they_lie_between(company):
    company.ingest(usage())
    company.close()
    company.ingest(usage("l-1"))
    company.run("2026-11")
    company.ingest(usage("l-2"))
    company.run("2026-11")
    company.clock.advance(40 * 86_400 * 1_000_000)
    company.close("2026-11")
    with company.store.read() as tx:
        text = tx.scalar("SELECT versions FROM chain WHERE reason = 'close' ORDER BY seq DESC")
    assert '"late":"2026-10:1-3"' in text
