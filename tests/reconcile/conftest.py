"""Books with usage and invoices, and the short way to bring both in."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from company import Company, org, policy
from tallybook.clock import Period
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.openai_usage import open_files
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.registry import read_files
from tallybook.reconcile.read.told import Ask
from tallybook.reconcile.reconcile import reconcile
from tallybook.store.commands import Command

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "billing_samples"


class Books:
    """A company with provider invoices."""

    def __init__(self, company):
        self.company = company
        self.store = company.store

    def window(self, period):
        return Period.parse(period).bounds_us(ZoneInfo("UTC"))

    def take(self, provider, *paths, period="", rates=(), mapping=None, **more):
        ask = Ask(provider, self.window(period) if period else None)
        told = read_files([Path(path) for path in paths], ask, mapping)
        return self.bring(provider, told, dict(rates), more)

    def enter(
        self, provider, period, *lines, number="INV-1", total="", rates=(), currency="USD", **more
    ):
        ask = Ask(provider, self.window(period))
        form = MapForm(invoice=InvoiceForm(number=number, currency=currency, total=total))
        return self.bring(provider, typed(lines, ask, form), dict(rates), more)

    def bring(self, provider, told, rates, more):
        terms = Terms(provider, (("file", "0"),), rates, **more)
        command = Command("invoice", {}, "tester")
        return bring_in(self.store, told, terms, command, self.company.clock.now_us())

    def usage_export(self, path):
        return ingest(
            self.store, open_files([Path(path)]), clock=self.company.clock,
            new_id=lambda: "s-1", on_progress=None, reject_folder=self.company.home / "rejects",
        )  # fmt: skip

    def reconcile(self, period="2026-10", **more):
        return reconcile(self.store, Period.parse(period), **more)

    def provider(self, name, period="2026-10", **more):
        found = self.reconcile(period, **more)
        return next(one for one in found.providers if one.provider == name)


@pytest.fixture
def books(tmp_path, stores):
    company = Company(tmp_path / "books", opened=stores.open)
    company.apply(org=org(), policy=policy("2020-01"))
    yield Books(company)
    company.store.close()


@pytest.fixture
def samples():
    if not SAMPLES.is_dir():
        pytest.skip("../shared/data/billing_samples is not here")
    return SAMPLES


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
