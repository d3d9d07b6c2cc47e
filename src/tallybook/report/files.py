"""Statements in every form: one text to print, or files in a folder."""

from __future__ import annotations

import json
from pathlib import Path

from tallybook.report.body import body
from tallybook.report.csv_rows import csv_text
from tallybook.report.html import statement_file, statement_html, summary_html
from tallybook.report.model import StatementSet
from tallybook.report.text import set_text, statement_text

FORMATS = ("text", "html", "csv", "json")
_SUFFIXES = {"text": "txt", "csv": "csv", "json": "json"}


def render(issue: StatementSet, form: str, team: str = "") -> str:
    """The whole set, or one team's statement, as one text. CSV and JSON always hold the set.

    Raises:
        LedgerError: the team has no statement in the set.
    """
    if team:
        issue.statement(team)
    if form == "json":
        return json.dumps(body(issue), indent=2, ensure_ascii=False)
    if form == "csv":
        return csv_text(issue)
    if form == "html":
        return statement_html(issue, team) if team else summary_html(issue)
    return statement_text(issue, team) if team else set_text(issue)


def write_files(issue: StatementSet, form: str, folder: Path, team: str = "") -> list[Path]:
    """Write a set into a folder; HTML makes a summary that links to a page per team.

    Returns:
        the files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if form != "html":
        name = f"statements-{issue.period}{f'-{team}' if team else ''}.{_SUFFIXES[form]}"
        return [_written(folder / name, render(issue, form, team))]
    teams = [team] if team else [each.team for each in issue.statements]
    pages = [_written(folder / statement_file(each), statement_html(issue, each)) for each in teams]
    return pages if team else [_written(folder / "index.html", summary_html(issue)), *pages]


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
