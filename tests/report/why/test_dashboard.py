"""The real pair of a dashboard's exports: its costs explained against what its usage comes to."""

from fractions import Fraction
from pathlib import Path

import pytest

from company import Company, org
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.openai_usage import open_files
from tallybook.report.why.bridge import bridge
from tallybook.report.why.claim import Beside, claim_of

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "billing_samples"
COSTS = SAMPLES / "openai_dashboard_cost_2025-10.tsv"
needs_samples = pytest.mark.skipif(not COSTS.exists(), reason="no ../shared/data/billing_samples")
POLICY = """
versions:
  - effective_from: 2025-01
    default: {model: real_cost, markup: "0%"}
    limits: {unallocated: "100%"}
"""


@pytest.fixture
def dashboard(tmp_path):
    company = Company(tmp_path / "books", "2025-12-05T09:00:00Z")
    company.apply(org=org(), policy=POLICY)
    usage = SAMPLES / "openai_dashboard_usage_2025-10.tsv"
    ingest(
        company.store, open_files([usage]), clock=company.clock,
        new_id=lambda: "s-1", on_progress=None, reject_folder=company.home / "rejects",
    )  # fmt: skip
    company.run("2025-10")
    yield company
    company.store.close()


@needs_samples
def test_the_real_pair_of_a_dashboard_is_explained_to_the_last_digit(dashboard):
    """7, 10 and 11 October agree; usage of 5, 6 and 8 is missing: 0.940109 in all."""
    asked = claim_of(str(COSTS), None, Beside(), "UTC", "USD")
    assert (str(asked.period), asked.claim.zone) == ("2025-10", "UTC")
    found = bridge(dashboard.store, asked.period, asked.claim)
    steps = {(step.kind, step.cause): step for step in found.steps}
    assert found.unexplained_pico == 0
    assert "price" not in {kind for kind, _ in steps}
    volume = steps["volume", "same_price"]
    lacking = steps["volume", "not_metered"]
    assert {part.about: part.amount_pico for part in (*volume.parts, *lacking.parts)} == {
        "2025-10-05": 394_542_500_000,
        "2025-10-08": 545_566_500_000,
    }
    assert Fraction(volume.amount_pico + lacking.amount_pico, 10**12) == Fraction("0.940109")
    moved = {part.about: part.amount_pico for part in steps["timing", "day"].parts}
    assert moved == {"2025-10-05": 254_071_500_000, "2025-10-06": -254_071_500_000}
    assert "fits 3 of 5 figures" in volume.evidence
    assert Fraction(found.theirs_pico, 10**12) == Fraction("2.98595375")
