"""Statements and trial balance as a workbook with real numbers, and the sheet that ties them.

A spreadsheet keeps 15 significant digits, so amounts are cents and beyond that refused. Numbers go
in as exact decimals, never as floats; the same books give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

from tallybook.clock import Period
from tallybook.errors import HandoffError
from tallybook.ledger.balance import TrialRow
from tallybook.ledger.chart import Family, check_account
from tallybook.money import NANO_SCALE, cents_of_lines, cents_of_nano, format_cents, format_units
from tallybook.report.handoff.accrual import LEDGER_COST
from tallybook.report.handoff.model import NeutralJournal
from tallybook.report.model import StatementSet

CENTS_MAX: Final = 10**15
MONEY: Final = "#,##0.00;[Red]-#,##0.00"
COUNT: Final = "#,##0"
OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}

Cell = str | int | Decimal | None


@dataclass(frozen=True, slots=True)
class TrialCents:
    """A row of the trial balance in cents: opening + debit - credit = closing."""

    row: TrialRow
    opening: int
    debit: int
    credit: int
    closing: int


@dataclass(frozen=True, slots=True)
class Control:
    """One figure said twice; ``difference`` must be nothing."""

    what: str
    here: int
    there: int

    @property
    def difference(self) -> int:
        """What the two differ by, in cents."""
        return self.here - self.there


def workbook(
    issue: StatementSet,
    trial: Sequence[TrialRow] | None,
    journal: NeutralJournal | None,
    team: str = "",
) -> bytes:
    """The bytes of a workbook: Summary, Statements, Central, Trial balance and Control.

    Args:
        issue: the statements.
        trial: the trial balance of their period; None where it has moved on since.
        journal: what was handed to the ERP; None where there is none.
        team: whose lines alone; the control sheet is of all.

    Raises:
        HandoffError: an amount beyond the 15 digits that a spreadsheet keeps.
        LedgerError: the team has no statement in the set.
    """
    if team:
        issue.statement(team)
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, OPTIONS)
    made = datetime.fromisoformat(Period.parse(issue.period).last_day())
    title = f"{issue.company}, statements of {issue.period}"
    book.set_properties({"title": title, "created": made})
    writer = SheetWriter(book)
    writer.sheet("Summary", ("", ""), _summary(issue))
    writer.sheet("Statements", _LINE_HEAD, _lines(issue, team))
    writer.sheet("Central", ("kind", "detail", "label", "amount"), _central(issue))
    cents = trial_cents(trial, issue.period) if trial is not None else []
    if trial is not None:
        writer.sheet("Trial balance", _TRIAL_HEAD, map(_trial_cells, cents))
    writer.sheet("Control", _CONTROL_HEAD, _control_cells(controls(issue, cents)))
    if journal is not None:
        writer.sheet("Journals", _JOURNAL_HEAD, _journal_cells(journal))
    book.close()
    return packed.getvalue()


def trial_cents(rows: Iterable[TrialRow], period: str) -> list[TrialCents]:
    """A trial balance in cents: openings and closings sum to zero still, each row ties.

    Booked and memo rows cross apart, because each of the two sums to zero.
    """
    found = []
    every = list(rows)
    for memo in (False, True):
        some = [row for row in every if row.memo is memo]
        names = [f"{row.account}\x1f{row.team}\x1f{row.feature}" for row in some]
        openings = cents_of_lines([row.opening_nano for row in some], names, f"opening:{period}")
        closings = cents_of_lines([row.closing_nano for row in some], names, f"closing:{period}")
        for row, opening, closing in zip(some, openings, closings, strict=True):
            debit = cents_of_nano(row.debit_nano)
            found.append(TrialCents(row, opening, debit, opening + debit - closing, closing))
    return found


def controls(issue: StatementSet, trial: Sequence[TrialCents]) -> list[Control]:
    """Every figure that stands on two papers."""
    found = [
        Control(
            f"Statement of {each.team}: lines and total",
            sum(line.amount_cents for line in each.lines),
            each.total_cents,
        )
        for each in issue.statements
    ]
    charged = sum(each.total_cents for each in issue.statements if each.charged)
    central = sum(line.amount_cents for line in issue.central)
    found += [
        Control("Charged statements and charged total", charged, issue.charged_total_cents),
        Control("Central lines and central total", central, issue.central_total_cents),
        Control("Charged + central and ledger cost", charged + central, issue.ledger_cost_cents),
    ]
    if trial:
        booked = [each for each in trial if not each.row.memo]
        found += [
            Control("Trial balance: sum of closings", sum(each.closing for each in booked), 0),
            Control("Trial balance: charged in the month, and charged total",
                    _moved(trial, {Family.CHARGE}), issue.charged_total_cents),
            Control("Trial balance: ledger cost of the month, and ledger cost",
                    _moved(trial, LEDGER_COST), issue.ledger_cost_cents),
        ]  # fmt: skip
    return found


def _moved(trial: Sequence[TrialCents], families: Iterable[Family]) -> int:
    """What some families moved in the month, summed exactly and rounded once."""
    held = set(families)
    rows = (each.row for each in trial if check_account(each.row.account) in held)
    return cents_of_nano(sum(row.debit_nano - row.credit_nano for row in rows))


_LINE_HEAD: Final = (
    "team", "team name", "cost center", "model", "charged", "line", "feature", "purpose", "kind",
    "detail", "label", "calls", "tokens", "share", "amount",
)  # fmt: skip
_TRIAL_HEAD: Final = (
    "account", "team", "feature", "opening", "debit", "credit", "closing", "closing, exact",
)  # fmt: skip
_CONTROL_HEAD: Final = ("control", "here", "there", "difference")
_JOURNAL_HEAD: Final = ("voucher", "kind", "entity", "date", "reverses on", "lines", "debit")


def _money(cents: int) -> Decimal:
    if abs(cents) >= CENTS_MAX:
        raise HandoffError(
            f"{format_cents(cents)} has more than the 15 digits that a spreadsheet keeps",
            next_step="take --format csv or json, which keep every digit",
        )
    return Decimal(format_cents(cents))


def _summary(issue: StatementSet) -> Iterable[tuple[Cell, ...]]:
    said: dict[str, Cell] = {
        "Company": issue.company,
        "Period": issue.period_label,
        "Statements": f"S-{issue.period} v{issue.version}",
        "Status": issue.status,
        "Currency": issue.currency,
        "Charged": _money(issue.charged_total_cents),
        "Shown, not charged": _money(issue.shown_total_cents),
        "Central": _money(issue.central_total_cents),
        "Ledger cost": _money(issue.ledger_cost_cents),
        "Body": issue.body_sha256,
        "Seal": issue.seal,
    }
    if issue.simulated:
        yield ("SIMULATED DATA", "no company, no provider, no money")
    yield from said.items()
    for each in issue.statements:
        name = f"{each.team_name}, {'charged' if each.charged else 'shown'}"
        yield name, _money(each.total_cents)


def _lines(issue: StatementSet, team: str) -> Iterable[tuple[Cell, ...]]:
    for each in issue.statements:
        if team in ("", each.team):
            for line in each.lines:
                yield (
                    each.team, each.team_name, each.cost_center, each.model,
                    "yes" if each.charged else "no", line.id, line.feature_name, line.purpose,
                    line.kind, line.detail, line.label, line.quantity.calls, line.quantity.tokens,
                    line.share, _money(line.amount_cents),
                )  # fmt: skip


def _central(issue: StatementSet) -> Iterable[tuple[Cell, ...]]:
    for line in issue.central:
        yield line.kind, line.detail, line.label, _money(line.amount_cents)


def _trial_cells(each: TrialCents) -> tuple[Cell, ...]:
    row = each.row
    figures = (each.opening, each.debit, each.credit, each.closing)
    exact = format_units(row.closing_nano, NANO_SCALE)
    return (row.account, row.team, row.feature, *map(_money, figures), exact)


def _control_cells(found: Iterable[Control]) -> Iterable[tuple[Cell, ...]]:
    for each in found:
        yield each.what, _money(each.here), _money(each.there), _money(each.difference)


def _journal_cells(journal: NeutralJournal) -> Iterable[tuple[Cell, ...]]:
    for each in journal.vouchers:
        yield (each.external_id, each.kind, each.entity, each.date, each.reverses_on,
               len(each.lines), _money(each.debit_cents))  # fmt: skip


class SheetWriter:
    """Writes sheets: a bold head that stays in view, and each kind of cell in its format."""

    _WIDTH_MAX = 48

    def __init__(self, book: Any, money_format: str = MONEY) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._money = book.add_format({"num_format": money_format})
        self._count = book.add_format({"num_format": COUNT})

    def sheet(self, name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """A sheet with a head and rows; texts are texts, whatever they begin with."""
        page = self._book.add_worksheet(name)
        widths = [len(text) for text in head]
        for column, text in enumerate(head):
            page.write_string(0, column, text, self._head)
        last = 0
        for last, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                widths[column] = max(widths[column], len(str(value)))
                self._cell(page, last, column, value)
        for column, width in enumerate(widths):
            page.set_column(column, column, min(width, self._WIDTH_MAX) + 2)
        page.freeze_panes(1, 0)
        if last and all(head):
            page.autofilter(0, 0, last, len(head) - 1)

    def _cell(self, page: Any, row: int, column: int, value: Cell) -> None:
        if isinstance(value, Decimal):
            page.write_number(row, column, value, self._money)
        elif isinstance(value, int):
            page.write_number(row, column, value, self._count)
        elif value:
            page.write_string(row, column, value)
