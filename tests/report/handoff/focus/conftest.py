"""A month with everything that a FOCUS file must carry, closed, and the next with late usage."""

import csv
import io
from decimal import Decimal

import pytest

from company import Company, org, policy, usage
from tallybook.clock import Period
from tallybook.report.handoff.focus.export import write_focus

PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10.000001", output: "50.123457"}}
  - {contract: C2, provider: Y, model: y-1, per_million_tokens: {input_uncached: "3.3", output: "7.77"}}
  - {contract: C3, provider: openai, discount: "10%"}
"""


def events():
    some = [usage(str(n), tokens={"input_uncached": 7 + n, "output": 3 * n + 1}) for n in range(5)]
    return [
        *some,
        usage("unpriced", model="nobody-knows", tokens={"input_uncached": 5}),
        usage("unknown", tokens=None),
        usage("pooled", purpose="evaluation", tokens={"input_uncached": 11, "output": 1}),
        usage("b", team="b", feature="find", provider="Y", model="y-1"),
        usage("caused", provider="Y", model="y-1", service="retrieval"),
        usage("unowned", team=None, feature=None),
        usage("cached", provider="openai", model="gpt-4o-2024-08-06",
              tokens={"input_uncached": 100, "cache_read": 77, "output": 3}),
    ]  # fmt: skip


@pytest.fixture(scope="session")
def months(tmp_path_factory):
    """October closed; November open, with its own usage and late usage of October."""
    company = Company(tmp_path_factory.mktemp("focus"), now="2026-12-05T09:00:00Z")
    company.apply(org=org(), policy=policy(), prices=PRICES)
    company.ingest(*events())
    company.pool("2026-10", "gateway", "31.337")
    company.run()
    for state in ("unpriced", "unknown"):
        company.waive("2026-10", state)
    company.close()
    late = [usage(f"late-{n}", tokens={"input_uncached": 7 + n, "output": n}) for n in range(3)]
    company.ingest(*late, usage("late-pooled", purpose="evaluation"), name="late")
    company.ingest(usage("november", started_at="2026-11-02T00:00:00Z"), name="november")
    company.run("2026-11")
    yield company
    company.store.close()


@pytest.fixture
def exported(months, tmp_path):
    """``exported("2026-10", "1.4")``: the rows of a file, as text."""

    def made(period, version="1.4", company=months):
        path = tmp_path / f"{period}-{version}.csv"
        write_focus(company.store, Period.parse(period), version, path)
        text = path.read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(text)))

    return made


def cost(rows, column="EffectiveCost"):
    return sum(Decimal(row[column]) for row in rows)
