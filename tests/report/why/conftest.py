"""The month of `rival_figures`, closed, and rival figures explained against it."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from company import Company, org
from rival_figures import EVENTS, POLICY, PRICES
from tallybook.clock import Period
from tallybook.report.why.bridge import bridge
from tallybook.report.why.claim import Beside, claim_of


@pytest.fixture(scope="session")
def _month(tmp_path_factory):
    company = Company(tmp_path_factory.mktemp("why") / "books", "2026-12-05T09:00:00Z")
    company.apply(org=org(), policy=POLICY, prices=PRICES)
    company.ingest(*EVENTS)
    company.pool("2026-10", "gateway", "33.00")
    company.close()
    company.run("2026-11")
    yield company
    company.store.close()


@pytest.fixture
def explain(_month, tmp_path):
    """``explain("date,cost\\n...", team="a")``: the bridge, with its steps by kind and cause."""

    def run(told, period="2026-10", name="rival.csv", by="", zone="", days=("", ""), **scope):
        if isinstance(told, bytes) or "\n" in told or told.startswith("{"):
            path = tmp_path / name
            path.write_bytes(told if isinstance(told, bytes) else told.encode())
            told = str(path)
        beside = Beside(tuple(scope.items()), zone, *days, by)
        asked = claim_of(told, Period.parse(period) if period else None, beside, "UTC", "USD")
        found = bridge(_month.store, asked.period, asked.claim)
        steps = {
            (step.kind, step.cause): Fraction(step.amount_pico, 10**12) for step in found.steps
        }
        return SimpleNamespace(
            bridge=found,
            steps=steps,
            kinds={kind for kind, _ in steps} - {"usage_only", "rounding", "model"},
            unexplained=Fraction(found.unexplained_pico, 10**12),
        )

    def paper(team):
        """What a team's statement comes to."""
        return Fraction(_month.statements("2026-10").statement(team).total_cents, 100)

    run.paper = paper
    return run
