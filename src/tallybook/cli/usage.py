"""`ingest` and `worklist`: usage in, and what somebody has to look at."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click

from tallybook.cli.app import App, parse_period, progress, table
from tallybook.cli.options import json_option
from tallybook.clock import format_instant
from tallybook.close.late import late_usage
from tallybook.errors import WrongUsageError
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
from tallybook.post.worklist import unallocated_usage, unpriced_usage
from tallybook.store.commands import Command

MAPPED = ("jsonl", "csv", "json")
SOURCES = (*MAPPED, *PRODUCTS)
LISTS = ("unpriced", "unallocated", "quarantine", "late", "suspects")


@click.command()
@click.argument("source", type=click.Choice(SOURCES))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--map", "mapping", type=click.Path(path_type=Path), help="Mapping file (csv and json)."
)
@json_option
@click.pass_context
def ingest(ctx: click.Context, source: str, files: tuple[Path, ...], mapping: Path | None) -> None:
    """Import usage. Every id counts once, for ever; what cannot be read is kept beside, with why.

    Examples:  tallybook ingest jsonl calls.jsonl
    tallybook ingest csv requests.csv --map requests.map.yaml
    """
    app: App = ctx.obj
    reader = _reader(source, files, mapping)
    args = {"source": source, "files": [str(file) for file in files], "map": str(mapping or "")}
    with progress("ingest") as advance:
        result = ingest_records(
            app.store,
            reader,
            clock=app.clock,
            new_id=lambda: secrets.token_hex(8),
            on_progress=advance,
            reject_folder=app.home / "rejects",
            command=Command("ingest", args, app.actor),
        )
    counts: dict[str, int | str] = {
        "accepted": result.accepted,
        "duplicate": result.duplicate,
        "quarantined": result.quarantined,
        "rejected": result.rejected,
        "reject_file": result.reject_file,
    }
    app.answer(counts, _told(counts))
    ctx.exit(1 if result.quarantined or result.rejected else 0)


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
    if counts["quarantined"]:
        text += "\n  next: tallybook worklist quarantine"
    return text


@click.command()
@click.argument("which", type=click.Choice(LISTS))
@click.argument("period", required=False, default="")
@json_option
@click.pass_obj
def worklist(app: App, which: str, period: str) -> None:
    """List what waits for somebody: unpriced or unallocated usage, quarantine, late, suspects.

    Examples:  tallybook worklist unpriced 2026-10
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
    find = unpriced_usage if which == "unpriced" else unallocated_usage
    return [asdict(one) for one in find(app.store, parse_period(period))]


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
