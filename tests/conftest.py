"""Books that every room's tests may start from."""

import pytest
from hypothesis import Phase, settings

from company import PRICES, Company, org, policy

# A mutant needs a failing example, not the smallest one: `make mutants`.
settings.register_profile(
    "mutants",
    settings.get_profile("ci"),
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),
)


@pytest.fixture
def found_company(tmp_path):
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
        company = Company(tmp_path / name, now)
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
