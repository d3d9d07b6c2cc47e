"""Issued statements are kept as they were issued and read back the same, or not at all."""

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.errors import CorruptedError, PeriodError
from tallybook.report.body import body_digest, json_text
from tallybook.report.current import statements_of
from tallybook.report.files import FORMATS, render, write_files
from tallybook.report.issue import prepare_issue
from tallybook.report.issued import issued, next_version, totals_of
from tampering import forge


@pytest.fixture
def closed(company):
    company.ingest(usage("1", tokens={"output": 333}), usage("2", team="b", feature="find"))
    company.close()
    return company


def test_what_was_issued_is_read_back_to_the_byte(closed):
    with closed.store.read() as tx:
        found = issued(tx, "2026-10")
        row = tx.row("SELECT body, body_sha256, seal FROM statement")
        assert next_version(tx, "2026-10") == 2
        assert issued(tx, "2026-10", 2) is None
        assert issued(tx, "2026-09") is None
    assert (row.body, row.body_sha256, row.seal) == (
        json_text(found), body_digest(found), found.seal,
    )  # fmt: skip
    assert totals_of(found) == {each.team: each.total_cents for each in found.statements}
    assert totals_of(None) == {}


def test_a_draft_before_and_the_issue_after(company):
    october = Period(2026, 10)
    with pytest.raises(PeriodError, match="nothing is booked in 2026-10"):
        statements_of(company.store, october)
    company.ingest(usage())
    company.run()
    assert statements_of(company.store, october).status == "draft"
    with pytest.raises(PeriodError, match="no statement version 1"):
        statements_of(company.store, october, 1)
    company.close()
    assert statements_of(company.store, october).status == "final"
    assert statements_of(company.store, october, 1).version == 1


def test_remainders_bring_the_ledger_to_the_issued_cents(company):
    from tallybook.post.basis import read_basis  # noqa: PLC0415
    from tallybook.post.sheet import latest_sheet  # noqa: PLC0415

    company.ingest(usage("1", tokens={"output": 333}))
    company.run()
    basis = read_basis(company.store, Period(2026, 10))
    with company.store.read() as tx:
        prepared = prepare_issue(tx, basis, latest_sheet(tx, "2026-10"))
    # 0.01665 of usage and 0.0024975 of markup are issued as 0.02 and 0.00.
    assert {p.account: p.amount_nano for p in prepared.remainders} == {
        "Charge:a:usage": 3_350_000,
        "Charge:a:markup": -2_497_500,
    }
    assert prepared.statements.status == "final"


@pytest.mark.parametrize("column", ["body", "body_sha256", "seal", "status"])
def test_what_was_changed_is_not_shown(closed, column):
    forge(closed.home, f"UPDATE statement SET {column} = {column} || ' '")
    with pytest.raises(CorruptedError, match="are not what was issued"):
        closed.statements()


def test_every_form_is_written_and_read_by_people(closed, tmp_path):
    issue = closed.statements()
    for form in FORMATS:
        assert render(issue, form)
        written = write_files(issue, form, tmp_path / form)
        assert written
        assert all(path.stat().st_size for path in written)
    assert "Team A" in render(issue, "text", "a")
