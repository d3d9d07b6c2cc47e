"""Books that every room's tests may start from, on the store that a test asks for."""

import pytest
from hypothesis import Phase, settings

from company import PRICES, Company, org, policy
from stores import STORES, USUAL, Stores

# A mutant needs a failing example, not the smallest one: `make mutants`.
settings.register_profile(
    "mutants",
    settings.get_profile("ci"),
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),
)


def pytest_configure(config):
    config.addinivalue_line("markers", "both_stores: run on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc):
    if "stores" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_stores"):
        metafunc.parametrize("stores", STORES, indirect=True)


@pytest.fixture
def stores(request):
    """Makes books of one kind: `stores.Stores`."""
    made = Stores(getattr(request, "param", USUAL))
    yield made
    made.close()


@pytest.fixture
def new_store(stores, tmp_path):
    """Make or open books in a folder: ``new_store(name="books")``."""
    opened = []

    def new(name="books"):
        opened.append(stores.open(tmp_path / name))
        return opened[-1]

    yield new
    for store in opened:
        store.close()


@pytest.fixture
def found_company(tmp_path, stores):
    """Make a company in its own folder: ``found_company(timezone=..., prices=...)``."""
    made = []

    def found(
        name="books",
        *,
        timezone="UTC",
        now="2026-11-05T09:00:00Z",
        effective_from="2020-01",
        **files,
    ):
        company = Company(tmp_path / name, now, stores.open)
        made.append(company)
        company.apply(
            **{"org": org(timezone), "policy": policy(effective_from), "prices": PRICES, **files}
        )
        return company

    yield found
    for company in made:
        company.store.close()


@pytest.fixture
def company(found_company):
    """The tiny company with its policy files applied and nothing else."""
    return found_company()
