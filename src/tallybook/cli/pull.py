"""`pull`: usage fetched from the APIs of providers and tools."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import click

from tallybook.cli.app import App, note, progress, table
from tallybook.cli.options import json_option
from tallybook.clock import format_instant, parse_instant
from tallybook.errors import ClockError, PullError, WrongUsageError
from tallybook.meter.ingest import IngestResult
from tallybook.meter.ingest import ingest as ingest_records
from tallybook.meter.sources.registry import open_product
from tallybook.pull import anthropic, langfuse, openai
from tallybook.pull.client import Client, GoneError, Patience
from tallybook.pull.key import key_from
from tallybook.pull.model import Pulled, Stream, Window
from tallybook.pull.run import Pull, told
from tallybook.store.commands import Command

APIS = {"openai": openai, "anthropic": anthropic, "langfuse": langfuse}
_DATE_LENGTH = len("2026-10-01")
_COUNTED = (3, 4, 5, 6, 7)


@click.command()
@click.argument("api", type=click.Choice(list(APIS)))
@click.option("--from", "from_text", help="Start: a day (UTC) or an instant; else go on.")
@click.option("--to", "to_text", help="End, not in it; else as far as figures are settled.")
@click.option("--leave-gap", is_flag=True, help="Pull though --from is after the last pull's end.")
@click.option("--endpoint", "endpoints", multiple=True, help="Only this one; may be repeated.")
@click.option("--bucket", type=click.Choice(["1d", "1h"]), default="1d", help="Width of buckets.")
@click.option("--group-by", "group_by", multiple=True, help="Group by this; may be repeated.")
@click.option("--base-url", default="", help="Another address of the API.")
@click.option("--key-file", type=click.Path(path_type=Path), help="File that holds the key.")
@json_option
@click.pass_context
def pull(
    ctx: click.Context,
    api: str,
    from_text: str | None,
    to_text: str | None,
    endpoints: tuple[str, ...],
    bucket: openai.Width,
    group_by: tuple[str, ...],
    base_url: str,
    key_file: Path | None,
    *,
    leave_gap: bool,
) -> None:
    """Fetch usage from an API and import it. A pull that was cut goes on where it stopped.

    A --from after the end of the last pull would leave out what lies between, so it is refused
    unless --leave-gap says that it is meant.

    The key comes from the environment (OPENAI_ADMIN_KEY, ANTHROPIC_ADMIN_KEY, or
    LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY) or from a file, and is kept nowhere.

    Examples:  tallybook pull openai --from 2026-10-01
    tallybook pull anthropic
    tallybook pull langfuse --base-url https://langfuse.example.com --from 2026-10-01
    """
    app: App = ctx.obj
    streams = _streams(api, endpoints, bucket, group_by)
    from_us, to_us = _instant_us("--from", from_text), _instant_us("--to", to_text)
    key = key_from(APIS[api].KEY_NAMES, key_file)
    address = base_url or APIS[api].BASE_URL
    client = Client(address, APIS[api].headers(key), key, app.clock, Patience())
    args = {"api": api, "from": from_text or "", "to": to_text or "", "base_url": client.base_url}
    args |= {"leave_gap": "yes"} if leave_gap else {}
    try:
        with progress("pull") as advance:
            work = Pull(
                client,
                app.home / "pulls",
                lambda product, file: _ingest(app, product, file, args),
                app.clock.now_us(),
                advance,
            )
            gaps = [(one.name, gap) for one in streams if (gap := work.gap(one, from_us))]
            _told_gaps(api, gaps, leave_gap=leave_gap)
            pulled, failed = _all(work, streams, from_us, to_us)
    finally:
        client.close()
    rows = [told(one) for one in pulled]
    app.answer(rows, _table(rows))
    bad = failed or any(one.quarantined or one.rejected for one in pulled)
    ctx.exit(1 if bad else 0)


def _told_gaps(api: str, gaps: list[tuple[str, Window]], *, leave_gap: bool) -> None:
    """Refuse to leave out what no pull brought, or say what is left out.

    Raises:
        PullError: there is a gap, and nobody said that it is meant.
    """
    if not gaps:
        return
    spans = [(name, *map(format_instant, gap)) for name, gap in gaps]
    listed = "; ".join(f"{name} from {start} to {end}" for name, start, end in spans)
    first, last = min(start for _, start, _ in spans), max(end for _, _, end in spans)
    fill = f"tallybook pull {api} --from {first} --to {last}"
    if leave_gap:
        note(f"left out, as asked: {listed}; to fill it: {fill}")
        return
    raise PullError(
        f"--from is after the end of what was pulled, and no pull would ever bring {listed}",
        next_step=f"go on from that end: tallybook pull {api}, without --from; or leave it out"
        " with --leave-gap",
    )


def _all(
    work: Pull, streams: tuple[Stream, ...], from_us: int | None, to_us: int | None
) -> tuple[list[Pulled], bool]:
    """Every stream; one that the server refuses does not keep the others from coming."""
    pulled: list[Pulled] = []
    failed = False
    for stream in streams:
        try:
            pulled.append(work.stream(stream, from_us, to_us))
        except GoneError as error:
            note(f"tallybook: {stream.name}: {error}")
            failed = True
    return pulled, failed


def _streams(
    api: str, endpoints: tuple[str, ...], bucket: openai.Width, group_by: tuple[str, ...]
) -> tuple[Stream, ...]:
    try:
        if api == "openai":
            return openai.streams(endpoints, bucket, group_by)
        if api == "anthropic":
            return anthropic.streams(endpoints, bucket, group_by)
        return langfuse.streams(endpoints)
    except PullError as error:
        raise WrongUsageError(error.what, next_step=error.next_step) from error


def _instant_us(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_instant(f"{text}T00:00:00Z" if len(text) == _DATE_LENGTH else text)
    except ClockError as error:
        raise WrongUsageError(
            f"{option} {error.what}", next_step="write it as 2026-10-01 or 2026-10-01T08:00:00Z"
        ) from error


def _ingest(app: App, product: str, file: Path, args: dict[str, str]) -> IngestResult:
    return ingest_records(
        app.store,
        open_product(product, [file]),
        clock=app.clock,
        new_id=lambda: secrets.token_hex(8),
        on_progress=None,
        reject_folder=app.home / "rejects",
        command=Command("pull", args, app.actor),
    )


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "nothing pulled"
    return table(list(rows[0]), [[str(value) for value in row.values()] for row in rows], _COUNTED)
