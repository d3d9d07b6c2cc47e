"""From the id of a line to the line as it was issued."""

import pytest

from company import usage
from tallybook.errors import LedgerError
from tallybook.report.disputed import disputed_line


def found(company, line):
    with company.store.read() as tx:
        return disputed_line(tx, line)


def test_the_newest_issued_version_is_meant(company):
    company.ingest(usage())
    company.close()
    line = company.statements().statement("a").lines[0]
    told = found(company, line.id)
    assert (told.period, told.version, told.team) == ("2026-10", 1, "a")
    assert (told.amount_cents, told.until) == (line.amount_cents, "")
    company.reopen()
    company.ingest(usage("2"))
    company.close()
    assert found(company, line.id).version == 2
    assert found(company, line.id).amount_cents > line.amount_cents


def test_a_line_of_no_statement_is_refused(company):
    company.ingest(usage())
    company.close()
    for line in ("L-2026-10-000000000000", "L-2026-09-000000000000", "A-000001"):
        with pytest.raises(LedgerError, match="statement"):
            found(company, line)
