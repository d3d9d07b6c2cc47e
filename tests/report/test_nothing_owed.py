"""An invocation that owes nothing is no line: what stands on a statement can be explained."""

from __future__ import annotations

from company import org, policy, usage
from tallybook.clock import Period
from tallybook.report.current import statements_of
from tallybook.report.explain import explain

PER_OUTCOME = '{id: retrieval, name: Retrieval, team: b, transfer: transfer_price, price: "6.00", per: outcome}'


def test_a_price_per_outcome_without_an_outcome(company):
    company.apply(
        org=org().replace(
            "{id: retrieval, name: Retrieval, team: b, transfer: caller_pays}", PER_OUTCOME
        ),
        policy=policy(),
    )
    company.ingest(usage("e-1"), usage("e-2", service="retrieval", status="error"))
    company.run()
    issue = statements_of(company.store, Period.parse("2026-10"))
    lines = [line for paper in issue.statements for line in paper.lines]
    assert not [line for line in lines if line.kind == "transfer"]
    for line in lines:
        explain(company.store, line.id)
    company.ingest(usage("e-3", service="retrieval"), name="more")
    company.run()
    issue = statements_of(company.store, Period.parse("2026-10"))
    owed = {
        paper.team: (line.amount_cents, line.quantity.calls)
        for paper in issue.statements
        for line in paper.lines
        if line.kind == "transfer"
    }
    assert owed == {"a": (600, 2), "b": (-600, 2)}
