"""Books on the other store: the same rows, the same chain, and statements made again byte by byte."""

import pytest

import crash
from company import Company, usage
from stores import Stores
from tallybook.clock import parse_instant
from tallybook.errors import CorruptedError, StoreError
from tallybook.ledger.balance import trial_balance
from tallybook.ledger.verify import verify
from tallybook.report.body import json_text
from tallybook.store import Store
from tallybook.store.rehome import rehome

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


@pytest.fixture
def other(stores):
    made = Stores(OTHER[stores.kind])
    yield made
    made.close()


def lived(company):
    """A month with a close, late usage, a reopening, quarantine, and something that waits."""
    for command in crash.VERBS.values():
        command(company)
    company.ingest(usage("late"))
    company.run("2026-11")
    company.reopen()
    company.run()
    company.close()
    company.ingest(usage("waits", started_at="2026-11-04T00:00:00Z", model="nobody-prices"))


@pytest.mark.both_stores
def test_every_row_and_every_byte_is_there(company, other, tmp_path):
    lived(company)
    before, rows = company.statements(), company.dump()
    done = rehome(company.home, tmp_path / "copy", other.database())
    copy = Company(tmp_path / "copy", now="2026-12-05T09:00:00Z")
    technical = {"alembic_version", "sqlite_sequence"}
    kept = {table: held for table, held in rows.items() if table not in technical}
    assert {t: held for t, held in copy.dump().items() if t not in technical} == kept
    assert done.rows == sum(len(held) for held in kept.values())

    with company.store.read() as old, copy.store.read() as new:
        assert verify(new) == verify(old)
    assert json_text(copy.statements()) == json_text(before)
    assert copy.rebuilt() == {("2026-10", 1): "", ("2026-10", 2): ""}
    assert copy.failing() == company.failing()

    for one in (company, copy):
        one.clock = copy.clock
        one.ingest(usage("next", started_at="2026-11-05T00:00:00Z"))
        one.run("2026-11")
    assert json_text(copy.statements("2026-11")) == json_text(company.statements("2026-11"))
    copy.store.close()


def year(company):
    """A year that is closed, its last month corrected in a second version, and the year after."""
    company.clock.advance(parse_instant("2027-02-05T09:00:00Z") - company.clock.now_us())
    for month in ("2026-11", "2026-12", "2027-01"):
        company.ingest(
            usage(f"a-{month}", started_at=f"{month}-03T00:00:00Z", tokens={"output": 333}),
            usage(f"b-{month}", started_at=f"{month}-03T00:00:00Z", team="b", feature="find"),
        )
    company.close("2026-11")
    company.soft_close("2026-12")
    company.adjusted("Charge:a:bot=-1.00", "Variance:goodwill=1.00", period="2026-12")
    company.close("2026-12")
    company.reopen("2026-12")
    company.ingest(usage("more", started_at="2026-12-04T00:00:00Z"))
    company.close("2026-12")
    company.ingest(usage("late", started_at="2026-12-05T00:00:00Z"))
    company.close("2027-01")
    return {("2026-11", 1): "", ("2026-12", 1): "", ("2026-12", 2): "", ("2027-01", 1): ""}


@pytest.mark.both_stores
def test_a_closed_year_and_its_corrections_are_made_again_to_the_byte(company, other, tmp_path):
    versions = year(company)
    rehome(company.home, tmp_path / "copy", other.database())
    copy = Company(tmp_path / "copy")
    assert copy.rebuilt() == company.rebuilt() == versions
    for period, version in versions:
        ours, theirs = (one.statements(period, version) for one in (company, copy))
        assert json_text(theirs) == json_text(ours)
    with company.store.read() as old, copy.store.read() as new:
        assert verify(new) == verify(old)
        assert trial_balance(new, "2027-01") == trial_balance(old, "2027-01")
    assert copy.balances()["Result:FY2026"] == company.balances()["Result:FY2026"]
    assert copy.failing() == company.failing() == {}
    copy.store.close()


def test_a_number_that_was_given_is_not_given_again(company, tmp_path):
    company.ingest(usage("1"))
    company.run()
    rehome(company.home, tmp_path / "copy")
    copy = Company(tmp_path / "copy")
    for one in (company, copy):
        with one.store.read() as tx:
            assert tx.last_number("inbox", "batch") == 1
    copy.store.close()


@pytest.mark.both_stores
def test_a_copy_that_is_not_whole_is_no_books(company, other, tmp_path):
    company.ingest(usage("1"))
    company.run()
    (file,) = company.store.lake.snapshot().files
    path = company.store.lake.path(file)
    sealed = path.read_bytes()
    path.write_bytes(b"forged")
    url = other.database()
    with pytest.raises(CorruptedError, match="is not what was written"):
        rehome(company.home, tmp_path / "copy", url)
    with pytest.raises(StoreError, match="no books in this database"):
        Store.open(tmp_path / "copy")
    path.write_bytes(sealed)
    assert rehome(company.home, tmp_path / "copy", url).files == 1


def test_books_are_not_copied_over_books(company, found_company):
    with pytest.raises(StoreError, match="books here already"):
        rehome(company.home, found_company("other").home)
