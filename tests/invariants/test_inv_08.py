"""INV-08: a command is wholly in or wholly out, whenever the process is killed."""

import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import crash
from company import Company, usage
from stores import Template, disk_full
from tallybook.errors import BooksError, MoneyError, PeriodError, StoreError
from tallybook.ledger import Entry, Posting, Reason, append_entry
from tallybook.store import engine

HOUSE = Path(engine.__file__).parent.parent
POINTS = [
    ("apply", "apply.recorded"),
    ("ingest", "ingest.claimed"),
    ("ingest", "ingest.put"),
    ("ingest", "ingest.quarantined"),
    ("ingest", "ingest.committed"),
    ("run", "seal.written"),
    ("run", "seal.renamed"),
    ("run", "seal.listed"),
    ("run", "run.computed"),
    ("run", "run.posted"),
    ("close", "close.rounded"),
    ("close", "close.issued"),
]
# These need a crowd of files first: tests/store/test_compact.py cuts off there.
COMPACTION = {"compact.written", "compact.listed"}
# These need books of an earlier release: tests/store/test_upgrade.py.
UPGRADE = {"upgrade.kept", "upgrade.migrated"}
# tests/cli/test_books.py cuts off there: there are no books before.
INIT = {"init.addressed", "migrate.done"}
# tests/close/test_interrupted.py cuts off there.
FINANCE = {"close.cut_off", "adjust.posted"}
# tests/reconcile/test_interrupted.py cuts off there.
INVOICES = {"accrue.posted", "true_up.posted", "dispose.posted"}
# tests/budget/test_approve.py cuts off there.
BUDGETS = {"budget.approved"}
# What honestly differs after a retry: the log of commands, when something was received twice.
LOGS = {"command", "sqlite_sequence"}


# PostgreSQL takes no number back: a batch that was not kept leaves its number out, and these hold it.
NUMBERED = {"claim", "quarantine", "sealed_file"}


def books(company):
    return {table: rows for table, rows in company.dump().items() if table not in LOGS}


def counted(found):
    return {table: len(rows) if table in NUMBERED else rows for table, rows in found.items()}


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """Books just before each verb, and the books in which nothing went wrong."""

    def before(verb):
        def lived(home, opened):
            company = Company(home, opened=opened)
            crash.lived_until(company, verb)
            company.store.close()

        return Template(tmp_path_factory.mktemp(verb), lived)

    return {verb: before(verb) for verb in (*crash.VERBS, "end")}


def test_every_point_of_the_house_is_tried():
    text = "".join(path.read_text(encoding="utf-8") for path in HOUSE.rglob("*.py"))
    assert (
        set(re.findall(r'faults\.reached\(\s*"([^"]+)"', text))
        == {p for _, p in POINTS} | COMPACTION | UPGRADE | INIT | FINANCE | INVOICES | BUDGETS
    )


@pytest.mark.parametrize(("verb", "point"), POINTS)
def test_killed_and_tried_again_it_is_as_if_nothing_had_happened(
    stages, stores, tmp_path, verb, point
):
    home = stores.copy(stages[verb].home(stores.kind), tmp_path / "books")
    done = subprocess.run(
        [sys.executable, str(Path(crash.__file__)), str(home), verb, point],
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    company = Company(home)
    assert company.failing("INV-01", "INV-03", "INV-08", "INV-15") == {}
    seen = False
    for name, command in crash.VERBS.items():
        seen = seen or name == verb
        if seen:
            command(company)
    whole = Company(stages["end"].home(stores.kind))
    found, wanted = books(company), books(whole)
    if verb == "ingest" and stores.kind == "postgresql":
        found, wanted = counted(found), counted(wanted)
    assert found == wanted
    assert company.statements().body_sha256 == whole.statements().body_sha256
    assert company.failing() == {}
    company.store.close()
    whole.store.close()


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (lambda c: c.apply(org="company: {}"), BooksError),
        (lambda c: c.pool("2026-10", "gateway", "1.0000000001"), MoneyError),
        (lambda c: c.close("2026-11"), PeriodError),
        (lambda c: c.close("2026-12"), PeriodError),
        (lambda c: c.waive("2026-11", "everything"), PeriodError),
    ],
)
def test_a_refused_command_leaves_every_table_as_it_was(company, refused, error):
    company.ingest(usage(), usage("n", started_at="2026-11-01T00:00:00Z"))
    before = company.dump()
    with pytest.raises(error):
        refused(company)
    assert company.dump() == before


def test_a_close_that_its_checklist_blocks_posts_nothing(company):
    company.ingest(usage(), usage("2", model="unheard-of"))
    company.run()
    company.ingest(usage("3"))
    before = company.dump()
    with pytest.raises(PeriodError, match="unpriced: 1 calls"):
        company.close()
    after = company.dump()
    sealed = {"inbox", "sealed_file", "sqlite_sequence"}  # events moved, none came or went
    assert {t: r for t, r in after.items() if t not in sealed} == {
        t: r for t, r in before.items() if t not in sealed
    }


@pytest.mark.parametrize("text", ["database or disk is full", "disk I/O error"])
def test_a_full_disk_under_the_book_keeps_nothing_of_the_command(
    company, monkeypatch, stores, text
):
    company.ingest(usage())
    before = company.dump()

    def full(*_args, **_named):
        raise disk_full(stores.kind, text)

    monkeypatch.setattr("tallybook.post.run.log_command", full)
    with pytest.raises(StoreError, match="nothing of this command was kept"):
        company.run()
    monkeypatch.undo()
    for table in ("chain", "posting", "sheet", "publication", "command"):
        assert company.dump()[table] == before[table]
    assert company.run().entries
    assert company.failing() == {}


def test_a_full_disk_under_the_lake_leaves_the_events_waiting(company, monkeypatch):
    import errno  # noqa: PLC0415

    company.ingest(usage())
    before = company.dump()

    def full(*_args, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tallybook.store.seal.pq.ParquetWriter", full)
    with pytest.raises(StoreError, match="the inbox still holds them"):
        company.run()
    monkeypatch.undo()
    assert company.dump() == before
    assert company.run().events == 1


def test_a_posting_without_its_entry_is_seen(lived, damage):
    damage(
        "INSERT INTO posting SELECT 999, line, account, team, feature, purpose, kind, provider,"
        " service, detail, source, service_period, price_version, policy_version, amount_nano"
        " FROM posting WHERE seq = 1 AND line = 1"
    )
    assert lived.failing("INV-08") == {"INV-08": "1 postings belong to no entry"}


def test_only_what_comes_from_usage_needs_a_cost_sheet(company):
    """A provider's invoice, for one, may come for a month that nobody ran."""
    postings = (Posting("Suspense:z", 5, source="true_up:z"), Posting("Payable:z", -5))
    bill = Entry(Reason.TRUE_UP, "2026-10", "2026-10", "an invoice", postings)
    with company.store.write() as tx:
        append_entry(tx, bill, "fin", 1)
    assert company.failing("INV-08") == {}
    with company.store.write() as tx:
        append_entry(tx, replace(bill, reason=Reason.METER), "run", 2)
    assert company.failing("INV-08") == {"INV-08": "E-000002 of 2026-10 has no cost sheet"}


def test_entries_without_a_cost_sheet_are_the_one_thing_that_fails(lived, damage):
    damage("DELETE FROM sheet WHERE period = '2026-10'")
    failing = lived.failing()
    assert set(failing) == {"INV-08"}
    assert "E-000001 of 2026-10 has no cost sheet" in failing["INV-08"]
