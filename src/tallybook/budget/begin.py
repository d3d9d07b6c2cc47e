"""Approving a use case: its feature, its budget and its key become rows of the books.

The policy files stay what decides: rows are added to them, `apply` records them, and the decision
is written down last. Each step finds what an earlier attempt did, so one that was cut off is run
again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tallybook.books.add_row import with_row
from tallybook.books.documents import Document, read_folder
from tallybook.budget.approve import record_decision, require_approver
from tallybook.budget.ask import request_of
from tallybook.budget.model import Request
from tallybook.errors import BooksError, BudgetError
from tallybook.money import NANO_SCALE, format_units, parse_amount
from tallybook.post.apply import apply_documents, current_documents
from tallybook.post.basis import latest_books
from tallybook.store import Store
from tallybook.store.commands import Command

WARN: Final = "80%"
Row = Mapping[str, str | Sequence[str]]


def begin(
    store: Store,
    request: int,
    folder: Path,
    *,
    amount: str = "",
    reason: str = "",
    command: Command,
    now_us: int,
) -> Request:
    """Approve a use case and let it begin.

    Args:
        store: open books.
        request: the number of its proposal.
        folder: of the policy files, as last applied.
        amount: its monthly limit, at most what was proposed; without it that.
        reason: why; may be empty.
        command: as it was given; its actor decides.
        now_us: when.

    Raises:
        BudgetError: there is no such open request, the actor may not decide, or the folder holds
            changes that nobody applied.
        BooksError: the rows cannot be added to the files as they are written; nothing is changed.
    """
    with store.read() as tx:
        asked = request_of(tx, request)
        books, _ = latest_books(tx)
    if asked.kind != "use_case" or asked.decision is not None:
        state = asked.decision.verdict if asked.decision else "an increase"
        raise BudgetError(
            f"request {request} is {state}, so no use case begins with it",
            where=asked.budget,
            next_step="tallybook budget requests shows what waits",
        )
    require_approver(books, asked, command.actor, now_us)
    nano = parse_amount(amount) if amount else asked.amount_nano
    if not 0 < nano <= asked.amount_nano:
        raise BudgetError(
            f"a limit of {amount} is not within what was proposed,"
            f" {format_units(asked.amount_nano, NANO_SCALE)}",
            where=asked.budget,
            next_step="approve at most that, or have it proposed anew",
        )
    day = books.calendar.date_of(now_us)
    if not any(feature.id == asked.subject for feature in books.org.features):
        wanted = _added(store, folder, rows_of(asked, nano, day))
        apply_documents(store, wanted, command, now_us)
    with store.write() as tx:
        asked = request_of(tx, request)
        if asked.decision is not None:
            return asked
        return record_decision(
            tx, asked, "approved", nano, now_us, 0, reason, command, now_us, {"from": day}
        )


def rows_of(asked: Request, nano: int, day: str) -> list[tuple[str, str, Row]]:
    """File, list and row of everything that a use case begins with."""
    told = asked.details
    approvers = [str(one) for one in told["approvers"]]
    feature: Row = {"id": asked.subject, "team": told["team"], "name": told["name"], "from": day}
    key: Row = {"id": told["key"], "feature": asked.subject, "purpose": told["purpose"]}
    budget: Row = {
        "feature": asked.subject,
        "from": day[:7],
        "monthly": _amount(nano),
        "warn": [WARN],
        "over": "approval",
        "approvers": approvers,
    }
    return [
        ("org", "features", feature),
        ("org", "keys", {**key, "from": day}),
        ("budgets", "budgets", budget),
    ]


def _added(
    store: Store, folder: Path, rows: Sequence[tuple[str, str, Row]]
) -> Mapping[str, Document]:
    """Add rows to the files of a folder and read it again: what it says is to be applied."""
    before = read_folder(folder)
    applied = current_documents(store)
    stale = [kind for kind, document in before.items() if _differs(document, applied.get(kind))]
    texts = {kind: _text(folder, kind) for kind, _, _ in rows}
    for kind, section, row in rows:
        has = any(_same(row, held) for held in json.loads(before[kind].body).get(section, ()))
        if not has:
            texts[kind] = with_row(texts[kind], section, row, f"{kind}.yaml")
    if stale and not _is_only(rows, before, applied):
        raise BudgetError(
            f"{', '.join(f'{kind}.yaml' for kind in stale)} in {folder} is not what was applied",
            where=str(folder),
            next_step=f"tallybook apply {folder} --plan, then apply it, then approve",
        )
    held = {kind: _text(folder, kind) for kind in texts}
    try:
        for kind, text in texts.items():
            _write(folder / f"{kind}.yaml", text)
        return read_folder(folder)
    except BooksError:
        for kind, text in held.items():
            _write(folder / f"{kind}.yaml", text)
        raise


def _is_only(
    rows: Sequence[tuple[str, str, Row]],
    before: Mapping[str, Document],
    applied: Mapping[str, Document],
) -> bool:
    """Whether the folder has only these rows beyond what was applied: an earlier attempt."""
    for kind, document in before.items():
        now = json.loads(document.body)
        then = json.loads(applied[kind].body) if kind in applied else {}
        for of, section, row in rows:
            if of == kind and section in now:
                kept = [held for held in now[section] if not _same(row, held)]
                now[section] = kept
                if not kept and section not in then:
                    del now[section]
        if now != then:
            return False
    return True


def _same(row: Row, held: Mapping[str, Any]) -> bool:
    return dict(held) == dict(row)


def _differs(document: Document, applied: Document | None) -> bool:
    return document.sha256 != applied.sha256 if applied else json.loads(document.body) != {}


def _text(folder: Path, kind: str) -> str:
    path = folder / f"{kind}.yaml"
    return path.read_text("utf-8") if path.exists() else ""


def _write(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _amount(nano: int) -> str:
    """An amount as policy files write it: two decimals unless it has more."""
    whole, _, places = format_units(nano, NANO_SCALE).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
