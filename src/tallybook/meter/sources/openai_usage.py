"""OpenAI's usage: pages of the Usage API, and the usage exports of the dashboard (TSV or CSV)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.sources.buckets import (
    Pages,
    Row,
    an_object,
    bucket_readings,
    listed,
    unfolded,
    window_us,
)
from tallybook.meter.sources.openai_usage_endpoints import (
    ASK_USAGE,
    COSTS,
    ENDPOINTS,
    bucket_of,
    translate,
)
from tallybook.meter.sources.openai_usage_export import export_groups, exported
from tallybook.meter.sources.source import BROKEN, Reading, cannot_read, open_bytes

NAME: Final = "openai-usage"
PERSONAL: Final[tuple[Path, ...]] = (("user_id",), ("user_email",))
_PREFIX, _SUFFIX = "organization.usage.", ".result"
_SPELLINGS: Final = {"file_searches": "file_search_calls", "web_searches": "web_search_calls"}


def open_files(files: Sequence[FilePath]) -> OpenaiUsage:
    """Files of either form.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return OpenaiUsage(files)


class OpenaiUsage:
    """Pages and dashboard exports, each file in the form that it has."""

    name = NAME
    personal = PERSONAL

    def __init__(self, files: Sequence[FilePath]) -> None:
        self._files = tuple((path, _is_json(path)) for path in files)

    def read(self) -> Iterator[Reading]:
        """Every bucket of every file; a page or an export is taken as one."""
        for path, is_json in self._files:
            if is_json:
                pages = Pages(NAME, [path], unfold, translate, personal=PERSONAL)
                yield from pages.read()
            else:
                yield from bucket_readings(NAME, exported(path), translate, export_groups(path))


def _is_json(path: FilePath) -> bool:
    with open_bytes(path) as file:
        try:
            return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}
        except BROKEN as error:
            raise cannot_read(path, error) from error


def unfold(place: str, page: dict[str, Any]) -> Iterator[Row]:
    """The results in the buckets of a page; empty buckets have none."""
    return unfolded(place, page, _rows)


def _rows(place: str, bucket: Any) -> Iterator[Row]:
    held = an_object(bucket, "a bucket")
    window = window_us(held.get("start_time"), held.get("end_time"))
    results = list(listed(place, held.get("results", held.get("result")), "results"))
    yield from (_row(where, window, result) for where, result in results)


def _row(place: str, window: tuple[int, int], result: Any) -> Row:
    try:
        held = an_object(result, "a result")
        return bucket_of(place, _endpoint(held.get("object")), window, held)
    except EventError as error:
        return place, result, error


def _endpoint(told: object) -> str:
    name = told.removeprefix(_PREFIX).removesuffix(_SUFFIX) if isinstance(told, str) else ""
    endpoint = _SPELLINGS.get(name, name)
    if endpoint in ENDPOINTS:
        return endpoint
    if name == "organization.costs":
        raise EventError(COSTS, next_step=ASK_USAGE)
    raise EventError(
        f"object is {shown(told)}; a result of usage is {_PREFIX}NAME{_SUFFIX},"
        f" NAME one of {', '.join(ENDPOINTS)}"
    )
