"""`ingest` and `worklist`: usage in, and what somebody has to look at."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click

from tallybook.cli.app import App, parse_period, progress, table
from tallybook.cli.follow import follow_files
from tallybook.cli.options import json_option
from tallybook.clock import format_instant
from tallybook.close.late import late_usage
from tallybook.errors import WrongUsageError
from tallybook.meter.ingest import IngestResult
from tallybook.meter.ingest import ingest as ingest_records
from tallybook.meter.mapping import RecordMap
from tallybook.meter.mapping_file import read_mapping
from tallybook.meter.resolve.decide import Suspect, suspects
from tallybook.meter.sources.csv_rows import CsvRows
from tallybook.meter.sources.json_records import JsonRecords
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.meter.sources.registry import PRODUCTS, open_product
from tallybook.meter.sources.source import Source
from tallybook.meter.worklist import quarantined
from tallybook.post.worklist import refused_claims, unallocated_usage, unpriced_usage
from tallybook.store.commands import Command

MAPPED = ("jsonl", "csv", "json")
WAREHOUSE = ("parquet", "table")
SOURCES = (*MAPPED, *PRODUCTS, *WAREHOUSE)
LISTS = ("unpriced", "unallocated", "claims", "quarantine", "late", "suspects")


@click.command()
@click.argument("source", type=click.Choice(SOURCES))
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--map", "mapping", type=click.Path(path_type=Path), help="Mapping file (csv and json)."
)
@click.option(
    "--follow",
    "is_followed",
    is_flag=True,
    help="Go on as the files grow, through rotation, until Ctrl-C or SIGTERM.",
)
@click.option("--table", "table_name", default="", help="The table at a database (table).")
@click.option("--query", default="", help="A statement instead of a table (table).")
@json_option
@click.pass_context
def ingest(
    ctx: click.Context,
    source: str,
    files: tuple[str, ...],
    mapping: Path | None,
    table_name: str,
    query: str,
    *,
    is_followed: bool,
) -> None:
    """Import usage. Every id counts once, for ever; what cannot be read is kept beside, with why.

    Examples:  tallybook ingest jsonl calls.jsonl
    tallybook ingest csv requests.csv --map requests.map.yaml
    tallybook ingest litellm /var/log/litellm.jsonl --follow
    tallybook ingest parquet s3://warehouse/usage
    tallybook ingest table postgresql+psycopg://reader@host/db --table usage
    """
    app: App = ctx.obj
    args: dict[str, object] = {"source": source, "files": list(files), "map": str(mapping or "")}
    paths = tuple(map(Path, files))
    if source in WAREHOUSE:
        reader, named = _warehouse(source, files, table_name, query)
        result = _ingest_once(app, reader, args | named)
    elif is_followed:
        result = follow_files(app, _reader(source, (), mapping), paths, args)
    else:
        result = _ingest_once(app, _reader(source, paths, mapping), args)
    counts: dict[str, int | str] = {
        "accepted": result.accepted,
        "duplicate": result.duplicate,
        "quarantined": result.quarantined,
        "rejected": result.rejected,
        "reject_file": result.reject_file,
        "dropped": result.dropped,
    }
    app.answer(counts, _told(counts))
    ctx.exit(1 if result.quarantined or result.rejected else 0)


def _ingest_once(app: App, reader: Source, args: dict[str, object]) -> IngestResult:
    with progress("ingest") as advance:
        return ingest_records(
            app.store,
            reader,
            clock=app.clock,
            new_id=lambda: secrets.token_hex(8),
            on_progress=advance,
            reject_folder=app.home / "rejects",
            command=Command("ingest", args, app.actor),
        )


def _warehouse(
    source: str, addresses: tuple[str, ...], table_name: str, query: str
) -> tuple[Source, dict[str, object]]:
    """Rows of a warehouse, and how the command log names them: without a password."""
    from tallybook.meter.sources.warehouse_rows import parquet_rows, table_rows  # noqa: PLC0415
    from tallybook.store.warehouse import shown_url  # noqa: PLC0415 - loads slowly

    if source == "parquet":
        return parquet_rows(addresses), {}
    if len(addresses) > 1 or (table_name and query):
        raise WrongUsageError(
            "ingest table takes one address, and a table or a query",
            next_step="tallybook ingest table URL --table usage",
        )
    named: dict[str, object] = {
        "files": [shown_url(addresses[0])],
        "table": table_name,
        "query": query,
    }
    return table_rows(addresses[0], table=table_name, query=query), named


def _reader(source: str, files: tuple[Path, ...], mapping: Path | None) -> Source:
    if source == "jsonl" or source in PRODUCTS:
        if mapping:
            what = "the canonical form" if source == "jsonl" else "a form of its own"
            raise WrongUsageError(
                f"{source} is {what} and takes no mapping",
                next_step="use `ingest json --map` for other JSON",
            )
        return Jsonl(files) if source == "jsonl" else open_product(source, files)
    if mapping is None:
        raise WrongUsageError(
            f"ingest {source} needs --map", next_step="see docs/start.md for a mapping file"
        )
    if source == "csv":
        return CsvRows(files, _mapping(mapping, "csv"))
    return JsonRecords(files, _mapping(mapping, "json"))


def _mapping(path: Path, kind: Literal["csv", "json"]) -> RecordMap:
    return read_mapping(path.read_bytes(), str(path), kind)


def _told(counts: dict[str, int | str]) -> str:
    text = ", ".join(
        f"{counts[name]} {name}" for name in ("accepted", "duplicate", "quarantined", "rejected")
    )
    if counts["reject_file"]:
        text += f"\n  rejected lines are in {counts['reject_file']}"
    if counts["dropped"]:
        text += (
            f"\n  {counts['dropped']} rejected lines were not kept; mend and delete what is in"
            " rejects/, then ingest the file again"
        )
    if counts["quarantined"]:
        text += "\n  next: tallybook worklist quarantine"
    return text


@click.command()
@click.argument("which", type=click.Choice(LISTS))
@click.argument("period", required=False, default="")
@json_option
@click.pass_obj
def worklist(app: App, which: str, period: str) -> None:
    """List what waits for somebody.

    Unpriced or unallocated usage, refused claims of keys, quarantine, late usage, suspects.

    Examples:  tallybook worklist unpriced 2026-10
    tallybook worklist claims 2026-10
    tallybook worklist late
    """
    values = _waiting(app, which, period)
    headers = list(values[0]) if values else []
    rows = [[_shown(value) for value in row.values()] for row in values]
    app.answer(values, table(headers, rows) if rows else f"nothing {which}")


def _waiting(app: App, which: str, period: str) -> list[dict[str, Any]]:
    if which == "quarantine":
        with app.store.read() as tx:
            return [asdict(one) for one in quarantined(tx)]
    if which == "late":
        with app.store.read() as tx:
            return [
                {
                    "period": x.period,
                    "events": x.events,
                    "waiting": x.waiting,
                    "posted": x.posted,
                    "closed_at": format_instant(x.closed_us),
                }
                for x in late_usage(tx)
            ]
    if which == "suspects":
        with app.store.read() as tx:
            return [_suspect(one) for one in suspects(tx)]
    if not period:
        raise WrongUsageError(
            f"worklist {which} needs a period", next_step=f"tallybook worklist {which} 2026-10"
        )
    asked = parse_period(period)
    if which == "claims":
        return [asdict(one) for one in refused_claims(app.store, asked)]
    find = unpriced_usage if which == "unpriced" else unallocated_usage
    return [asdict(one) for one in find(app.store, asked)]


def _suspect(one: Suspect) -> dict[str, Any]:
    first, second = one.calls
    return {
        "id": one.id,
        "started_at": first["started_at"],
        "model": first["model"],
        "tokens": first["tokens"],
        "first": f"{first['source']} {first['event_id']}",
        "second": f"{second['source']} {second['event_id']}",
    }


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={text}" for name, text in value.items()) or "nothing"
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return str(value)
