"""Books with two closed months, a reopened one and an open one; each test gets a copy."""

import pytest

from company import POLICY, PRICES, Company, org, usage
from stores import Template

NOW = "2027-01-05T09:00:00Z"


def sealed(home, opened):
    company = Company(home, NOW, opened)
    company.apply(org=org(), policy=POLICY % "2026-01", prices=PRICES)
    company.ingest(usage("o-1"), usage("o-2", provider="Y", model="y-1"))
    company.run()
    company.ingest(usage("o-3", team="b", feature="find"), name="second")
    company.run()
    company.close()
    company.reopen()
    company.ingest(usage("o-4"), name="third")
    company.close()
    company.ingest(usage("n-1", started_at="2026-11-03T10:00:00Z"), name="november")
    company.close("2026-11")
    company.ingest(usage("d-1", started_at="2026-12-03T10:00:00Z"), name="december")
    company.run("2026-12")
    company.store.close()


@pytest.fixture(scope="session")
def sealed_books(tmp_path_factory):
    return Template(tmp_path_factory.mktemp("sealed"), sealed)


@pytest.fixture
def sealed_home(sealed_books, stores):
    return sealed_books.home(stores.kind)


@pytest.fixture
def copied(sealed_home, stores, tmp_path):
    company = Company(stores.copy(sealed_home, tmp_path / "copy"), NOW)
    yield company
    company.store.close()
