"""`label`: a team's CI refuses an AI feature without a cost label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import yaml

from tallybook.books.documents import parse, read_folder
from tallybook.books.model import Books
from tallybook.budget.labels import (
    CODE,
    CONFIG,
    LABEL_FILE,
    Checked,
    Row,
    check_labels,
    checked_values,
    is_good,
)
from tallybook.cli.app import App
from tallybook.cli.options import json_option
from tallybook.errors import WrongUsageError
from tallybook.post.basis import latest_books

PASSED_OVER: Final = frozenset(
    {".git", "node_modules", ".venv", "venv", "__pycache__", "site-packages", ".tox", ".mypy_cache"}
)
BYTES_MAX: Final = 5_000_000
_KEYS: Final = ("path", "feature", "key", "none", "mark")


@click.group()
def label() -> None:
    """Cost labels in a team's sources: which use case the calls of a model are for.

    Example:  tallybook label check src --books books
    """


@label.command()
@click.argument(
    "paths", metavar="[FILES]...", nargs=-1, type=click.Path(path_type=Path, exists=True)
)
@click.option(
    "--books", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Policy files to check against (else the books of --home as applied).",
)  # fmt: skip
@click.option(
    "--labels", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"The label file (else {LABEL_FILE} in this folder).",
)  # fmt: skip
@json_option
@click.pass_context
def check(
    ctx: click.Context, paths: tuple[Path, ...], books: Path | None, labels: Path | None
) -> None:
    """Exit 1 if a file of FILES (else this folder) calls a model without a label the books know.

    A use of a model is told by a provider's host, client library or key name; a label by the header
    x-tallybook-feature, the setting TALLYBOOK_FEATURE, baggage chargeback.feature, tag(feature=),
    a comment "tallybook: feature=ID", or a row of the label file. What cannot be told is a fault.

    Examples:  tallybook label check
    tallybook label check src deploy --books ../books --json
    """
    app: App = ctx.obj
    place = labels or Path(LABEL_FILE)
    rows = _rows(place) if place.exists() else ()
    root = place.parent.resolve()
    texts = list(_texts(paths or (Path(),), root, place))
    found = check_labels(texts, rows, _books(app, books), app.clock.now_us())
    app.answer(checked_values(found), _text(found))
    ctx.exit(0 if is_good(found) else 1)


def _books(app: App, folder: Path | None) -> Books:
    if folder:
        return parse(read_folder(folder))
    with app.store.read() as tx:
        return latest_books(tx)[0]


def _rows(path: Path) -> tuple[Row, ...]:
    try:
        told: Any = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WrongUsageError(f"{path} is not YAML: {error}") from error
    rows = told.get("labels") if isinstance(told, dict) and set(told) <= {"labels"} else None
    if not isinstance(rows, list):
        raise WrongUsageError(
            f"{path} has no list of labels",
            next_step='write: labels: [{path: "src/*", feature: refund-bot}]',
        )
    return tuple(_row(row, number, path) for number, row in enumerate(rows, 1))


def _row(row: Any, number: int, path: Path) -> Row:
    good = isinstance(row, dict) and all(
        name in _KEYS and isinstance(value, str) and value for name, value in row.items()
    )
    stated = [name for name in ("feature", "key", "none") if good and name in row]
    if not good or "path" not in row or (len(stated) != 1 and not (row.get("mark") and not stated)):
        raise WrongUsageError(
            f"{path}: row {number} is not understood: {row!r}",
            next_step="write path, and one of feature, key or none with the reason; mark is a text",
        )
    return Row(**row)


def _texts(paths: Sequence[Path], root: Path, labels: Path) -> Iterator[tuple[str, str]]:
    """Every file that is named or lies in a folder that is, by its path from the label file."""
    seen: set[Path] = set()
    for path in paths:
        for file in [path] if path.is_file() else sorted(_below(path)):
            full = file.resolve()
            if full in seen or full == labels.resolve():
                continue
            seen.add(full)
            name = full.relative_to(root) if full.is_relative_to(root) else full
            yield name.as_posix(), _read(file)


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inner = path.relative_to(folder).parts
        if PASSED_OVER.isdisjoint(inner) and path.is_file() and _is_read(path):
            yield path


def _is_read(path: Path) -> bool:
    named = path.name in {"Dockerfile", "Makefile", ".env"} or path.name.startswith(".env.")
    return named or path.suffix in CODE or path.suffix in CONFIG


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise WrongUsageError(
                f"{path} has more than {BYTES_MAX:,} bytes", next_step="name the files to check"
            )
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise WrongUsageError(
            f"{path} is not UTF-8 text, so nobody can say what it calls",
            next_step="save it as UTF-8, or name the files to check",
        ) from error


def _text(found: Checked) -> str:
    lines = [f"{one.place}: {one.what}\n  next: {one.next_step}" for one in found.faults]
    lines += [f"{path}: {', '.join(used)}" for path, used in sorted(found.uses.items()) if used]
    lines += [f"{path}: needs no label" for path in found.exempt]
    if not found.read:
        return "no file was read, so nothing is checked\n  next: name the files or folders to check"
    told = f"{found.read:,} files read, {len(found.uses) + len(found.exempt):,} call models"
    return "\n".join([*lines, f"{told}, {len(found.faults):,} faults"])
