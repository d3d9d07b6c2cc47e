"""What `export` writes for other systems: FOCUS, journals for an ERP, text for ledgers in text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallybook.cli.app import App, note, table
from tallybook.clock import Period
from tallybook.errors import WrongUsageError
from tallybook.ledger.journal import entries as journal_entries
from tallybook.money import format_units
from tallybook.post.basis import latest_books
from tallybook.report.beancount import beancount_text
from tallybook.report.handoff.export import Order, hand_over
from tallybook.report.handoff.focus.datasets import write_dataset
from tallybook.report.handoff.focus.export import write_focus
from tallybook.report.handoff.hledger import hledger_text
from tallybook.report.handoff.write import write_all

PICO_SCALE = 12
COST_AND_USAGE = "cost-and-usage"
DATASETS_SINCE = "1.4"
_TEXTS = {"beancount": beancount_text, "hledger": hledger_text}


def export_text(app: App, form: str, period: Period, out: Path | None) -> None:
    """Write the entries of a period as text that another program reads."""
    with app.store.read() as tx:
        company = latest_books(tx)[0].org.company
        entries = journal_entries(tx, str(period))
        text = _TEXTS[form](entries, company.currency, f"{company.name} {period}")
    if out:
        for path in write_all(out.parent, {out.name: text.encode()}):
            note(f"wrote {path}")
    else:
        click.echo(text, nl=False)


def export_focus(app: App, period: Period, out: Path | None, version: str, dataset: str) -> None:
    """Write a period's charges as FOCUS Cost and Usage, or another dataset of FOCUS 1.4."""
    if out is None:
        raise WrongUsageError(
            "a FOCUS file is written whole or not at all, so it needs a name",
            next_step=f"tallybook export focus {period} --out focus-{period}.csv",
        )
    if dataset != COST_AND_USAGE:
        _export_dataset(app, period, out, version, dataset)
        return
    totals = write_focus(app.store, period, version, out)
    found = {
        "file": str(out),
        "version": version,
        "rows": totals.rows,
        "list_cost": format_units(totals.list_pico, PICO_SCALE),
        "contracted_cost": format_units(totals.contract_pico, PICO_SCALE),
        "effective_cost": format_units(totals.effective_pico, PICO_SCALE),
    }
    rows = [[name.replace("_", " "), str(value)] for name, value in found.items()]
    app.answer(found, table(("FOCUS", str(period)), rows, right=(1,)))


def _export_dataset(app: App, period: Period, out: Path, version: str, dataset: str) -> None:
    if version != DATASETS_SINCE:
        raise WrongUsageError(
            f"FOCUS {version} has no dataset {dataset}",
            next_step=f"leave --focus-version out, or say {DATASETS_SINCE}",
        )
    found = {"file": str(out), "version": version, "dataset": dataset,
             "rows": write_dataset(app.store, dataset, period, out)}  # fmt: skip
    rows = [[name, str(value)] for name, value in found.items()]
    app.answer(found, table(("FOCUS", str(period)), rows, right=(1,)))


def export_journal(app: App, order: Order, out: Path | None) -> None:
    """Write the accrual and the recharge of a period, and their control totals."""
    if out is None and order.erp:
        raise WrongUsageError(
            "the files for an ERP go into a folder, with their control totals",
            next_step=f"tallybook export journal {order.period} --erp {order.erp} --out DIR ...",
        )
    made = hand_over(app.store, order)
    if made.totals["simulated"]:
        note("SIMULATED DATA: no company, no provider, no money; book it nowhere")
    if out is None:
        if app.as_json:
            app.answer(made.totals, "")
        else:
            click.echo(made.files[f"journal-{order.period}.csv"].decode(), nl=False)
        return
    for path in made.write(out):
        note(f"wrote {path}")
    for said in made.totals["unverified"]:
        note(f"not verified: {said}")
    app.answer(made.totals, _control(made.totals))


def _control(totals: dict[str, Any]) -> str:
    """The vouchers, and the tie of the platform's cost center."""
    vouchers = [
        [each["external_id"], each["date"], each["reverses_on"], str(each["lines"]), each["debit"]]
        for each in totals["vouchers"]
    ]
    heads = ("voucher", "date", "reverses on", "lines", "debit = credit")
    platform = totals["platform"]
    tie = [
        ["held by the ERP itself", platform["held_by_erp"]],
        ["accrued", platform["accrued"]],
        ["billed through accounts payable", platform["billed"]],
        ["recharged to teams", platform["recharged"]],
        ["rounding to cents", platform["rounding"]],
        ["central", platform["central"]],
    ]
    center = f"cost center {platform['cost_center']}"
    return "\n\n".join(
        (table(heads, vouchers, right=(3, 4)), table((center, "amount"), tie, right=(1,)))
    )
