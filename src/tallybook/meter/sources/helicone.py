"""Helicone: requests as JSON lines or pages of its API, and, with what is missing, its CSV.

Columns of tokens are the provider's own counts, so Anthropic's input leaves the cache out. Where
the response was exported too, it is read instead. The official CSV has neither the request's id
nor cached tokens.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.providers import provider_of, provider_of_url
from tallybook.meter.sources.calls import (
    NOTHING,
    UNKNOWN,
    ZERO,
    call,
    whole_ms,
    with_body,
    with_usage,
)
from tallybook.meter.sources.flattened import CACHE_BESIDE, CONVENTIONS, tokens_of
from tallybook.meter.sources.foreign import Foreign, Told, readings
from tallybook.meter.sources.litellm_models import maker_of
from tallybook.meter.sources.source import BROKEN, Reading, Source, cannot_read, open_bytes
from tallybook.meter.sources.tags import (
    cost_fields,
    fields_of,
    instant,
    money,
    pairs_of,
    text,
    unpacked,
)

NAME: Final = "helicone"
_CHANGING: Final = (
    *("scores", "feedback_id", "feedback_rating", "feedback_created_at", "updated_at"),
    *("signed_body_url", "asset_ids", "asset_urls", "assets", "storage_location"),
)
"""What Helicone changes after the call; it is no part of what the call is."""

PERSONAL: Final[tuple[Path, ...]] = (
    ("request_user_id",),
    ("helicone_user",),
    ("request_body",),
    ("response_body",),
    *((name,) for name in _CHANGING),
    *((holder, name) for holder in ("request_properties", "properties")
      for name in ("user", "User", "customer", "Customer")),
)  # fmt: skip
_OBJECTS: Final = ("request_properties", "properties", "response_body", "request_body")
_PENDING: Final = -2
_CANCELLED: Final = -3
_ERRORS_FROM: Final = 400
_NO_REFERENCE: Final = "00000000-0000-0000-0000-000000000000"
_CACHED: Final = ("prompt_cache_read_tokens", "prompt_cache_write_tokens")
_GATEWAY: Final = frozenset({"", "custom", "helicone"})


def open_files(files: Sequence[FilePath]) -> Source:
    """Requests as JSON lines, arrays or pages; a file named ``.csv`` is the exporter's table.

    Raises:
        EventError: a file cannot be opened, or a table lacks a column; nothing was read.
    """
    tables = [path for path in files if path.name.lower().removesuffix(".gz").endswith(".csv")]
    rest = [path for path in files if path not in tables]
    lines = Foreign(NAME, rest, translate, personal=PERSONAL, prepare=prepare, open_page=open_page)
    return _Tables(tables, lines) if tables else lines


def open_page(record: dict[str, Any]) -> Sequence[object] | None:
    """The requests of an answer of the query API."""
    held = record.get("data")
    return held if isinstance(held, list) and "request_id" not in record else None


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A record with objects in place of their JSON text."""
    return unpacked(record, _OBJECTS)


def translate(record: dict[str, Any]) -> Iterator[Told]:
    """What a request tells; nothing while it is under way.

    Raises:
        EventError: it is no request of Helicone's, or its figures contradict each other.
    """
    event_id = text(record.get("request_id"))
    if not event_id:
        raise EventError(
            "this is no request of Helicone: request_id is missing",
            next_step="export with `npx @helicone/export --format jsonl`",
        )
    status = record.get("response_status")
    if status == _PENDING:
        return
    event = _event(record, event_id)
    event["labels"]["call_id"] = event_id
    if status == _CANCELLED:
        event["status"] = "client_aborted"
    elif type(status) is int and (status >= _ERRORS_FROM or status < 0):
        event["status"] = "error"
    if text(record.get("cache_reference_id")) not in ("", _NO_REFERENCE):
        event["labels"]["cache_hit"] = "true"
        yield with_usage(event, ZERO)
        return
    body = record.get("response_body")
    told = with_body(event, body, convention="helicone, body", endpoint=event.get("endpoint", ""))
    if told is not None:
        for each in told:
            each.canonical.setdefault("request_id", event_id)
        yield from told
        return
    event.setdefault("request_id", event_id)
    yield _from_columns(event, record, complete=any(name in record for name in _CACHED))


