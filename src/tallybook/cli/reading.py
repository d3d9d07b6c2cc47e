"""`usage`: what a provider's response says that it used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import click
import msgspec

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.cli.app import App, table
from tallybook.cli.options import json_option
from tallybook.errors import EventError, WrongUsageError
from tallybook.meter.usage.model import Part, UsageReading, Wire
from tallybook.meter.usage.read import read_response
from tallybook.meter.usage.summary import summary

_SUFFIXES: dict[str, Wire] = {".sse": "sse", ".ndjson": "ndjson", ".bin": "aws-eventstream"}
_ORDER = (*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE)
_UNKNOWN = "unknown"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--provider", required=True, help="Who answered: openai, anthropic, aws, google ...")
@click.option("--endpoint", default="", help="The path or operation (else: the body's shape).")
@click.option(
    "--wire",
    type=click.Choice(get_args(Wire)),
    help="How the bytes are framed (else: json, or as the suffix .sse, .ndjson, .bin says).",
)
@click.option(
    "--headers",
    "headers_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON object of response headers; some providers count there.",
)
@click.option("--model", default="", help="The model asked for, where no response names it.")
@json_option
@click.pass_obj
def usage(
    app: App,
    file: Path,
    provider: str,
    endpoint: str,
    wire: Wire | None,
    headers_file: Path | None,
    model: str,
) -> None:
    """Read a provider's response: what it used, in classes that do not overlap. Nothing is booked.

    What the response does not tell is unknown, never zero.

    Examples:  tallybook usage answer.json --provider openai --endpoint /v1/chat/completions
    tallybook usage answer.sse --provider anthropic --json
    """
    found: Wire = wire or _SUFFIXES.get(file.suffix, "json")
    try:
        reading = read_response(
            file.read_bytes(),
            provider=provider,
            endpoint=endpoint,
            wire=found,
            headers=_headers(headers_file),
            model=model,
        )
    except EventError as error:
        raise EventError(error.what, where=str(file), next_step=error.next_step) from error
    app.answer(summary(reading), _told(reading))


def _headers(path: Path | None) -> Mapping[str, str]:
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise WrongUsageError(
            f"{path} is no JSON object of header names and texts: {error}",
            next_step='write it as {"x-request-id": "req_1"}',
        ) from error


def _told(reading: UsageReading) -> str:
    """The reading for people: each part with its figures, then what the reader decided."""
    facts = {
        "provider": reading.provider,
        "model": reading.model or "not told",
        "usage": reading.usage,
        "status": reading.status,
        "tier": reading.tier,
        "region": reading.region,
        "response": reading.response_id,
        "request": reading.request_id,
        "cost stated": " ".join(reading.reported_cost or ()),
    }
    lines = [f"{name:<12}{value}" for name, value in facts.items() if value]
    rows = [row for part in reading.parts for row in _rows(part)]
    if rows:
        lines += ["", table(["model", "for", "class", "count"], rows, right=[3])]
    lines += [f"also: {name} {number:,}" for name, number in reading.extras.items()]
    lines += [f"note: {note}" for note in reading.notes]
    return "\n".join(lines)


def _rows(part: Part) -> list[list[str]]:
    tokens = part.tokens or {}
    counts = {name: tokens[name] for name in _ORDER if name in tokens} | {**(part.units or {})}
    return [
        [part.model, part.operation, name, _UNKNOWN if number is None else f"{number:,}"]
        for name, number in counts.items()
    ]
