"""Differences between two versions: every line that changed, came or went."""

from company import usage
from tallybook.report.differences import differences


def test_lines_that_change_come_and_go(company):
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.close()
    before = company.statements()
    company.reopen()
    company.ingest(
        usage("3", team=None, feature=None), usage("4", tokens={"output": 0}, supersedes="2")
    )
    company.run()
    made = differences(before, company.statements())
    found = {(x.team, x.label): (x.before_cents, x.after_cents) for x in made}
    assert found["b", "Find, production"] == (100, 0)
    assert found["", "Usage that nobody tagged, answered for by platform"] == (0, 100)
    assert ("a", "Bot, production") not in found
    assert differences(before, before) == ()
