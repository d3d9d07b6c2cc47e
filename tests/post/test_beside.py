"""What stands beside a month's runs: neither from events, nor from a close."""

from company import usage
from tallybook.ledger.balance import booked_into
from tallybook.post.beside import beside, is_of_close
from tallybook.post.run import is_from_events

NO_END = 1 << 62


def test_adjusting_entries_are_beside_and_nothing_else_of_a_closed_month(company):
    company.ingest(usage("1", tokens={"output": 333}))
    company.run()
    company.adjusted("Charge:a:bot=-0.25", "Variance:goodwill=0.25")
    company.close()
    with company.store.read() as tx:
        found = beside(tx, "2026-10", NO_END)
        every = booked_into(tx, "2026-10")
    assert {key.source for key in found} == {"adjust:J-0001"}
    assert sorted(found.values()) == [-250_000_000, 250_000_000]
    kinds = {(is_from_events(key), is_of_close(key), key in found) for key in every}
    assert kinds == {(True, False, False), (False, True, False), (False, False, True)}


def test_what_posted_after_a_link_is_not_in_it(company):
    company.ingest(usage())
    company.run()
    company.adjusted("Charge:a:bot=-0.25", "Variance:goodwill=0.25")
    entry = company.journal()[-1]
    with company.store.read() as tx:
        assert beside(tx, "2026-10", entry.seq) == {}
        assert len(beside(tx, "2026-10", entry.seq + 1)) == 2
