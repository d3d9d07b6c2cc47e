"""`seal`: the heads of closed months with what they cover, to be kept outside the books."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tallybook.check.seal_record import SealRecord, record_json, record_line
from tallybook.check.sealing import seal_of
from tallybook.cli.app import App, note, parse_period, table
from tallybook.cli.options import json_option
from tallybook.errors import WrongUsageError

LINE_SUFFIX = ".txt"


@click.command()
@click.argument("period", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the record here: one line if the name ends in .txt, else JSON.",
)
@json_option
@click.pass_context
def seal(ctx: click.Context, period: str | None, out: Path | None) -> None:
    """Print the head of each closed month with what it covers, to be kept outside the books.

    A chain that is cut at its end, or rewritten whole, agrees with itself. Against a record that
    was kept elsewhere, `tallybook verify --against FILE` says where the books differ. With PERIOD
    the record reaches to the close of that month; without, to the newest link. It holds digests
    and counts, no amounts and no names.

    Examples:  tallybook seal --out seal.json
    tallybook seal 2026-10 --out 2026-10.seal.txt
    tallybook verify --against seal.json
    """
    app: App = ctx.obj
    with app.store.read() as tx:
        record = seal_of(tx, str(parse_period(period)) if period else "")
    if out:
        _write(out, record)
        note(f"record written to {out}; keep it where whoever keeps the books cannot change it")
    app.answer(record_json(record), _text(record))


def _write(out: Path, record: SealRecord) -> None:
    line = out.suffix == LINE_SUFFIX
    text = record_line(record) if line else json.dumps(record_json(record), indent=2)
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise WrongUsageError(
            f"the record cannot be written: {error.strerror}",
            where=str(out),
            next_step="name a file in a folder that is there and may be written",
        ) from error


def _text(record: SealRecord) -> str:
    rows = [
        [
            month.period,
            str(month.version),
            month.act,
            month.head[:16],
            month.body_sha256[:16],
            str(month.files),
            f"{month.rows:,}",
        ]
        for month in record.months or ()
    ]
    heads = ("period", "version", "close", "head", "statements", "files", "rows")
    months = table(heads, rows, right=(1, 5, 6)) if rows else "no month is closed"
    return f"{months}\n\n{record_line(record)}"
