"""The proofs of late usage and of statements made again: what they examine and what they see."""

from company import usage
from tallybook.check.restated import late_is_posted, reproducible
from tampering import forge


def test_they_hold_through_lateness_and_reopening(company):
    company.ingest(usage())
    company.close()
    company.ingest(usage("l"))
    assert late_is_posted(company.store).detail.startswith("0 months with late usage")
    company.run("2026-11")
    found = late_is_posted(company.store)
    assert found.ok
    assert found.detail.startswith("1 months with late usage")
    company.reopen()
    assert late_is_posted(company.store).ok
    company.close()
    assert late_is_posted(company.store).ok
    again = reproducible(company.store)
    assert (again.ok, again.examined) == (True, 2)


def test_adjustments_that_are_not_taken_back_are_seen(company):
    company.ingest(usage())
    company.close()
    company.ingest(usage("l"))
    company.run("2026-11")
    company.reopen()
    company.run()
    company.store.close()
    forge(
        company.home,
        "DELETE FROM posting WHERE seq IN (SELECT seq FROM chain WHERE text LIKE 'Posted into%')",
    )
    assert "is open and" in late_is_posted(company.store).detail
