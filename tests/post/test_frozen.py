"""A shut month as its cutoff froze it."""

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.errors import PeriodError, StoreError
from tallybook.post.frozen import frozen_month, frozen_sheet

OCTOBER = Period(2026, 10)


def test_what_came_since_is_not_in_it(company):
    company.ingest(usage("1"))
    company.soft_close()
    frozen = frozen_month(company.store, OCTOBER)
    company.ingest(usage("2"))
    company.run("2026-11")
    again = frozen_month(company.store, OCTOBER)
    assert (again.sheet, again.basis.versions) == (frozen.sheet, frozen.basis.versions)
    assert sum(line.calls for line in again.sheet.lines) == 1
    assert again.basis.versions.manifest < company.store.lake.snapshot().version


def test_of_an_open_month_the_last_sheet_stands(company):
    with company.store.read() as tx:
        assert frozen_sheet(tx, "2026-10") is None
    company.ingest(usage("1"))
    company.run()
    with company.store.read() as tx:
        sheet = frozen_sheet(tx, "2026-10")
    assert sheet is not None
    assert sheet.number == 1
    with pytest.raises(PeriodError, match="2026-10 is open"):
        frozen_month(company.store, OCTOBER)


def test_a_cutoff_that_was_reopened_does_not_stand(company):
    company.ingest(usage("1"))
    company.soft_close()
    frozen = frozen_month(company.store, OCTOBER)
    company.reopen()
    company.soft_close()
    with company.store.write() as tx, pytest.raises(StoreError, match="meanwhile"):
        frozen.require_standing(tx)
