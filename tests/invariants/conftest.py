"""A company that has lived two months: October closed, November run; each test gets a copy."""

import pytest

from company import POLICY, PRICES, Company, org, usage
from stores import Template
from tampering import forge

NOW = "2026-12-05T09:00:00Z"
SHOWN = POLICY.replace("    pools:", "    teams: {b: {model: showback}}\n    pools:") % "2026-01"


def two_months(home, opened):
    company = Company(home, NOW, opened)
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


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return Template(tmp_path_factory.mktemp("template"), two_months)


@pytest.fixture
def lived(template, stores, tmp_path):
    company = Company(stores.copy(template.home(stores.kind), tmp_path / "copy"), NOW)
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
        forge(lived.home, *statements, put_back=put_back)

    return change
