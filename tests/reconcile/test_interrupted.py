"""The process ends in mid-command: nothing half done, and the second try is as the first (INV-08)."""

import pytest

from company import Company, org, policy, usage
from tallybook.clock import Period
from tallybook.reconcile.accrue import accrue
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.dispose import dispose
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask
from tallybook.reconcile.true_up import true_up
from tallybook.store import faults
from tallybook.store.commands import Command

OCTOBER = Period.parse("2026-10")
WINDOW = (1_790_812_800_000_000, 1_793_491_200_000_000)
PRICES = """contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10", output: "50"}}
commitments:
  - {id: deal, provider: X, amount: "24.00", from: 2026-10, to: 2027-10}
"""


def enter(company):
    lines = ["usage 1.00 model=x-1 day=2026-10-03", "minimum 1.20", "other 0.30"]
    told = typed(lines, Ask("X", WINDOW), MapForm(invoice=InvoiceForm(number="1", currency="USD")))
    command = Command("invoice enter", {}, "fin")
    bring_in(company.store, told, Terms("X", (), {}), command, company.clock.now_us())


STEPS = {
    "accrue": lambda c: accrue(c.store, OCTOBER, clock=c.clock, actor="fin"),
    "close": lambda c: c.close(),
    "enter": enter,
    "true_up": lambda c: true_up(c.store, OCTOBER, clock=c.clock, actor="fin"),
    "dispose": lambda c: dispose(
        c.store, OCTOBER, "Suspense:X", "write_off", reason="old", approved_by="cfo",
        clock=c.clock, actor="fin",
    ),
}  # fmt: skip


def lived(home):
    home.mkdir()
    company = Company(home)
    company.apply(org=org(), policy=policy(), prices=PRICES)
    company.ingest(usage())
    company.run()
    return company


def test_whatever_is_cut_off_is_as_if_it_had_never_begun(tmp_path, monkeypatch):
    company, whole = lived(tmp_path / "cut"), lived(tmp_path / "whole")
    points = {"accrue": "accrue.posted", "true_up": "true_up.posted", "dispose": "dispose.posted"}
    for name, step in STEPS.items():
        if name in points:
            before = company.dump()

            def die(reached, point=points[name]):
                if reached == point:
                    raise KeyboardInterrupt

            with monkeypatch.context() as patched:
                patched.setattr(faults, "reached", die)
                with pytest.raises(KeyboardInterrupt):
                    step(company)
            assert company.dump() == before
        step(company)
        step(whole)
    assert company.dump() == whole.dump()
    assert company.balances()["Variance:minimum"] == "0.20"
    assert company.failing() == {}
    company.store.close()
    whole.store.close()