def _event(record: Mapping[str, Any], event_id: str) -> dict[str, Any]:
    url = text(record.get("target_url")) or text(record.get("request_path"))
    models = ("response_model", "model_override", "model", "request_model")
    model = next((said for name in models if (said := text(record.get(name)))), "")
    tags = chain(pairs_of(record.get("request_properties")), pairs_of(record.get("properties")))
    fields, labels = fields_of(tuple(tags))
    told = record.get("costUSD") or record.get("cost")
    cost = cost_fields(money(told) if told else None)
    event = call(
        event_id=event_id,
        source=NAME,
        started_at=instant(record.get("request_created_at"), "request_created_at"),
        ended_at=_later(record),
        provider=_provider(record, url) or maker_of(model) or UNKNOWN,
        model=model or UNKNOWN,
        model_requested=text(record.get("request_model")),
        endpoint=url,
        prompt_version=_prompt(record),
        user=text(record.get("request_user_id")),
        latency_ms=whole_ms(record.get("delay_ms")),
        ttft_ms=whole_ms(record.get("time_to_first_token")),
        **cost,
    )
    event |= fields
    event["labels"] = {**cost.get("labels", {}), **labels}
    return event


def _later(record: Mapping[str, Any]) -> str | None:
    """When the response came; a clock that ran back says nothing."""
    first = instant(record.get("request_created_at"), "request_created_at")
    last = instant(record.get("response_created_at"), "response_created_at")
    return last if first and last and last[:19] >= first[:19] and last >= first else None


def _prompt(record: Mapping[str, Any]) -> str:
    prompt, version = text(record.get("prompt_id")), text(record.get("prompt_version"))
    return f"{prompt}@{version}" if prompt and version else prompt


def _provider(record: Mapping[str, Any], url: str) -> str:
    told = text(record.get("provider")).lower()
    if told not in _GATEWAY:
        return provider_of(told)
    try:
        return provider_of_url(url)
    except ValueError:  # such as a bracket that is not closed
        return ""


def _from_columns(event: dict[str, Any], record: Mapping[str, Any], *, complete: bool) -> Told:
    """Usage from the columns: an estimate where they do not say what came from the cache."""
    beside = event["provider"] in CACHE_BESIDE
    tokens = tokens_of(record, CONVENTIONS["helicone, cache beside" if beside else NAME])
    if not tokens or not any(tokens.values()):
        return with_usage(event, None)
    return with_usage(event, tokens, usage="reported" if complete else "estimated")


COLUMNS: Final = (
    *("response_id", "response_created_at", "response_status", "request_created_at"),
    *("request_properties", "request_user_id", "model", "prompt_tokens", "completion_tokens"),
    "cost",
)
"""What the exporter's table must have; it may have more."""


class _Tables:
    """Tables of the official exporter, and any other files after them."""

    name = NAME
    personal = PERSONAL

    def __init__(self, tables: Sequence[FilePath], rest: Foreign) -> None:
        self._tables = tuple(tables)
        self._rest = rest
        for path in self._tables:
            _check_header(path)

    def read(self) -> Iterator[Reading]:
        """Every row, then every record of the other files."""
        for path in self._tables:
            yield from _rows(path)
        yield from self._rest.read()


def _check_header(path: FilePath) -> None:
    try:
        with _opened(path) as file:
            header = next(csv.reader(file), [])
    except (*BROKEN, csv.Error) as error:
        raise cannot_read(path, error) from error
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise EventError(
            f"the table lacks {', '.join(missing)}",
            where=f"{path}:1",
            next_step="export JSON lines, which hold more: `npx @helicone/export --format jsonl`",
        )


def _opened(path: FilePath) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        open_bytes(path), encoding="utf-8-sig", errors="backslashreplace", newline=""
    )


def _rows(path: FilePath) -> Iterator[Reading]:
    with _opened(path) as file:
        rows = csv.DictReader(file, restkey="", restval="")
        header = rows.fieldnames  # reads it
        while header:
            place = f"{path.name}:{rows.line_num + 1}"
            try:
                row = next(rows, None)
            except (*BROKEN, csv.Error) as error:
                yield Reading(place, None, cannot_read(path, error))
                return
            if row is None:
                return
            record = {name: value for name, value in row.items() if isinstance(value, str)}
            yield from readings(place, record, translate_row, prepare)


def translate_row(record: dict[str, Any]) -> Iterator[Told]:
    """What a row of the exporter's table tells: no request id, no cached tokens, no provider.

    Raises:
        EventError: the row has no id of its response, or a figure is none.
    """
    event_id = text(record.get("response_id"))
    if not event_id:
        raise EventError("response_id is empty; a row of the table has no other id")
    status = text(record.get("response_status"))
    code = int(status) if status.lstrip("-").isdecimal() and len(status) < 9 else 0  # noqa: PLR2004
    if code == _PENDING:
        return
    numbers = ("prompt_tokens", "completion_tokens", *_CACHED)
    plain = {name: value for name, value in record.items() if value != ""}
    event = _event(plain | {"request_id": event_id}, event_id)
    if code >= _ERRORS_FROM or code < 0:
        event["status"] = "client_aborted" if code == _CANCELLED else "error"
    counts = {name: plain[name] for name in numbers if name in plain}
    yield _from_columns(event, counts or NOTHING, complete=False)
