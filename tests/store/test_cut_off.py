"""A PostgreSQL that ends a connection, or ends itself, in the middle of any command of a month.

Whatever was cut off leaves nothing half done, says so with the next step, and the same command again
gives what it gives where nothing goes wrong.
"""

from __future__ import annotations

import logging

import psycopg
import pytest
from sqlalchemy import Engine, event

import servers
from company import Company, org, policy, usage
from stores import Stores, Template, kept_stores
from tallybook.clock import Period
from tallybook.close.adjust import approve, post
from tallybook.errors import StoreError
from tallybook.reconcile.accrue import accrue
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.dispose import dispose
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask
from tallybook.reconcile.true_up import true_up
from tallybook.store import Store, faults
from tallybook.store.commands import Command

OCTOBER = Period.parse("2026-10")
WINDOW = (1_790_812_800_000_000, 1_793_491_200_000_000)
PRICES = """contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10", output: "50"}}
  - {contract: C2, provider: Y, model: y-1, per_million_tokens: {input_uncached: "3", output: "7"}}
commitments:
  - {id: deal, provider: X, amount: "24.00", from: 2026-10, to: 2027-10}
"""
PARTS = 3
SEALED = {"inbox", "member", "sealed_file"}
"""Sealing is a transaction of its own before a run: it stands, and the run after it is as before."""
LOGS = {"command", "alembic_version"}
GIVEN_ONCE = {("claim", "batch"), ("inbox", "batch"), ("quarantine", "id")}
"""What honestly differs after a retry: the log of commands, and a number that was taken stays so."""


def apply(company):
    company.apply(org=org(), policy=policy(), prices=PRICES)


def ingest(company):
    company.ingest(
        usage("1"),
        usage("2", team="b", feature="find"),
        usage("3", tokens={"output": 5}, supersedes="1"),
        usage("2", provider="Y", model="y-1"),
    )


def decide(company):
    with company.store.write() as tx:
        approve(tx, "J-0001", actor="cfo", now_us=company.clock.now_us())
        post(tx, "J-0001", actor="cfo", now_us=company.clock.now_us())


def enter(company):
    lines = ["usage 1.00 model=x-1 day=2026-10-03", "minimum 1.20", "other 0.30"]
    told = typed(lines, Ask("X", WINDOW), MapForm(invoice=InvoiceForm(number="1", currency="USD")))
    command = Command("invoice enter", {}, "fin")
    bring_in(company.store, told, Terms("X", (), {}), command, company.clock.now_us())


# Each with a point inside it; what has none is cut off there by `test_hosts.py`.
STEPS = {
    "apply": (apply, ""),
    "ingest": (ingest, ""),
    "seal and run": (lambda c: c.run(), ""),
    "accrue": (
        lambda c: accrue(c.store, OCTOBER, clock=c.clock, actor="fin"),
        "accrue.posted",
    ),
    "soft close": (lambda c: c.soft_close(), "close.cut_off"),
    "prepare": (lambda c: c.adjust("Charge:a:bot=-1", "Variance:goodwill=1"), ""),
    "approve and post": (decide, "adjust.posted"),
    "close": (lambda c: c.close(), ""),
    "enter": (enter, ""),
    "true-up": (
        lambda c: true_up(c.store, OCTOBER, clock=c.clock, actor="fin"),
        "true_up.posted",
    ),
    "dispose": (
        lambda c: dispose(
            c.store, OCTOBER, "Suspense:X", "write_off", reason="old", approved_by="cfo",
            clock=c.clock, actor="fin",
        ),
        "dispose.posted",
    ),
    "reopen": (lambda c: c.reopen(), ""),
    "close again": (lambda c: c.close(), "close.rounded"),
}  # fmt: skip


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Books just before each step, on PostgreSQL, and those at the end."""
    made = {}

    def begun(home, opened):
        Company(home, opened=opened).store.close()

    def gone_on(earlier, step):
        def live(home, opened):
            kept_stores("postgresql").copy(earlier.home("postgresql"), home)
            company = Company(home, opened=opened)
            step(company)
            company.store.close()

        return live

    last = Template(tmp_path_factory.mktemp("before"), begun)
    for name, (step, _) in STEPS.items():
        made[name] = last
        last = Template(tmp_path_factory.mktemp("before"), gone_on(last, step))
    return made | {"the end": last}


@pytest.fixture
def postgresql():
    stores = Stores("postgresql")
    yield stores
    stores.close()


def rows(company):
    with company.store.read() as tx:
        found = {table: tx.rows(f"SELECT * FROM {table}") for table in tx.tables()}
    return {
        table: sorted(
            repr([held for name, held in row._mapping.items() if (table, name) not in GIVEN_ONCE])
            for row in held
        )
        for table, held in found.items()
        if table not in LOGS
    }


class Cutter:
    """Counts what is said to PostgreSQL in write transactions, and cuts the line at one of it."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.count = at, 0

    def __enter__(self):
        event.listen(Engine, "before_cursor_execute", self._said)
        event.listen(Engine, "commit", self._commit)
        return self

    def __exit__(self, *_):
        event.remove(Engine, "before_cursor_execute", self._said)
        event.remove(Engine, "commit", self._commit)

    def _said(self, connection, _cursor, _statement, _parameters, _context, _many):
        self._counted(connection)

    def _commit(self, connection):
        self._counted(connection)

    def _counted(self, connection):
        told = connection.connection.driver_connection
        if not isinstance(told, psycopg.Connection):
            return
        if "READ COMMITTED" not in connection.get_execution_options().get("begin", ""):
            return
        if self.count == self.at:
            with psycopg.connect(servers.postgres(), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (told.info.backend_pid,))
        self.count += 1


@pytest.mark.parametrize("name", STEPS)
def test_a_line_that_is_cut_leaves_nothing_half_done(before, postgresql, tmp_path, caplog, name):
    step = STEPS[name][0]
    home = before[name].home("postgresql")
    whole = Company(postgresql.copy(home, tmp_path / "whole"))
    with Cutter() as uncut:
        step(whole)
    expected = rows(whole)
    for part in range(1, PARTS + 1):
        at = uncut.count * part // PARTS - 1
        company = Company(postgresql.copy(home, tmp_path / f"cut-{at}"))
        was = rows(company)
        with Cutter(at), pytest.raises(StoreError, match="the database went away") as told:
            step(company)
        assert "run the same command again" in told.value.next_step
        now = rows(company)
        changed = {table for table in now if now[table] != was[table]}
        assert changed in (set(), SEALED if "run" in name else set()), at
        step(company)
        found = rows(company)
        assert {table for table in found if found[table] != expected[table]} == set(), at
        company.store.close()
    whole.store.close()
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_a_server_that_is_killed_in_every_step_leaves_the_month_as_it_would_be(
    before, tmp_path, monkeypatch, caplog
):
    with (
        servers.own_postgres(fsync="on") as server,
        servers.postgres_database(server.address) as url,
    ):
        Store.create(tmp_path / "books", url).close()
        company = Company(tmp_path / "books")
        for step, point in STEPS.values():
            if point:

                def killed(reached, point=point):
                    if reached == point:
                        server.kill()

                with monkeypatch.context() as patch:
                    patch.setattr(faults, "reached", killed)
                    with pytest.raises(StoreError, match="the database went away") as told:
                        step(company)
                assert "run the same command again" in told.value.next_step
                server.start()
            step(company)
        found = rows(company)
        assert company.failing() == {}
        company.store.close()
    whole = Company(before["the end"].home("postgresql"))
    expected = rows(whole)
    whole.store.close()
    assert {table for table in found if found[table] != expected[table]} == set()
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
