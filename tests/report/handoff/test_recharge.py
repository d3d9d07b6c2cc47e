"""What teams owe: each team's lines are its statement, by cost class, feature and month of service."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.recharge import recharged, service_period
from tallybook.report.model import Quantity, StatementLine


def line(kind, cents, purpose="", detail="", number=0):
    return StatementLine(
        f"L-{number}", "", "", purpose, kind, detail, "", Quantity(0, 0, {}), cents
    )


def of(issue, *lines):
    """The set with one charged statement of these lines."""
    total = sum(each.amount_cents for each in lines)
    first = replace(issue.statements[0], lines=tuple(lines), total_cents=total)
    cost = total + issue.central_total_cents
    return replace(issue, statements=(first,), charged_total_cents=total, ledger_cost_cents=cost)


def by_class(issue):
    return {key.cost_class: cents for key, cents in recharged(issue, Accounts()).items()}


def test_a_line_without_a_purpose_follows_the_teams_own_usage(real_cost):
    usage = (line("usage", 300, "production", number=1), line("usage", 100, "training", number=2))
    assert by_class(of(real_cost, *usage, line("markup", 41, number=3))) == {
        "cost_of_revenue": 331, "research_and_development": 110,
    }  # fmt: skip


def test_the_share_of_pooled_evaluation_is_research(real_cost):
    lines = (line("usage", 300, "production"), line("evaluation", 75, detail="quality", number=1))
    assert by_class(of(real_cost, *lines)) == {
        "cost_of_revenue": 300, "research_and_development": 75,
    }  # fmt: skip


def test_a_team_without_usage_takes_the_class_of_production(real_cost):
    assert by_class(of(real_cost, line("pool", -75))) == {"cost_of_revenue": -75}


def test_teams_that_are_only_shown_owe_nothing(mixed):
    assert {key.team for key in recharged(mixed, Accounts())} == {"A"}


def test_an_adjustment_is_of_the_month_that_it_is_about(real_cost):
    lines = (
        line("adjustment", 9, detail="2026-08 late calls"),
        line("usage", 5, "internal", number=1),
    )
    found = recharged(of(real_cost, *lines), Accounts())
    assert {key.service_period: cents for key, cents in found.items()} == {
        "2026-08": 9,
        "2026-10": 5,
    }
    assert service_period(line("pool", 1, detail="2026-99x"), "2026-10") == "2026-10"


KINDS = st.sampled_from(
    ["usage", "transfer", "markup", "pool", "evaluation", "adjustment", "variance"]
)
PURPOSES = st.sampled_from(["", "production", "evaluation", "training", "internal", "untagged"])


@given(st.lists(st.tuples(KINDS, st.integers(-(10**9), 10**9), PURPOSES), max_size=12))
def test_what_is_owed_is_the_statement_to_the_cent(lines):
    statement = [
        line(kind, cents, purpose, number=n) for n, (kind, cents, purpose) in enumerate(lines)
    ]
    issue = of(_ISSUE, *statement)
    assert sum(recharged(issue, Accounts()).values()) == issue.charged_total_cents


def _issue():
    from ..conftest import CENTRAL, statement, statement_set  # noqa: PLC0415, TID252

    return statement_set(CENTRAL, [statement("A", "Support", [])])


_ISSUE = _issue()
