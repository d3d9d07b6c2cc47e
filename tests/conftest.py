"""Books that every room's tests may start from, on the store that a test asks for."""

import pytest
from hypothesis import HealthCheck, Phase, settings

from company import PRICES, Company, org, policy
from stores import STORES, USUAL, Stores

LEFT_OUT = pytest.StashKey[int]()

# On a busy machine the first draw of a strategy is slow, and says nothing of the strategy.
settings.register_profile(
    "busy", parent=settings.default, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")
# A mutant needs a failing example, not the smallest one: `make mutants`.
settings.register_profile(
    "mutants",
    settings.get_profile("ci"),
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),
)


def pytest_configure(config):
    config.addinivalue_line("markers", "both_stores: run on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "of_the_file: of books that are a file, left out elsewhere")


def pytest_generate_tests(metafunc):
    if "stores" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_stores"):
        metafunc.parametrize("stores", STORES if STORES[0] == USUAL else (USUAL,), indirect=True)


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if is_left_out(item)]
    if not left_out:
        return
    items[:] = [item for item in items if not is_left_out(item)]
    config.hook.pytest_deselected(items=left_out)
    config.stash[LEFT_OUT] = len(left_out)
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = len(left_out)


def is_left_out(item):
    """Whether a test is of the file alone, and its books would be elsewhere."""
    told = getattr(item, "callspec", None)
    kind = told.params.get("stores", USUAL) if told else USUAL
    return kind != STORES[0] and item.get_closest_marker("of_the_file") is not None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Each worker has collected the same tests."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter, config):
    count = config.stash.get(LEFT_OUT, 0)
    if count or STORES[0] != USUAL:
        terminalreporter.write_line(f"{count} tests are of the file alone, and were left out")


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
