"""`balance`, `trial-balance`, `journal` and `export`: the books themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallybook.cli.app import App, parse_period, table
from tallybook.cli.handoff import COST_AND_USAGE, export_focus, export_journal, export_text
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period, format_instant
from tallybook.ledger.balance import balances
from tallybook.ledger.balance import trial_balance as fold_trial_balance
from tallybook.ledger.journal import JournalEntry
from tallybook.ledger.journal import entries as journal_entries
from tallybook.money import NANO_SCALE, format_units
from tallybook.post.basis import latest_books
from tallybook.report.handoff.export import Order
from tallybook.report.handoff.focus.datasets import DATASETS
from tallybook.report.handoff.focus.spell import VERSIONS
from tallybook.report.handoff.mapping import ERPS
from tallybook.report.trial_balance import trial_balance_text

CENT_PLACES = 2


def exact(nano: int) -> str:
    """An amount with every digit it has, and two decimals at least; zero is "0"."""
    if not nano:
        return "0"
    whole, _, places = format_units(nano, NANO_SCALE).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(CENT_PLACES, '0')}"


@click.command()
@click.argument("account", required=False, default="")
@click.option("--period", default="", help="Only what posted into this period.")
@json_option
@click.pass_obj
def balance(app: App, account: str, period: str) -> None:
    """Balances by account, team and feature; ACCOUNT is a prefix such as Charge:support.

    Example:  tallybook balance Charge --period 2026-10
    """
    only = str(parse_period(period)) if period else None
    with app.store.read() as tx:
        held = [b for b in balances(tx, only) if b.account.startswith(account)]
    values = [
        {"account": b.account, "team": b.team, "feature": b.feature, "balance": exact(b.nano)}
        for b in held
    ]
    rows = [[b.account, b.team, b.feature, exact(b.nano)] for b in held]
    app.answer(values, table(("account", "team", "feature", "balance"), rows, right=(3,)))


@click.command("trial-balance")
@click.argument("period", required=False, default="")
@json_option
@click.pass_obj
def trial_balance(app: App, period: str) -> None:
    """All balances; they sum to zero. Memo accounts are shown and stand outside the sum.

    Example:  tallybook trial-balance 2026-10
    """
    only = str(parse_period(period)) if period else None
    with app.store.read() as tx:
        rows = fold_trial_balance(tx, only)
        currency = latest_books(tx)[0].org.company.currency
    accounts = [
        {
            "account": row.account,
            "team": row.team,
            "feature": row.feature,
            "opening": exact(row.opening_nano),
            "debit": exact(row.debit_nano),
            "credit": exact(row.credit_nano),
            "closing": exact(row.closing_nano),
        }
        for row in rows
    ]
    total = sum(row.closing_nano for row in rows if not row.memo)
    title = f"Trial balance {period}".strip()
    app.answer(
        {"accounts": accounts, "sum": exact(total)}, trial_balance_text(rows, currency, title)
    )


@click.command()
@click.argument("period", required=False, default="")
@json_option
@click.pass_obj
def journal(app: App, period: str) -> None:
    """The entries in the order in which they were recorded.

    Example:  tallybook journal 2026-10 --json
    """
    only = str(parse_period(period)) if period else None
    with app.store.read() as tx:
        entries = list(journal_entries(tx, only))
    app.answer([_entry_value(entry) for entry in entries], "\n\n".join(map(_entry_text, entries)))


@click.command()
@click.argument("form", type=click.Choice(("focus", "journal", "beancount", "hledger")))
@period_argument
@click.option("--out", type=click.Path(path_type=Path), help="The file; of journal, the folder.")
@click.option(
    "--focus-version", type=click.Choice(VERSIONS), default="1.4", show_default=True,
    help="focus: of the specification.",
)  # fmt: skip
@click.option(
    "--dataset", type=click.Choice((COST_AND_USAGE, *DATASETS)), default=COST_AND_USAGE,
    show_default=True, help="focus 1.4: which dataset.",
)  # fmt: skip
@click.option("--erp", type=click.Choice(ERPS), help="journal: whose form; else the neutral one.")
@click.option(
    "--accounts", type=click.Path(path_type=Path, exists=True),
    help="journal: what the ERP calls our accounts, and how accruals reverse.",
)  # fmt: skip
@click.option(
    "--chart", type=click.Path(path_type=Path, exists=True),
    help="journal: the ERP's chart, which every account, dimension and period must stand in.",
)  # fmt: skip
@click.option("--version", type=int, help="journal: an earlier issued version.")
@click.option("--draft", is_flag=True, help="journal: an open period, as it stands.")
@json_option
@click.pass_obj
def export(
    app: App,
    form: str,
    period: Period,
    out: Path | None,
    focus_version: str,
    dataset: str,
    erp: str | None,
    accounts: Path | None,
    chart: Path | None,
    version: int | None,
    *,
    draft: bool,
) -> None:
    """Write PERIOD for another system: FOCUS, journals for an ERP, beancount or hledger.

    Examples:  tallybook export focus 2026-10 --out focus-2026-10.csv
    tallybook export focus 2026-10 --dataset invoice-detail --out invoices-2026-10.csv
    tallybook export journal 2026-10
    tallybook export journal 2026-10 --erp netsuite --accounts a.yaml --chart c.csv --out october
    tallybook export beancount 2026-10 --out october.beancount
    """
    if form == "focus":
        export_focus(app, period, out, focus_version, dataset)
    elif form == "journal":
        export_journal(app, Order(period, erp or "", accounts, chart, version, draft), out)
    else:
        export_text(app, form, period, out)


def _entry_value(entry: JournalEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "reason": str(entry.reason),
        "period": entry.period,
        "service_period": entry.service_period,
        "recorded_at": format_instant(entry.recorded_us),
        "actor": entry.actor,
        "text": entry.text,
        "corrects": entry.corrects,
        "versions": dict(entry.versions),
        "hash": entry.hash,
        "postings": [
            {**posting.key._asdict(), "amount": exact(posting.amount_nano)}
            for posting in entry.postings
        ],
    }


def _entry_text(entry: JournalEntry) -> str:
    head = f"{entry.id}  {entry.period}  {entry.reason}  {entry.text}"
    rows = [
        [
            p.account,
            " ".join(part for part in (p.feature, p.purpose, p.service, p.detail) if part),
            exact(p.amount_nano),
        ]
        for p in entry.postings
    ]
    return head + "\n" + table(("account", "for", "amount"), rows, right=(2,))
