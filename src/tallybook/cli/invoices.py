"""`invoice` and `reconcile`: what providers bill, and why it is not what was metered."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from tallybook.cli.app import App, note, parse_period, table
from tallybook.cli.ledger import exact
from tallybook.cli.options import filled, json_option, period_argument
from tallybook.clock import Period, format_instant
from tallybook.clock.period import parse_date
from tallybook.errors import InvoiceError, WrongUsageError
from tallybook.meter.providers import provider_of
from tallybook.meter.sources.source import open_bytes
from tallybook.money import parse_rate, parse_units
from tallybook.post.basis import latest_books
from tallybook.reconcile.bring_in import BroughtIn, Terms, bring_in
from tallybook.reconcile.drill import VarianceCall, calls_behind
from tallybook.reconcile.exchange import Rates
from tallybook.reconcile.invoices import invoice_versions, latest, standing_lines, versions
from tallybook.reconcile.model import Reconciliation, Told, Variance
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm, load_map
from tallybook.reconcile.read.registry import read_files
from tallybook.reconcile.read.told import PICO_PLACES, Ask, in_units
from tallybook.reconcile.reconcile import reconcile as reconcile_period
from tallybook.reconcile.text import reconciliation_text, variance_text
from tallybook.reconcile.true_up import true_up as post_true_up
from tallybook.reconcile.variances import STATUSES, Decision, Tolerance, decide
from tallybook.reconcile.views import (
    csv_text,
    invoice_value,
    lines_value,
    reconciliation_value,
    variance_value,
)
from tallybook.reconcile.withdraw import withdraw as withdraw_invoice
from tallybook.report.differing import reconcile_html
from tallybook.report.handoff.reconciled import reconciliation_workbook
from tallybook.store.commands import Command, log_command

_LINES_SHOWN = 40


@click.group()
def invoice() -> None:
    """Provider invoices and cost reports: import, enter by hand, list, show, withdraw."""


@invoice.command("import")
@click.argument("provider")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option("--map", "mapping", type=click.Path(path_type=Path), help="Mapping of a plain table.")
@click.option("--period", default="", help="The month, for files whose rows have no date.")
@click.option("--total", default="", callback=filled,
              help="What the invoice states; the lines must add up to it.")  # fmt: skip
@click.option("--rate", "rates", multiple=True, help="CURRENCY=RATE@DATE, in books' currency.")
@click.option("--restate", default="", metavar="REASON", callback=filled,
              help="Why other figures replace a bill.")  # fmt: skip
@json_option
@click.pass_obj
def import_(
    app: App,
    provider: str,
    files: tuple[Path, ...],
    mapping: Path | None,
    period: str,
    total: str,
    rates: tuple[str, ...],
    restate: str,
) -> None:
    """Import a provider's invoice or cost report; a file's columns say which form it has.

    Importing again changes nothing. A report that was restated supersedes; what stood before stays
    readable. Forms: OpenAI costs, Anthropic cost report, AWS CUR 2.0, FOCUS, Azure cost details,
    Google billing export; any other table with --map.

    Examples:  tallybook invoice import openai costs.json
    tallybook invoice import aws cur-00001.parquet cur-00002.parquet
    tallybook invoice import mistral bill.csv --map bill.yaml --period 2026-10 --total 690.00
    """
    ask = Ask(provider, _window(period) if period else None)
    told = read_files(files, ask, load_map(mapping) if mapping else None)
    named = tuple((path.name, _digest(path)) for path in files)
    args = {"provider": provider, "files": [name for name, _ in named]}
    terms = Terms(
        provider,
        named,
        _rates(rates),
        parse_units(total, PICO_PLACES) if total else None,
        restate,
    )
    _taken(app, told, terms, Command("invoice import", args, app.actor))


@invoice.command("enter")
@click.argument("provider")
@click.option("--number", required=True, callback=filled, help="The number of the invoice.")
@click.option("--period", required=True, help="The month that it bills.")
@click.option("--total", required=True, callback=filled,
              help="What it states; the lines must add up to it.")  # fmt: skip
@click.option("--currency", default="", help="Its currency; else the books' currency.")
@click.option("--issued-on", default="", help="Its date.")
@click.option("--rate", "rates", multiple=True, help="CURRENCY=RATE@DATE, in books' currency.")
@click.option("--line", "lines", multiple=True, required=True, help="KIND AMOUNT [FIELD=VALUE..]")
@click.option("--restate", default="", metavar="REASON", callback=filled,
              help="Why other figures replace it.")  # fmt: skip
@json_option
@click.pass_obj
def enter(
    app: App,
    provider: str,
    number: str,
    period: str,
    total: str,
    currency: str,
    issued_on: str,
    rates: tuple[str, ...],
    lines: tuple[str, ...],
    restate: str,
) -> None:
    """Enter an invoice by hand, such as the amounts of a PDF.

    A line is a kind (usage, credit, discount, commitment, minimum, free_quota, tax, fee, fx,
    rounding, other), an amount, and what is known: day, model, token_class, quantity, key_id.

    Example:  tallybook invoice enter x --number 17 --period 2026-10 --total 690.00 --line "usage
    620.00 model=x-1" --line "tax 70.00"
    """
    with app.store.read() as tx:
        books, _ = latest_books(tx)
    form = MapForm(
        invoice=InvoiceForm(
            number=number,
            currency=currency or books.org.company.currency,
            total=total,
            issued_on=issued_on,
        )
    )
    told = typed(lines, Ask(provider, _window(period)), form)
    body = sha256("\n".join(lines).encode()).hexdigest()
    terms = Terms(provider, (("typed in", body),), _rates(rates), restate=restate)
    args = {"provider": provider, "number": number, "period": period, "lines": list(lines)}
    _taken(app, told, terms, Command("invoice enter", args, app.actor))


def _taken(app: App, told: Told, terms: Terms, command: Command) -> None:
    made = bring_in(app.store, told, terms, command, app.clock.now_us())
    left = {currency: in_units(pico) for currency, pico in told.left_out_pico.items()}
    for text in told.notes:
        note(f"note: {text}")
    if told.left_out:
        amounts = ", ".join(f"{amount} {currency}" for currency, amount in left.items())
        note(f"note: {told.left_out} rows of other services were left out: {amounts}")
    value = {
        "form": told.form,
        "invoices": [_brought_value(one) for one in made],
        "left_out": {"rows": told.left_out, "amounts": left},
        "notes": list(told.notes),
    }
    periods = sorted({one.period for one in made})
    rows = [_brought_row(one) for one in made]
    text = table(("invoice", "version", "became", "period", "lines", "total"), rows, right=(4, 5))
    app.answer(value, f"{text}\n  next: tallybook reconcile {periods[0]}")


def _brought_value(one: BroughtIn) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "became": one.became,
        "period": one.period,
        "number": one.number,
        "lines": one.lines,
        "total": in_units(one.total_pico),
    }


def _brought_row(one: BroughtIn) -> list[str]:
    total = in_units(one.total_pico)
    return [one.id, str(one.version), one.became, one.period, f"{one.lines:,}", total]


@invoice.command("list")
@click.option("--provider", default="", help="Only of this one.")
@click.option("--history", is_flag=True, help="Every version, not only the last.")
@json_option
@click.pass_obj
def list_(app: App, provider: str, *, history: bool) -> None:
    """List provider invoices, with the last version of each.

    Example:  tallybook invoice list --provider openai
    """
    with app.store.read() as tx:
        found = versions(tx, provider=provider_of(provider))
    found = found if history else latest(found)
    rows = [
        [
            one.id, str(one.version), one.provider, one.form, one.number or one.account,
            one.period, "withdrawn" if one.is_withdrawn else in_units(one.total_pico), one.currency,
        ]
        for one in found
    ]  # fmt: skip
    heads = ("invoice", "version", "provider", "form", "number", "period", "total", "billed in")
    app.answer([invoice_value(one) for one in found], table(heads, rows, right=(6,)))


@invoice.command("show")
@click.argument("invoice_id", metavar="ID")
@click.option("--version", type=int, default=0, help="As it stood in this version.")
@json_option
@click.pass_obj
def show(app: App, invoice_id: str, version: int) -> None:
    """Show a provider invoice: its versions and the lines that stand.

    Example:  tallybook invoice show P-000001 --version 1
    """
    with app.store.read() as tx:
        every = invoice_versions(tx, invoice_id)
        lines = standing_lines(tx, invoice=invoice_id, version=version)
    if version and version not in {one.version for one in every}:
        raise InvoiceError(f"{invoice_id} has no version {version}; it has {len(every)}")
    shown = every[version - 1] if version else every[-1]
    rows = [
        [
            line.ref, str(line.kind), format_instant(line.start_us)[:10], line.product[:36],
            line.token_class, f"{line.quantity:,}" if line.quantity is not None else "",
            in_units(line.amount_pico),
        ]
        for line in lines[:_LINES_SHOWN]
    ]  # fmt: skip
    heads = ("line", "kind", "day", "product", "class", "quantity", "amount")
    more = len(lines) - len(rows)
    head = (
        f"{shown.id} version {shown.version} of {len(every)}: {shown.provider}, {shown.form},"
        f" {shown.number or shown.account}, {shown.period}\n"
        f"total {in_units(shown.total_pico)}, {len(lines)} lines,"
        f" {'withdrawn' if shown.is_withdrawn else 'imported'} by {shown.actor} at"
        f" {format_instant(shown.at_us)}{f': {shown.reason}' if shown.reason else ''}"
    )
    listed = table(heads, rows, right=(5, 6)) + (f"\nand {more} more" if more > 0 else "")
    value = {
        **invoice_value(shown),
        "versions": [invoice_value(one) for one in every],
        "standing": lines_value(lines),
    }
    app.answer(value, f"{head}\n\n{listed}")


@invoice.command("withdraw")
@click.argument("invoice_id", metavar="ID")
@click.option("--reason", required=True, callback=filled, help="Why, for whoever asks later.")
@json_option
@click.pass_obj
def withdraw(app: App, invoice_id: str, reason: str) -> None:
    """Withdraw a provider invoice that was imported by mistake: it bills nothing any more.

    What stood stays readable. What a true-up booked of it is undone by the next true-up. It stands
    again if it is imported again with --restate.

    Example:  tallybook invoice withdraw P-000003 --reason "of another company"
    """
    args = {"invoice": invoice_id, "reason": reason}
    command = Command("invoice withdraw", args, app.actor)
    made = withdraw_invoice(
        app.store, invoice_id, reason=reason, command=command, now_us=app.clock.now_us()
    )
    app.answer(
        invoice_value(made),
        f"{made.id} ({made.number or made.account or made.form}) of {made.provider} is withdrawn:"
        f" {reason}\n  next: tallybook true-up {made.period}, if it was booked",
    )


@click.command()
@period_argument
@click.option("--provider", default="", help="Only this one.")
@click.option("--variance", "variance_id", default="", help="One variance, down to its calls.")
@click.option("--tolerance", default="", help="Up to this amount a variance is routed to accept.")
@click.option("--status", type=click.Choice(STATUSES), help="Decide about --variance.")
@click.option("--owner", default="", help="The team that answers for --variance.")
@click.option("--reason", default="", help="Why, for whoever asks later.")
@click.option("--csv", "as_csv", is_flag=True, help="One row for each part, for a spreadsheet.")
@click.option("--html", "as_html", is_flag=True, help="As a page, with each variance's parts.")
@click.option("--xlsx", "as_xlsx", is_flag=True, help="As a workbook; needs --out.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the file into this folder.")
@json_option
@click.pass_obj
def reconcile(
    app: App,
    period: Period,
    provider: str,
    variance_id: str,
    tolerance: str,
    status: str | None,
    owner: str,
    reason: str,
    out: Path | None,
    *,
    as_csv: bool,
    as_html: bool,
    as_xlsx: bool,
) -> None:
    """Reconcile PERIOD: metered at contract plus named variances is what was invoiced, exactly.

    Examples:  tallybook reconcile 2026-10
    tallybook reconcile 2026-10 --provider openai --variance R-1a2b3c4d
    tallybook reconcile 2026-10 --html --out papers
    tallybook reconcile 2026-10 --variance R-1a2b3c4d --status disputed --reason "ticket 4711"
    """
    if (status or owner) and not variance_id:
        raise WrongUsageError("no variance is named", next_step="write: --variance R-1a2b3c4d")
    limits = Tolerance.parse(tolerance) if tolerance else None
    found = reconcile_period(app.store, period, provider=provider, tolerance=limits)
    if not variance_id:
        forms = [("csv", as_csv), ("html", as_html), ("xlsx", as_xlsx)]
        form = next((name for name, wanted in forms if wanted and not app.as_json), "")
        if form:
            _write(out, period, form, _rendered(app, found, form))
        else:
            app.answer(reconciliation_value(found), reconciliation_text(found))
        return
    one = found.variance(variance_id)
    if one is None:
        raise InvoiceError(
            f"{period} has no variance {variance_id!r}",
            next_step=f"see them: tallybook reconcile {period}",
        )
    if status or owner:
        _decide(app, period, one, status or one.status, owner, reason)
        return
    calls = calls_behind(app.store, period, one)
    value = {**variance_value(one), "calls": [_call_value(call) for call in calls]}
    app.answer(value, variance_text(one, [_call_text(call) for call in calls]))


@click.command("true-up")
@period_argument
@click.option("--provider", default="", callback=filled, help="Only this one.")
@click.option("--into", default="", callback=filled,
              help="The month to post into; else PERIOD, or the open one.")  # fmt: skip
@json_option
@click.pass_obj
def true_up(app: App, period: Period, provider: str, into: str) -> None:
    """Post what the invoices of PERIOD say beyond its accrual. Again it posts nothing.

    What is billed of metered usage clears the accrual, each difference goes to its own account, tax
    never to cost, and unmetered usage of a key to the key's owner. A closed month stays closed.

    Example:  tallybook --as controller true-up 2026-10
    """
    done = post_true_up(
        app.store,
        period,
        into=parse_period(into) if into else None,
        provider=provider,
        clock=app.clock,
        actor=app.actor,
    )
    owed = {name: exact(nano) for name, nano in done.payable_nano.items()}
    value = {"period": done.period, "service_period": done.service_period,
             "entries": list(done.entries), "payable": owed}  # fmt: skip
    listed = ", ".join(f"{name} {amount}" for name, amount in owed.items())
    entries = f"{len(done.entries)} entries in {done.period}" if done.entries else "nothing new"
    app.answer(value, f"{period} trued up: {entries}; payable {listed}")


def _rendered(app: App, found: Reconciliation, form: str) -> bytes:
    if form == "csv":
        return csv_text(found).encode()
    if form == "xlsx":
        return reconciliation_workbook(found)
    with app.store.read() as tx:
        company = latest_books(tx)[0].org.company
    return reconcile_html(found, company.name, simulated=company.simulated).encode()


def _write(out: Path | None, period: Period, form: str, content: bytes) -> None:
    if out is None:
        if form == "xlsx":
            raise WrongUsageError(
                "a workbook is no text", next_step=f"tallybook reconcile {period} --xlsx --out ."
            )
        click.echo(content.decode(), nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"reconcile-{period}.{form}"
    path.write_bytes(content)
    note(f"wrote {path}")


def _decide(app: App, period: Period, one: Variance, status: str, owner: str, reason: str) -> None:
    now_us = app.clock.now_us()
    with app.store.write() as tx:
        teams = {team.id for team in latest_books(tx)[0].org.teams}
        if owner and owner not in teams:
            raise InvoiceError(f"there is no team {owner!r}; teams are {', '.join(sorted(teams))}")
        decision = Decision(one.id, status, owner or one.owner, reason, app.actor, now_us)
        decide(tx, str(period), decision)
        args = {"period": str(period), "variance": one.id, "status": status, "owner": owner,
                "reason": reason}  # fmt: skip
        log_command(tx, Command("reconcile", args, app.actor), now_us, {}, f"{one.id} {status}")
    app.answer(
        {"variance": one.id, "status": status, "owner": owner or one.owner, "reason": reason},
        f"{one.id} is {status}, {owner or one.owner} answers for it: {reason}",
    )


def _call_value(call: VarianceCall) -> dict[str, Any]:
    return {
        "source": call.source,
        "event_id": call.event_id,
        "started_at": format_instant(call.started_us),
        "model": call.model,
        "key": call.key_id,
        "tokens": call.tokens,
        "amount": in_units(call.amount_pico),
    }


def _call_text(call: VarianceCall) -> str:
    at = format_instant(call.started_us)
    return f"{at}  {call.source}  {call.event_id}  {call.tokens:,}  {in_units(call.amount_pico)}"


def _window(period: str) -> tuple[int, int]:
    """A month as providers bill it: in UTC."""
    return parse_period(period).bounds_us(ZoneInfo("UTC"))


def _rates(told: tuple[str, ...]) -> Rates:
    found = {}
    for text in told:
        currency, _, rest = text.partition("=")
        rate, _, date = rest.partition("@")
        if not currency or not rate or not date:
            raise WrongUsageError(
                f"{text!r} is no rate", next_step="write it as EUR=1.0842@2026-11-03"
            )
        parse_rate(rate)
        parse_date(date)
        found[currency.strip().upper()] = (rate, date)
    return found


def _digest(path: Path) -> str:
    with open_bytes(path) as file:
        return sha256(file.read()).hexdigest()
