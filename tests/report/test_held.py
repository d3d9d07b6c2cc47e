"""What stands in a month: about itself, about others; what an earlier close rounded is left out."""

from company import usage
from tallybook.post.sheet import latest_sheet
from tallybook.report.held import held_in


def test_postings_are_parted_by_what_they_are_about(company):
    company.ingest(usage("1", tokens={"output": 333}))
    company.close()
    company.ingest(usage("l"), usage("n", started_at="2026-11-02T00:00:00Z"))
    company.run("2026-11")
    with company.store.read() as tx:
        own, adjustments = held_in(tx, latest_sheet(tx, "2026-11"))
        october, none = held_in(tx, latest_sheet(tx, "2026-10"))
    assert {key.service_period for key in own} == {"2026-11"}
    assert [(x.period, x.version) for x in adjustments] == [("2026-10", 1)]
    assert {key.service_period for key in adjustments[0].held} == {"2026-10"}
    assert none == []
    assert "rounding" not in {key.source for key in october}
    assert sum(own.values()) == sum(october.values()) == 0
