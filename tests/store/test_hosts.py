"""Several hosts on one PostgreSQL: at once, killed, and with the database gone in mid-command."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import crash
import host
import servers
from company import PRICES, Company, org, policy
from stores import Stores
from tallybook.cli.app import errors_told
from tallybook.errors import StoreError
from tallybook.store import Store, faults
from tallybook.store.join import join
from tallybook.store.seal import combined_digest

ROUNDS = 2
CLOSING_ROUNDS = 3


@pytest.fixture
def postgresql():
    stores = Stores("postgresql")
    yield stores
    stores.close()


def content(company):
    """What must not depend on what went wrong: the journal's sums, what was issued, what was sealed."""
    files = company.store.lake.snapshot(kinds=("events", "evidence", "netting")).files
    with company.store.read() as tx:
        bodies = [
            tuple(row)
            for row in tx.rows("SELECT period, version, body_sha256 FROM statement ORDER BY 1, 2")
        ]
        claims = tx.scalar("SELECT COUNT(*) FROM claim")
    return company.balances(), bodies, claims, combined_digest([file.digest for file in files])


def two_doors(tmp_path, database):
    """Books with two homes that share a folder of sealed files."""
    lake = (tmp_path / "shared").as_uri()
    Store.create(tmp_path / "one", database, lake).close()
    join(tmp_path / "two", database, lake).close()
    company = Company(tmp_path / "one")
    company.apply(org=org(), policy=policy(), prices=PRICES)
    return company


def at_once(tmp_path, rounds, *more):
    """What two hosts say that work at once."""
    script = str(Path(host.__file__))
    working = [
        subprocess.Popen(
            [sys.executable, script, str(tmp_path / name), name, str(rounds), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    told = [process.communicate(timeout=300) for process in working]
    for process, (_, errors) in zip(working, told, strict=True):
        assert process.returncode == 0, errors
    return [said for said, _ in told]


def test_two_hosts_ingest_run_and_close_at_once_and_nothing_is_doubled(tmp_path, postgresql):
    company = two_doors(tmp_path, postgresql.database())
    said = at_once(tmp_path, CLOSING_ROUNDS, "close")
    assert all("2026-10 is closed" in line for text in said for line in text.splitlines())
    company.run("2026-11")
    assert company.failing() == {}
    assert company.rebuilt() == {("2026-10", 1): ""}
    with company.store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM chain WHERE reason = 'close'") == 1
    sent = [
        event
        for name in ("one", "two")
        for part in host.events(name, CLOSING_ROUNDS)
        for event in part
    ]
    once = {event["event_id"] for event in sent}
    assert len(once) < len(sent)
    # Each is 1.00 at contract, in the month or late in the next.
    assert company.balances()["Accrued:X"] == f"-{len(once)}.00"
    company.store.close()


def test_two_hosts_ingest_seal_and_run_at_once(tmp_path, postgresql):
    company = two_doors(tmp_path, postgresql.database())
    at_once(tmp_path, ROUNDS)
    company.run()
    company.close()
    assert company.failing() == {}
    assert company.rebuilt() == {("2026-10", 1): ""}

    alone = Company(tmp_path / "alone")
    alone.apply(org=org(), policy=policy(), prices=PRICES)
    for name in ("one", "two"):
        for n, sent in enumerate(host.events(name, ROUNDS)):
            alone.ingest(*sent, name=f"{name}-{n}")
    alone.run()
    alone.close()
    assert content(company) == content(alone)
    assert company.statements().body_sha256 == alone.statements().body_sha256
    for one in (company, alone):
        one.store.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What comes of the commands of `crash.py` where nothing goes wrong, on a file."""
    company = Company(tmp_path_factory.mktemp("whole") / "books")
    for command in crash.VERBS.values():
        command(company)
    found = content(company)
    company.store.close()
    return found


def go_on(company, verb):
    """The command again, and those after it."""
    verbs = list(crash.VERBS)
    for name in verbs[verbs.index(verb) :]:
        crash.VERBS[name](company)


@pytest.mark.parametrize(
    ("verb", "point"),
    [
        ("ingest", "ingest.put"),
        ("run", "seal.renamed"),
        ("close", "close.issued"),
    ],
)
def test_a_host_that_is_killed_leaves_the_books_to_the_others(
    tmp_path, postgresql, whole, verb, point
):
    company = Company(tmp_path / "books", opened=postgresql.open)
    crash.lived_until(company, verb)
    died = subprocess.run(
        [sys.executable, crash.__file__, str(company.home), verb, point],
        check=False,
        capture_output=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert company.failing("INV-01", "INV-03", "INV-08", "INV-15") == {}
    go_on(company, verb)
    assert content(company) == whole
    assert company.failing() == {}
    company.store.close()


@pytest.fixture(scope="module")
def server():
    """A server that may be killed; it syncs, as one that keeps books does."""
    with servers.own_postgres(fsync="on") as own:
        yield own


@pytest.mark.parametrize(
    ("verb", "point"),
    [
        ("ingest", "ingest.put"),
        ("run", "run.posted"),
        ("close", "close.issued"),
    ],
)
def test_a_database_that_goes_away_leaves_nothing_half_done(
    tmp_path, monkeypatch, server, whole, verb, point
):
    with servers.postgres_database(server.address) as url:
        Store.create(tmp_path / "books", url).close()
        company = Company(tmp_path / "books")
        crash.lived_until(company, verb)

        def killed(reached):
            if reached == point:
                server.kill()

        with monkeypatch.context() as patch:
            patch.setattr(faults, "reached", killed)
            with pytest.raises(StoreError, match="the database went away") as refused:
                crash.VERBS[verb](company)
        assert refused.value.where.startswith("postgresql://")
        assert "run the same command again" in refused.value.next_step
        with pytest.raises(SystemExit) as ended, errors_told():
            Store.open(company.home)
        assert ended.value.code == 1
        server.start()
        assert company.failing("INV-01", "INV-03", "INV-08", "INV-15") == {}
        go_on(company, verb)
        assert content(company) == whole
        assert company.failing() == {}
        company.store.close()
