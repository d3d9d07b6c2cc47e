"""What arrived after the close waits on a list of its own."""

from company import usage
from tallybook.close.late import late_events


def late(company):
    with company.store.read() as tx:
        return [(x.period, x.events, x.closed_us) for x in late_events(tx)]


def test_late_events_are_listed_once_sealed(company):
    company.ingest(usage())
    company.close()
    assert late(company) == []
    company.ingest(usage("l-1"), usage("l-2"))
    company.run("2026-11")
    assert late(company) == [("2026-10", 2, company.clock.now_us())]


def test_events_of_open_months_are_not_late(company):
    company.ingest(usage(), usage("n", started_at="2026-11-01T00:00:00Z"))
    company.close()
    assert late(company) == []
