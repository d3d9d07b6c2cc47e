"""The budget part of a statement: figures, words, and its machine form and back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from people import OCTOBER, approved, asked, company
from tallybook.budget.model import Notice
from tallybook.post.basis import basis_at
from tallybook.post.sheet import latest_sheet
from tallybook.report.budget_body import budget_values, read_budget
from tallybook.report.budget_rows import budget_cells, budget_texts
from tallybook.report.budgets import budget_use
from tallybook.report.html import statement_html
from tallybook.report.lines import terms_of
from tallybook.report.model import BudgetAct, BudgetDecision, BudgetRow, BudgetUse
from tallybook.report.text import statement_text
from tallybook.store.notices import put_notices

CENTS = st.integers(-(10**12), 10**12)
WORDS = st.text(max_size=12)
DECISIONS = st.builds(
    BudgetDecision, verdict=st.sampled_from(["approved", "denied"]), amount_cents=CENTS,
    decided_by=WORDS, on=WORDS, requested_by=WORDS, reason=WORDS, expires=WORDS,
    request=st.integers(0, 9),
)  # fmt: skip
ROWS = st.builds(
    BudgetRow, st.sampled_from(["feature", "team"]), WORDS, WORDS,
    st.sampled_from(["", "actual", "committed"]), st.just("none"), CENTS, CENTS, CENTS,
    st.lists(DECISIONS, max_size=2).map(tuple),
    st.lists(st.builds(BudgetAct, WORDS, st.integers(1, 99), CENTS), max_size=2).map(tuple),
)  # fmt: skip


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    made = company(tmp_path_factory.mktemp("acme"))
    approved(made, asked(made).id)
    made.run()
    yield made
    made.store.close()


def use(acme, *, told=True, features=(("bot", "Bot"), ("other", "Other"))):
    with acme.store.read() as tx:
        sheet = latest_sheet(tx, "2026-10")
    basis = basis_at(acme.store, OCTOBER, sheet.versions)
    terms = terms_of(basis.books, basis.policy, OCTOBER)
    return budget_use(basis.books, terms, OCTOBER, "a", features, sheet.lines, told=told)


def test_each_budget_has_a_row_and_the_whole_team_is_in_no_sum(acme):
    found = use(acme)
    assert (found.budget_cents, found.used_cents) == (300, 100)
    assert [(row.subject, row.in_force_cents, row.used_cents) for row in found.rows] == [
        ("bot", 300, 100),
        ("a", 900, 100),
    ]
    assert found.rows[0].decisions[0].requested_by == "dana@acme"


def test_a_run_that_knew_of_no_decisions_has_the_sums_alone(acme):
    """What was issued before there were decisions is made again as it was."""
    found = use(acme, told=False)
    assert found == BudgetUse(300, 100)
    assert budget_values(found) == {"amount": "3.00", "used": "1.00"}


def test_a_team_without_budgets_has_none(acme):
    assert use(acme, told=False, features=[("other", "Other")]) is None


def test_rows_say_what_is_left_and_never_more_than_a_full_bar():
    row = BudgetRow("feature", "bot", "Bot", "committed", "stop", 100, 100, 250)
    statement = type("S", (), {"budget": BudgetUse(100, 250, (row,))})()
    (text,) = budget_texts(statement)
    assert (text.remaining, text.share, text.filled, text.is_over) == ("-1.50", "250 %", 100, True)
    nothing = replace(row, in_force_cents=0, used_cents=0)
    statement = type("S", (), {"budget": BudgetUse(0, 0, (nothing,))})()
    (text,) = budget_texts(statement)
    assert (text.share, text.filled, text.is_over) == ("", 0, False)
    assert [cells["kind"] for cells in budget_cells(statement)] == ["in_force", "used", "remaining"]


def test_a_default_limit_that_held_calls_back_is_told_of_and_in_no_sum(tmp_path):
    books = company(tmp_path / "acme", budgets='default: {monthly: "5.00", over: stop}\n')
    stop = Notice(
        notice_id="1", at_us=1, period="2026-10", budget="feature:bot", act="stop", calls=3
    )
    with books.store.write() as tx:
        put_notices(tx, [stop])
    books.run()
    issue = books.statements()
    found = issue.statement("a").budget
    assert (found.budget_cents, found.used_cents) == (0, 0)
    assert [(row.name, row.charge, row.in_force_cents, row.used_cents) for row in found.rows] == [
        ("Bot, default limit", "", 500, 100)
    ]
    text = statement_text(issue, "a")
    assert "3 calls refused at the amount" in text
    assert "Budget 0.00" not in text
    assert "no budget" not in statement_html(issue, "a")
    books.store.close()


@given(CENTS, CENTS, st.lists(ROWS, max_size=3).map(tuple))
def test_the_machine_form_reads_back(amount, used, rows):
    held = BudgetUse(amount, used, rows)
    assert read_budget(budget_values(held)) == held
