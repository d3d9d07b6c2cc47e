"""The order in which a statement is read, shared by every rendering.

Usage by feature first, then what others ran for the team and what it pays for others, their sum,
then transfer prices and what the policy adds. Lines that are not added stand in brackets: beside
their feature, or after the total.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tallybook.report import figures
from tallybook.report.model import Statement, StatementLine, StatementSet

Role = Literal["line", "note", "subtotal"]

KIND_WORDS = {
    "usage": "Usage",
    "transfer": "Transfers between teams",
    "markup": "Markup",
    "pool": "Shared cost pools",
    "evaluation": "Pooled evaluation",
    "commitment": "Budget commitment",
    "variance": "Variances",
    "adjustment": "Adjustments",
}
PRICES = "Transfer prices"
USED = ("usage", "transfer")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a statement's table, all texts ready.

    Attributes:
        name: feature or words of the line; empty on the second and later rows of a feature.
        purpose: second column.
        amount: grouped decimal text; of a note, in brackets.
        remark: of a note beside its feature, the words that belong to the amount.
    """

    role: Role
    name: str
    purpose: str = ""
    calls: str = ""
    tokens: str = ""
    share: str = ""
    amount: str = ""
    remark: str = ""
    group_start: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """The rows before the total, the rows after it, and the words of the total."""

    rows: tuple[Row, ...]
    after: tuple[Row, ...]
    total_label: str
    total: str


def outline(issue: StatementSet, statement: Statement) -> Outline:
    """Bring the lines of a statement into reading order."""
    used = [line for line in statement.lines if _is_own(line)]
    moved = [
        line
        for line in statement.lines
        if line.kind in USED and not _is_own(line) and not line.is_price
    ]
    rest = [line for line in statement.lines if line.is_price]
    rest += [line for line in statement.lines if line.kind not in USED]
    features = list(dict.fromkeys(line.feature for line in used))
    rows: list[Row] = []
    for feature in features:
        rows += _feature_rows(statement, used, feature)
    rows += [_row(line, group_start=True) for line in moved]
    if rest and len(used) + len(moved) > 1:
        rows.append(_subtotal(used, moved))
    rows += [_row(line, group_start=True) for line in rest]
    apart = [note for note in statement.notes if not _beside(note, features)]
    label = "Charge for" if statement.charged else "Shown, not charged, for"
    return Outline(
        rows=tuple(rows),
        after=tuple(_note_row(note) for note in apart),
        total_label=f"{label} {issue.period_label}",
        total=figures.money(statement.total_cents),
    )


def _is_own(line: StatementLine) -> bool:
    """Whether the line is usage that the team caused and ran itself."""
    return line.kind == "usage" and line.transfer is None


def source_words(line: StatementLine) -> str:
    """What a line that is no usage of the team's own counts as, in a word or two."""
    if line.is_price:
        return PRICES
    return KIND_WORDS["transfer" if line.transfer else line.kind]


def line_name(line: StatementLine) -> str:
    """The words by which a line is called; never empty."""
    if _is_own(line):
        return line.feature_name or line.feature or line.label or "Usage without a feature"
    return line.label or source_words(line)


def _beside(note: StatementLine, features: list[str]) -> bool:
    """Whether a note stands with its feature; one without a feature is the whole team's."""
    return note.feature != "" and note.feature in features


def _feature_rows(statement: Statement, used: list[StatementLine], feature: str) -> list[Row]:
    lines = [line for line in used if line.feature == feature]
    rows = [
        _row(line, group_start=place == 0, named=place == 0) for place, line in enumerate(lines)
    ]
    rows += [
        Row(
            role="note",
            name="",
            purpose=_purpose(note),
            calls=figures.count(note.quantity.calls),
            tokens=figures.tokens(note.quantity.tokens),
            amount=f"({figures.money(note.amount_cents)})",
            remark=note.label,
        )
        for note in statement.notes
        if _beside(note, [feature])
    ]
    return rows


def _row(line: StatementLine, *, group_start: bool, named: bool = True) -> Row:
    return Row(
        role="line",
        name=line_name(line) if named else "",
        purpose=_purpose(line) if _is_own(line) else _whose(line),
        calls=figures.count(line.quantity.calls),
        tokens=figures.tokens(line.quantity.tokens),
        share=line.share,
        amount=figures.money(line.amount_cents),
        group_start=group_start,
    )


def _note_row(note: StatementLine) -> Row:
    return Row(
        role="note",
        name=", ".join(part for part in (note.feature_name, note.purpose, note.label) if part)
        or line_name(note),
        calls=figures.count(note.quantity.calls),
        tokens=figures.tokens(note.quantity.tokens),
        share=note.share,
        amount=f"({figures.money(note.amount_cents)})",
        group_start=True,
    )


def _subtotal(used: list[StatementLine], moved: list[StatementLine]) -> Row:
    both = [*used, *moved]
    return Row(
        role="subtotal",
        name="Usage and transfers" if moved else "Usage",
        calls=figures.count(sum(line.quantity.calls for line in both)),
        tokens=figures.tokens(sum(line.quantity.tokens for line in both)),
        amount=figures.money(sum(line.amount_cents for line in both)),
        group_start=True,
    )


def _whose(line: StatementLine) -> str:
    """The feature that a transfer is for, with its purpose; of anything else, its purpose."""
    if line.transfer is None:
        return line.purpose
    return ", ".join(part for part in (line.feature_name, line.purpose) if part)


def _purpose(line: StatementLine) -> str:
    return ", ".join(part for part in (line.purpose, line.detail) if part)
