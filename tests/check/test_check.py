"""Checks run by name; one that cannot finish has failed."""

import pytest
from sqlalchemy import event

from company import usage
from tallybook.check import check as module
from tallybook.check import intake, journal, months
from tallybook.check.check import CHECKS, check
from tallybook.check.model import finding
from tallybook.errors import PeriodError, WrongUsageError


def test_empty_books_hold(company):
    found = check(company.store)
    assert [x.name for x in found] == list(CHECKS)
    assert all(x.ok for x in found)


def test_a_name_that_is_none_is_wrong_usage(company):
    with pytest.raises(WrongUsageError, match="there is no check INV-99"):
        check(company.store, ["INV-99"])


def test_progress_is_told_once_a_check(company):
    steps = []
    check(company.store, ["INV-01", "INV-15"], steps.append)
    assert steps == [1, 1]


def test_a_check_that_breaks_has_failed(company, monkeypatch):
    def broken(_store):
        raise KeyError("seq")

    monkeypatch.setitem(module.CHECKS, "INV-01", broken)
    (found,) = check(company.store, ["INV-01"])
    assert not found.ok
    assert found.detail == "cannot be proven, the books are damaged: KeyError: 'seq'"


def test_a_refusal_is_told_in_one_line_with_what_to_do(company, monkeypatch):
    def refused(_store):
        raise PeriodError("no", next_step="do it")

    monkeypatch.setitem(module.CHECKS, "INV-01", refused)
    (found,) = check(company.store, ["INV-01"])
    assert (found.ok, found.detail) == (False, "no; next: do it")


def test_cheap_proofs_share_one_connection(company):
    opened = []
    event.listen(company.store._engine, "connect", lambda *_: opened.append(1))
    assert all(found.ok for found in check(company.store, ["INV-01", "INV-02", "INV-03", "INV-08"]))
    assert len(opened) <= 1


@pytest.mark.of_the_file
def test_books_that_do_not_open_fail_every_proof(company):
    company.store.close()
    (company.store.home / "book.sqlite").write_bytes(b"no books" * 1000)
    found = check(company.store)
    assert [x.name for x in found] == list(CHECKS)
    assert not any(x.ok for x in found)
    assert "not a database" in found[0].detail


def test_what_was_examined_is_counted(company):
    company.ingest(usage("1"), usage("2"))
    company.run()
    assert journal.balance(company.store).examined == len(company.journal())
    assert intake.idempotent(company.store).examined == 2
    assert months.one_price(company.store).examined == 1


def test_a_finding_shows_its_first_faults():
    found = finding("INV-01", 9, ["a", "b", "c", "d", "e"], "fine")
    assert (found.ok, found.detail) == (False, "a; b; c (and 2 more)")
    assert finding("INV-01", 9, [], "fine").detail == "fine"
