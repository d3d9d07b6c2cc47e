"""Anthropic's Usage Report for messages: pages of buckets, grouped as they were asked for.

Its counts are disjoint already: what was read from and written to the cache is not in
``uncached_input_tokens``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.clock import parse_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.sources.buckets import (
    Bucket,
    Pages,
    Row,
    an_object,
    count,
    listed,
    plain,
    unfolded,
)

NAME: Final = "anthropic-usage"
PERSONAL: Final[tuple[Path, ...]] = (("account_id",),)
_ENDPOINT: Final = "usage_report/messages"
_CLASS_OF: Final = {
    "uncached_input_tokens": "input_uncached",
    "cache_read_input_tokens": "cache_read",
    "output_tokens": "output",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
}
_UNIT_OF: Final = {
    "server_tool_use.web_search_requests": "web_search",
    "server_tool_use.web_fetch_requests": "web_fetch",
    "server_tool_use.code_execution_requests": "code_execution",
}
_FIELDS: Final = {"account_id": "user", "api_key_id": "key_id", "model": "model"}
_LABEL_OF: Final = {"workspace_id": "workspace", "service_account_id": "service_account"}
_OUTSIDE: Final = frozenset({"service_tier", "speed", "inference_geo"})


def open_files(files: Sequence[FilePath]) -> Pages:
    """Pages of ``/v1/organizations/usage_report/messages``.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Pages(NAME, files, unfold, translate, personal=PERSONAL)


def unfold(place: str, page: dict[str, Any]) -> Iterator[Row]:
    """The results in the buckets of a page; empty buckets have none."""
    return unfolded(place, page, _rows)


def _rows(place: str, bucket: Any) -> Iterator[Row]:
    held = an_object(bucket, "a bucket")
    window = _window_us(held)
    results = list(listed(place, held.get("results"), "results"))
    yield from (_row(where, window, result) for where, result in results)


def _window_us(bucket: Mapping[str, Any]) -> tuple[int, int]:
    start, end = bucket.get("starting_at"), bucket.get("ending_at")
    try:
        first, last = (parse_instant(at if isinstance(at, str) else "") for at in (start, end))
    except ClockError as error:
        raise EventError(
            f"the window runs from {shown(start)} to {shown(end)}: {error.what}",
            next_step="a file of the Claude Code report is: tallybook ingest claude-code FILE",
        ) from error
    if first >= last:
        raise EventError(f"the window runs from {start} to {end}, which is not later")
    return first, last


def _row(place: str, window: tuple[int, int], result: Any) -> Row:
    try:
        held = an_object(result, "a result")
        _refuse_costs(held)
        group: dict[str, str] = {}
        figures: dict[str, int | None] = {}
        told: dict[str, str] = {}
        for name, value in _flat(held):
            if name in _CLASS_OF or name in _UNIT_OF:
                figures[name] = count(name, value)
            elif value is not None and value != "":
                (group if isinstance(value, str | bool) else told)[name] = plain(value)
        return Bucket(place, _ENDPOINT, *window, group, figures, told)
    except EventError as error:
        return place, result, error


def _refuse_costs(result: Mapping[str, Any]) -> None:
    if "amount" in result:
        raise EventError(
            "this is a cost report, in cents; usage is counted in tokens",
            next_step="ask for usage_report/messages; costs are for reconciliation",
        )


def _flat(result: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in result.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", held) for inner, held in value.items())
        else:
            yield name, value


def translate(bucket: Bucket) -> dict[str, Any]:
    """What a bucket is.

    Raises:
        EventError: its model is not told.
    """
    group = bucket.group
    if not group.get("model"):
        raise EventError(
            "this bucket adds up all models, so it has no price and covers no call",
            next_step="ask for it with group_by[]=model",
        )
    canonical: dict[str, Any] = {"provider": "anthropic", "usage": "reported"}
    labels: dict[str, str] = {}
    for name, value in group.items():
        if name in _FIELDS:
            canonical[_FIELDS[name]] = value
        elif name not in _OUTSIDE:
            labels[_LABEL_OF.get(name, name)] = value
    region = group.get("inference_geo")
    return canonical | {
        "tier": _tier(group),
        "region": None if region == "not_available" else region,
        "tokens": _named(bucket, _CLASS_OF),
        "units": _named(bucket, _UNIT_OF),
        "labels": labels,
    }


def _named(bucket: Bucket, names: Mapping[str, str]) -> dict[str, int | None] | None:
    counted = {name: bucket.figures[told] for told, name in names.items() if told in bucket.figures}
    return counted or None


def _tier(group: Mapping[str, str]) -> str | None:
    """Fast mode is a price of its own at the standard tier."""
    tier, speed = group.get("service_tier"), group.get("speed")
    return "fast" if speed == "fast" and tier in {None, "standard"} else tier
