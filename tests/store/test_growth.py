"""What came since a version of the manifest."""

import pytest

from company import org, usage
from tallybook.store.growth import files_since
from tallybook.store.lake import BILLING

pytestmark = pytest.mark.both_stores


def since(company, version, period="2026-10", upto=None):
    lake = company.store.lake
    with company.store.read() as tx:
        found = files_since(tx, period, version, upto or lake.snapshot_in(tx).version, BILLING)
    return None if found is None else [file.rows for file in found]


def test_only_what_came_after_a_version_is_told(company):
    company.ingest(usage("1"))
    company.run()
    company.ingest(usage("2"), usage("3"), usage("n", started_at="2026-11-02T00:00:00Z"))
    company.run()
    company.ingest(usage("4"))
    company.run()
    assert since(company, 0) == [1, 2, 1]
    assert since(company, 1) == [2, 1]
    assert since(company, 1, upto=2) == [2]
    assert since(company, 1, "") == [2, 1, 1]
    assert since(company, 3) == []


def test_when_events_left_a_period_nothing_stands(company):
    company.ingest(usage("1", started_at="2026-10-31T20:00:00Z"), usage("2"))
    company.run()
    company.apply(org=org("Asia/Kolkata"))
    company.run()
    assert since(company, 1) is None
    assert since(company, 1, "2026-11") == [1]
    assert since(company, 1, "") == []
