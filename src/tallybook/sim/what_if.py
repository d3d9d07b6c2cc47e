"""A month's statements as they would be if every team were on one model. Nothing is posted."""

from __future__ import annotations

from dataclasses import replace

from tallybook.allocate.allocate import allocate
from tallybook.allocate.compare import MODELS, policies_of
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.post.basis import read_basis
from tallybook.post.compute import month_of, pool_actuals
from tallybook.post.run import targets
from tallybook.post.sheet import latest_sheet
from tallybook.report.draft import MODEL_LABELS, draft
from tallybook.report.model import StatementSet
from tallybook.store import Store


def what_ifs(store: Store, period: Period) -> dict[str, StatementSet]:
    """Draft statements of a month that has run, by model, each for all teams alike.

    They are about the month's own usage; what came late about months before is left out.

    Raises:
        PeriodError: the month was never run.
    """
    basis = read_basis(store, period)
    with store.read() as tx:
        sheet = latest_sheet(tx, str(period))
        actuals = pool_actuals(tx, str(period))
    if sheet is None:
        raise PeriodError(f"nothing is booked in {period}", next_step=f"tallybook run {period}")
    found: dict[str, StatementSet] = {}
    for model in MODELS:
        policy = policies_of(basis.policy)[model]
        supposed = replace(basis, policy=policy)
        held = targets(allocate(month_of(supposed, sheet.lines, actuals)), supposed)
        issue = draft(basis.books, policy, sheet, held, {}).statements
        company = f"{issue.company}, what if: {MODEL_LABELS[model]} for all"
        found[model] = replace(issue, company=company)
    return found
