"""`ingest --follow`: signals end it, standard error tells what came in."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from tallybook.cli.app import App, note
from tallybook.clock import told_by_signals
from tallybook.errors import WrongUsageError
from tallybook.meter.follow import follow
from tallybook.meter.ingest import IngestResult
from tallybook.meter.sources.json_records import JsonRecords
from tallybook.meter.sources.source import Lined, Source
from tallybook.store.commands import Command


def follow_files(
    app: App, source: Source, files: Sequence[Path], args: dict[str, object]
) -> IngestResult:
    """Follow files until SIGINT or SIGTERM.

    Raises:
        WrongUsageError: the source is none whose lines can be read one by one.
    """
    if not isinstance(source, Lined):
        raise WrongUsageError(
            f"{source.name} is not read line by line, so it cannot be followed",
            next_step="run `ingest` without --follow again and again: each id counts once",
        )
    if isinstance(source, JsonRecords) and source.counts_repetitions:
        raise WrongUsageError(
            "a mapping with `digest: occurrence` counts equal records in a file,"
            " which is only known once the file is whole",
            next_step="map an id, or ingest each file once it is complete",
        )
    note(f"following {', '.join(str(path) for path in files)}; Ctrl-C ends it")
    with told_by_signals() as stop:
        return follow(
            app.store,
            source,
            files,
            clock=app.clock,
            new_id=lambda: secrets.token_hex(8),
            on_batch=_tell,
            say=note,
            stop=stop,
            command=Command("ingest", args, app.actor),
        )


def _tell(result: IngestResult) -> None:
    names = ("accepted", "duplicate", "quarantined", "rejected", "dropped")
    counts = ((getattr(result, name), name) for name in names)
    note(", ".join(f"{count} {name}" for count, name in counts if count))
