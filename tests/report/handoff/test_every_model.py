"""Whatever the model and the rule of transfer: both journals and FOCUS say what the statements say."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from company import Company
from tallybook.clock import Period
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.focus.model import Totals
from tallybook.report.handoff.focus.rows import period_rows
from tallybook.report.handoff.journal import neutral_journal

from .conftest import OCTOBER, POLICY, calls

FILES = Path(__file__).parents[2] / "scenarios"
NAMES = (
    "showback",
    "proportional",
    "budget_committed",
    "mixed",
    "transfer_price",
    "split",
    "joint",
)
MODEL = '    default: {model: real_cost, markup: "15%"}'


def sections(name):
    found, heading = defaultdict(list), ""
    for line in (FILES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            heading = line.removeprefix("== ")
        elif line.strip():
            found[heading].append(line)
    return found


def org_of(said):
    text = (OCTOBER / "org.yaml").read_text(encoding="utf-8")
    if "services" not in said:
        return text
    before, _, after = text.partition("services:\n")
    return (
        f"{before}services:\n"
        + "\n".join(said["services"])
        + "\n"
        + after[after.index("unowned:") :]
    )


@pytest.fixture(params=[name for name in NAMES if (FILES / f"{name}.txt").exists()])
def scenario(request, tmp_path):
    said = sections(request.param)
    company = Company(tmp_path / "books")
    models = "\n".join(f"    {line}" for line in said["policy"])
    company.apply(
        policy=POLICY.replace(MODEL, models),
        org=org_of(said),
        **{
            kind: (OCTOBER / f"{kind}.yaml").read_text(encoding="utf-8")
            for kind in ("prices", "budgets")
        },
    )
    company.ingest(*calls(said.get("events", ())))
    company.pool("2026-10", "gateway", "160.00")
    company.run()
    company.close()
    yield company
    company.store.close()


def test_the_platform_ends_at_central_and_focus_at_the_ledger_cost(scenario):
    issue = scenario.statements()
    journal = neutral_journal(scenario.store, Period(2026, 10), Accounts())
    control = journal.control
    assert control.rounding_cents == control.billed_cents == 0
    stays = control.held_cents + control.accrued_cents - control.recharged_cents
    assert stays == issue.central_total_cents
    owed = defaultdict(int)
    for each in journal.vouchers:
        for line in each.lines:
            owed[line.team] += line.amount_cents if each.kind == "recharge" else 0
    for each in issue.statements:
        assert owed[each.team] == (each.total_cents if each.charged else 0)
    totals = Totals()
    rows = list(period_rows(scenario.store, Period(2026, 10), totals))
    assert Decimal(totals.effective_pico).scaleb(-10) == issue.ledger_cost_cents
    split = defaultdict(int)
    for row in rows:
        if row.part:
            split[row.part.origin] += row.effective_pico
    whole = {row.part.origin: row.part.origin_pico for row in rows if row.part}
    assert split == whole
