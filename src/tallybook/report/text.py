"""Statements as plain text, at most 100 columns: for a terminal, a ticket, a mail."""

from __future__ import annotations

import itertools
import textwrap
import unicodedata

from tallybook.report import figures
from tallybook.report.budget_rows import budget_texts
from tallybook.report.model import State, Statement, StatementSet
from tallybook.report.outline import Row, outline

WIDTH = 100
NAME, PURPOSE, CALLS, TOKENS, SHARE, AMOUNT = 28, 20, 10, 10, 10, 22
WIDE = ("W", "F")


def statement_text(issue: StatementSet, team: str) -> str:
    """The statement of one team, ending in a newline.

    Raises:
        LedgerError: the team has no statement in the set.
    """
    statement = issue.statement(team)
    plan = outline(issue, statement)
    lines = _head(issue, statement)
    lines += ["", _columns("", "calls", "tokens", "share", "amount")]
    for row in plan.rows:
        lines += _row(row)
    lines += ["-" * WIDTH, _ends(plan.total_label.upper(), plan.total), "=" * WIDTH]
    if plan.after:
        lines += ["Not added:"]
        for row in plan.after:
            lines += _row(row)
    lines += _corrections(issue, statement.team)
    remarks = _remarks(issue, statement)
    lines += ["", *remarks] if remarks else []
    lines += _budgets(statement)
    lines += ["", *_foot(issue)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def summary_text(issue: StatementSet) -> str:
    """All teams, the central lines and the tie, ending in a newline."""
    lines = [
        _thirds(_clean(issue.company).upper(), "SUMMARY OF STATEMENTS", _set_number(issue)),
        _thirds("All teams", _when(issue), issue.currency),
        *_banner(issue),
        "",
        _pair("", "charged", "shown only"),
    ]
    for each in issue.statements:
        amount = figures.money(each.total_cents)
        name = f"{_clean(each.team_name)} ({_clean(each.model_label)})"
        lines += _wrapped(name, "" if each.charged else amount, amount if each.charged else "")
    charged, shown = issue.charged_total_cents, issue.shown_total_cents
    lines += [_pair("Teams", figures.money(charged), figures.money(shown) if shown else "")]
    lines += ["", "Central: what no team bears"]
    for line in issue.central:
        lines += _wrapped(_clean(line.label or line.kind), "", figures.money(line.amount_cents))
    lines += [_pair("Central", figures.money(issue.central_total_cents), ""), "", *_tie(issue)]
    lines += _corrections(issue, "")
    lines += ["", *_states(issue), "", *_foot(issue)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def set_text(issue: StatementSet) -> str:
    """The summary, then every statement, a form feed before each."""
    pages = [statement_text(issue, each.team) for each in issue.statements]
    return "\f".join([summary_text(issue), *pages])


def _head(issue: StatementSet, statement: Statement) -> list[str]:
    place = [f"Cost center {statement.cost_center}"] if statement.cost_center else []
    lines = [
        _thirds(
            _clean(issue.company).upper(),
            "CHARGEBACK STATEMENT" if statement.charged else "SHOWBACK STATEMENT",
            issue.number(statement.team),
        ),
        _thirds(_clean(statement.team_name), _when(issue), issue.currency),
        *(_fit(_clean(line), WIDTH) for line in place),
        _fit(f"Model: {_clean(statement.model_label)}", WIDTH),
        *_banner(issue),
    ]
    return lines if statement.charged else [*lines, "*** SHOWN, NOT CHARGED ***"]


def _banner(issue: StatementSet) -> list[str]:
    banner = (
        ["*** SIMULATED DATA: no company, no provider, no money ***"] if issue.simulated else []
    )
    if issue.soft_closed:
        return [*banner, "*** SOFT-CLOSED DRAFT: usage is cut off, not issued ***"]
    return [*banner, "*** DRAFT: not issued ***"] if issue.status == "draft" else banner


def _row(row: Row) -> list[str]:
    lefts = _left_cells(_clean(row.name), _clean(row.purpose))
    share, amount, below = row.share, row.amount, list[str]()
    remark = _clean(row.remark)
    beside = f"{amount[:-1]} {remark})"
    if remark and _width(beside) < SHARE + AMOUNT:
        share, amount = "", beside
    elif remark:
        below = [" " * (NAME + 2) + part for part in textwrap.wrap(remark, WIDTH - NAME - 2)]
    first = _columns(lefts[0], row.calls, row.tokens, share, amount)
    rule = ["-" * WIDTH] if row.role == "subtotal" else []
    return [*rule, first, *lefts[1:], *below]


def _left_cells(name: str, purpose: str) -> list[str]:
    """Name and purpose wrapped in their columns; a name without a purpose takes both."""
    if not purpose:
        return [_fit(part, NAME + PURPOSE) for part in textwrap.wrap(name, NAME + PURPOSE - 2)] or [
            " " * (NAME + PURPOSE)
        ]
    pairs = itertools.zip_longest(
        textwrap.wrap(name, NAME - 2), textwrap.wrap(purpose, PURPOSE - 1), fillvalue=""
    )
    return [_fit(left, NAME) + _fit(right, PURPOSE) for left, right in pairs]


def _remarks(issue: StatementSet, statement: Statement) -> list[str]:
    remarks = []
    previous, budget = statement.previous_total_cents, statement.budget
    if previous is not None:
        moved = figures.signed_money(statement.total_cents - previous)
        remarks.append(
            f"Against {figures.month_before(issue.period)} ({figures.money(previous)}): {moved}"
        )
    if budget is not None and (budget.budget_cents or not budget.rows):
        used = figures.whole_percent(budget.used_cents, budget.budget_cents)
        share = f": {used} used" if used else ""
        remarks.append(
            f"Budget {figures.money(budget.budget_cents)}{share} "
            f"({figures.money(budget.used_cents)})"
        )
    return remarks


def _budgets(statement: Statement) -> list[str]:
    """Each budget in a row, who decided what below it, and what was done at its amount."""
    texts = budget_texts(statement)
    if not texts:
        return []
    lines = ["", _budget_columns("Budgets at month end", "in force", "used", "share", "remaining")]
    for one in texts:
        name = _clean(f"{one.name}, {one.charge}" if one.charge else one.name)
        parts = textwrap.wrap(name, 38) or [""]
        lines.append(_budget_columns(parts[0], one.in_force, one.used, one.share, one.remaining))
        lines += ["  " + part for part in parts[1:]]
        for remark in one.remarks:
            lines += textwrap.wrap(
                _clean(remark), WIDTH, initial_indent="    ", subsequent_indent="      "
            )
    return lines


def _budget_columns(name: str, in_force: str, used: str, share: str, remaining: str) -> str:
    amounts = in_force.rjust(17) + used.rjust(17) + share.rjust(9) + remaining.rjust(17)
    return _fit(name, 40) + amounts


def _corrections(issue: StatementSet, team: str) -> list[str]:
    """What a corrected statement changes; of no team, the central lines."""
    if issue.version == 1:
        return []
    changed = [one for one in issue.differences if one.team == team]
    lines = ["", _fit(f"Corrected, against v{issue.version - 1}", WIDTH - 54)]
    lines[-1] += "before".rjust(18) + "now".rjust(18) + "change".rjust(18)
    for one in changed:
        moved = figures.signed_money(one.after_cents - one.before_cents)
        amounts = (figures.money(one.before_cents), figures.money(one.after_cents), moved)
        parts = textwrap.wrap(_clean(one.label), WIDTH - 56) or [""]
        lines += [_fit(parts[0], WIDTH - 54) + "".join(text.rjust(18) for text in amounts)]
        lines += ["  " + part for part in parts[1:]]
    return lines if changed else [*lines, "no line changed"]


def _tie(issue: StatementSet) -> list[str]:
    return [
        _pair("Charged to teams", figures.money(issue.charged_total_cents), ""),
        _pair("+ central", figures.money(issue.central_total_cents), ""),
        "-" * WIDTH,
        _pair("= LEDGER COST", figures.money(issue.ledger_cost_cents), ""),
        "=" * WIDTH,
    ]


def _states(issue: StatementSet) -> list[str]:
    named = (
        ("unallocated", issue.unallocated),
        ("unpriced", issue.unpriced),
        ("estimated", issue.estimated),
        ("unknown", issue.unknown),
    )
    head = _columns("What is not known for sure", "calls", "tokens", "share", "amount")
    return [head, *(_state(name, state) for name, state in named)]


def _state(name: str, state: State) -> str:
    calls, tokens = figures.count(state.calls) or "0", figures.tokens(state.tokens) or "0"
    return _columns(name, calls, tokens, state.share, figures.money(state.amount_cents))


def _foot(issue: StatementSet) -> list[str]:
    of = issue.versions
    versions = (
        f"events {figures.short_hash(of.events)}  prices {_clean(of.prices)}  policy {of.policy}  "
        f"org {of.org}  code {_clean(of.code)}"
    )
    seal = f"seal {figures.short_hash(issue.seal)}" if issue.seal else "not sealed"
    if issue.body_sha256:
        seal += f"  body {figures.short_hash(issue.body_sha256)}"
    until = f"dispute by {figures.day(issue.dispute_until)}" if issue.dispute_until else ""
    return [_fit(versions, WIDTH), _ends(seal, _clean(until))]


def _when(issue: StatementSet) -> str:
    return f"{issue.period_label}, {issue.status}"


def _set_number(issue: StatementSet) -> str:
    return f"S-{issue.period} v{issue.version}"


def _wrapped(name: str, shown: str, amount: str) -> list[str]:
    parts = textwrap.wrap(name, 56) or [""]
    return [_pair(parts[0], amount, shown), *("  " + part for part in parts[1:])]


def _pair(name: str, first: str, second: str) -> str:
    return _fit(name, WIDTH - 36) + first.rjust(18) + second.rjust(18)


def _columns(left: str, calls: str, tokens: str, share: str, amount: str) -> str:
    figures_left = _fit(left, NAME + PURPOSE) + calls.rjust(CALLS) + tokens.rjust(TOKENS)
    # A remark takes the room of share and amount together.
    right = share.rjust(SHARE) + amount.rjust(AMOUNT) if share else amount.rjust(SHARE + AMOUNT)
    return figures_left + right


def _thirds(left: str, middle: str, right: str) -> str:
    side = 34
    right = _clean(right)
    return (
        _fit(left, side)
        + _fit(middle.center(WIDTH - 2 * side), WIDTH - 2 * side)
        + right.rjust(side)
    )


def _ends(left: str, right: str) -> str:
    return left + " " * max(1, WIDTH - _width(left) - _width(right)) + right


def _fit(text: str, width: int) -> str:
    """Pad to a display width, or cut with an ellipsis."""
    if _width(text) > width:
        while _width(text) > width - 2:
            text = text[:-1]
        text += "\N{HORIZONTAL ELLIPSIS}"
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in WIDE else 1
        for sign in text
    )


def _clean(text: str) -> str:
    """One line without control characters: a name cannot forge a line of its own."""
    return "".join(sign for sign in " ".join(text.split()) if unicodedata.category(sign)[0] != "C")
