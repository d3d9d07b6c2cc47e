"""The worked example's October on real books, closed, and what the hand-off's tests ask of it."""

from pathlib import Path

import pytest

from company import Company, usage
from tallybook.clock import Period
from tallybook.report.handoff.accounts_file import Accounts, read_accounts
from tallybook.report.handoff.chart_file import read_chart
from tallybook.report.handoff.journal import neutral_journal

OCTOBER = Path(__file__).parents[2] / "scenarios" / "october"
PERIOD = Period(2026, 10)

POLICY = """
versions:
  - effective_from: 2026-10
    default: {model: real_cost, markup: "15%"}
    pools:
      - {id: gateway, monthly: "150.00", driver: calls, recovered_by: markup}
      - {id: quality, driver: production_cost}
    evaluation: {funding: pooled, pool: quality}
    limits: {unallocated: "100%"}
"""

ACCOUNTS = """
ledger: acme
accrual: reversing
accounts:
  inference_expense: {cost_of_revenue: "5100", research_and_development: "6100", otherwise: "6900"}
  allocated_ai: {cost_of_revenue: "5190", research_and_development: "6190", otherwise: "6990"}
  accrued_liabilities: {X: "2151", otherwise: "2150"}
  due_from: "1310"
  due_to: "2310"
entities: {acme-us: US01, acme-eu: EU01}
cost_centers: {"4711": Support}
fields:
  tax_rate: Tax Exempt
  ledger_id: "300000001"
  journal_source: Tallybook
  journal_category: AI inference
  segment1: "{entity}"
  segment2: "{account}"
  segment3: "{cost_center}"
  document_type: SA
  journal_name: AI
"""

CHART = """kind,code,status,name
account,5100,active,
account,6100,active,
account,6900,active,
account,5190,active,
account,6190,active,
account,6990,active,
account,2150,active,
account,2151,active,
account,1310,,
account,2310,,
entity,US01,active,
entity,EU01,active,
cost_center,Support,active,
cost_center,4720,active,
cost_center,4700,active,
feature,a-bot,active,
period,2026-10,open,
period,2026-11,open,
"""


def calls(more=()):
    """The calls of the worked example, as its file has them, and more in the same form."""
    for row in [*(OCTOBER / "events.txt").read_text(encoding="utf-8").splitlines(), *more]:
        if row.startswith("#"):
            continue
        name, day, count, model, *rest = row.split()
        pairs = dict(pair.split("=") for pair in rest if pair != "-")
        tags = {key: pairs.pop(key, None) for key in ("team", "feature", "purpose", "service")}
        provider, _, model = model.partition("/")
        for number in range(int(count)):
            yield usage(
                f"{name}-{day}-{number}",
                started_at=f"{day}T12:00:{number:02}Z",
                provider=provider,
                model=model,
                tokens={key: int(tokens) for key, tokens in pairs.items()},
                **tags,
            )


def found(home, org="", policy=POLICY):
    company = Company(home)
    files = {
        kind: (OCTOBER / f"{kind}.yaml").read_text(encoding="utf-8")
        for kind in ("org", "prices", "budgets")
    }
    company.apply(**{**files, "policy": policy, **({"org": org} if org else {})})
    company.ingest(*calls())
    company.pool("2026-10", "gateway", "160.00")
    company.run()
    return company


@pytest.fixture(scope="session")
def october(tmp_path_factory):
    """The worked example under real cost, closed; tests read it and change nothing."""
    company = found(tmp_path_factory.mktemp("october"))
    company.close()
    yield company
    company.store.close()


@pytest.fixture
def accounts():
    return read_accounts(ACCOUNTS.encode(), "accounts.yaml")


@pytest.fixture
def chart():
    return read_chart(CHART.encode(), "chart.csv")


@pytest.fixture
def handed(october):
    """``handed(accounts)``: October's neutral journal."""

    def made(accounts=None, company=october, **options):
        return neutral_journal(company.store, PERIOD, accounts or Accounts(), **options)

    return made
