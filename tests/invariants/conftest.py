"""A company that has lived two months: October closed, November run; each test gets a copy."""

import shutil
import sqlite3

import pytest

from company import POLICY, PRICES, Company, org, usage

SHOWN = POLICY.replace("    pools:", "    teams: {b: {model: showback}}\n    pools:") % "2026-01"


@pytest.fixture(scope="session")
def _template(tmp_path_factory):
    company = Company(tmp_path_factory.mktemp("template") / "books", "2026-12-05T09:00:00Z")
    company.apply(org=org(), policy=SHOWN, prices=PRICES)
    company.ingest(
        usage("o-1"),
        usage("o-2", tokens={"input_uncached": 7, "output": 3}),
        usage("o-3", purpose="evaluation"),
        usage("o-4", provider="Y", model="y-1", service="retrieval"),
        usage("o-5", provider="Y", model="y-1", team="b", feature="find"),
        usage("o-6", team=None, feature=None),
        usage("n-1", started_at="2026-11-03T10:00:00Z"),
    )
    company.pool("2026-10", "gateway", "33.00")
    company.run()
    company.close()
    company.run("2026-11")
    company.store.close()
    return company.home


@pytest.fixture
def lived(_template, tmp_path):
    shutil.copytree(_template, tmp_path / "copy")
    company = Company(tmp_path / "copy", "2026-12-05T09:00:00Z")
    company._files = {
        kind: (company.home / "books" / f"{kind}.yaml").read_text(encoding="utf-8")
        for kind in ("org", "policy", "prices")
    }
    yield company
    company.store.close()


@pytest.fixture
def damage(lived):
    """Change the book behind its back: the guards of the tables named are taken away first."""

    def change(*statements, put_back=True):
        book = sqlite3.connect(lived.home / "book.sqlite")
        guards = book.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        guards = guards.fetchall()
        for name, _ in guards:
            book.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert book.execute(statement).rowcount != 0, statement
        if put_back:
            for _, sql in guards:
                book.execute(sql)
        book.commit()
        book.close()

    return change
