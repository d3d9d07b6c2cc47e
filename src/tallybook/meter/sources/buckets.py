"""Aggregates of providers: what they add up over a window and a group of calls.

Rows of one page are disjoint, so rows that show the same window and group are added up: a provider
may split by something that the export does not show. The id is a digest of endpoint, window and
group, so that the same bucket is found again however often it is asked for; what happens when it
has grown since is said in `tallybook.meter.revise`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec

from tallybook.clock import format_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.model import COUNT_MAX
from tallybook.meter.sources.foreign import Told, readings
from tallybook.meter.sources.json_records import records_of
from tallybook.meter.sources.source import Reading, open_bytes

REQUESTS: Final = "requests"
"""The label of a bucket that says how many requests it adds up."""
GROUPED_BY: Final = "grouped_by"
"""The label of a bucket that says what it was grouped by, ``key,model``, where that is known.

Buckets of two groupings count the same calls; the resolver takes those of one.
"""
GROUP_BY: Final = "group_by"
"""The key of a page that says what it was asked to be grouped by."""
NOT_BILLED: Final = "not_billed"
"""The label of a bucket that never bills, whatever covers its window, and why: ``free`` or
``subscription``."""

_SIZE: Final = 16
_FIGURE_MAX: Final = 20  # digits of the largest count
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
Figures = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One row: a window, a group of calls, and what they used.

    ``group`` says what the calls have in common, ``figures`` counts by the provider's own names;
    None is a figure that the provider left open. ``told`` is kept and says nothing about identity.
    """

    place: str
    endpoint: str
    started_us: int
    ended_us: int
    group: Mapping[str, str]
    figures: Figures
    told: Mapping[str, str]

    @property
    def event_id(self) -> str:
        """The same for the same window and group, whenever and in whatever form it comes."""
        identity = [self.endpoint, self.started_us, self.ended_us, dict(self.group)]
        digest = blake2b(_ENCODER.encode(identity), digest_size=_SIZE)
        return f"{self.endpoint}:{digest.hexdigest()}"

    @property
    def record(self) -> dict[str, Any]:
        """What the provider wrote, plainly: absent and empty fields left out."""
        window = {
            "endpoint": self.endpoint,
            "started_at": format_instant(self.started_us),
            "ended_at": format_instant(self.ended_us),
        }
        figures = {name: figure for name, figure in self.figures.items() if figure is not None}
        return {**self.told, **self.group, **figures, **window}


Row = Bucket | tuple[str, Any, EventError]
"""A bucket, or the place and the record that is none, and why."""
Unfold = Callable[[str, dict[str, Any]], Iterable[Row]]
"""The rows of a page, which is at a place."""
Translate = Callable[[Bucket], dict[str, Any]]
"""A bucket as a canonical record, without id, window and role.

Raises:
    EventError: its figures contradict each other.
"""


class Pages:
    """Files of pages of one API: JSON, one page, an array or a line each.

    Args:
        name: the source of the events.
        files: what to read; gzip is unpacked.
        unfold: the rows of a page.
        translate: what a bucket is.
        personal: where a record names people.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """

    def __init__(
        self,
        name: str,
        files: Sequence[FilePath],
        unfold: Unfold,
        translate: Translate,
        *,
        personal: tuple[Path, ...] = (),
    ) -> None:
        self.name = name
        self.personal = personal
        self._files = tuple(files)
        self._unfold = unfold
        self._translate = translate
        for path in self._files:
            open_bytes(path).close()

    def read(self) -> Iterator[Reading]:
        """Every bucket of every page, in order."""
        for path in self._files:
            for place, page, fault in records_of(path):
                if fault:
                    yield Reading(place, page, fault)
                else:
                    rows = self._unfold(place, page)
                    yield from bucket_readings(self.name, rows, self._translate, groups_of(page))


def groups_of(page: Mapping[str, Any]) -> tuple[str, ...]:
    """What a page was grouped by, if it says so; a page that was pulled does (`tallybook.pull`)."""
    told = page.get(GROUP_BY)
    return tuple(name for name in told if isinstance(name, str)) if isinstance(told, list) else ()


def bucket_readings(
    source: str, rows: Iterable[Row], translate: Translate, groups: Sequence[str] = ()
) -> Iterator[Reading]:
    """What one page tells: its faults, then its buckets, those of one window and group as one."""
    buckets: dict[str, Bucket] = {}
    for row in rows:
        if isinstance(row, tuple):
            yield Reading(*row)
            continue
        same = buckets.get(row.event_id)
        buckets[row.event_id] = _added(same, row) if same else row
    names = sorted(set(groups))
    for event_id, bucket in buckets.items():

        def told(
            _: dict[str, Any], bucket: Bucket = bucket, event_id: str = event_id
        ) -> Iterator[Told]:
            yield Told(_canonical(source, event_id, bucket, translate(bucket), names), "bucket")

        yield from readings(bucket.place, bucket.record, told)


def _added(first: Bucket, second: Bucket) -> Bucket:
    sums: dict[str, int | None] = {}
    for name in (*first.figures, *second.figures):
        one, other = first.figures.get(name), second.figures.get(name)
        sums[name] = None if one is None or other is None else one + other
    return Bucket(
        first.place,
        first.endpoint,
        first.started_us,
        first.ended_us,
        first.group,
        sums,
        first.told,
    )


def _canonical(
    source: str, event_id: str, bucket: Bucket, fields: dict[str, Any], names: Sequence[str]
) -> dict[str, Any]:
    labels = {GROUPED_BY: ",".join(names)} if names else {}
    return {
        **fields,
        "event_id": event_id,
        "source": source,
        "started_at": format_instant(bucket.started_us),
        "ended_at": format_instant(bucket.ended_us),
        "operation": bucket.endpoint,
        "labels": {**labels, **fields.get("labels", {})},
    }


def window_us(start: object, end: object) -> tuple[int, int]:
    """The window of Unix seconds ``start`` and ``end`` in microseconds.

    Raises:
        EventError: they are no instants, or the window has no length.
    """
    first, last = (count("start_time", start), count("end_time", end))
    if first is None or last is None or first >= last:
        raise EventError(
            f"the window runs from {shown(start)} to {shown(end)}; it is two moments in seconds"
            " since 1970, the first before the second"
        )
    try:
        format_instant(last * 1_000_000)
    except ClockError as error:
        raise EventError(f"end_time is {last}: {error.what}") from error
    return first * 1_000_000, last * 1_000_000


def count(name: str, told: object) -> int | None:
    """A count as providers write it: ``59200``, ``59200.0`` or text of these; None if absent.

    Raises:
        EventError: it is no whole number of 0 or more.
    """
    if told is None or told == "":
        return None
    if type(told) is int:
        figure = Decimal(told)
    else:
        try:
            figure = told if isinstance(told, Decimal) else Decimal(_digits(told))
        except ArithmeticError:
            figure = Decimal(-1)
    fits = figure.is_finite() and figure.adjusted() < _FIGURE_MAX and figure >= 0
    if not fits or figure != int(figure) or figure > COUNT_MAX:
        raise EventError(
            f"{name} is {shown(told)}; a count is a whole number of 0 or more, at most {COUNT_MAX}"
        )
    return int(figure)


def _digits(told: object) -> str:
    """Text that can be a figure; any other type is none."""
    return told if isinstance(told, str) and told.isascii() and "_" not in told else "none"


def listed(place: str, held: object, name: str) -> Iterator[tuple[str, Any]]:
    """The members of a list with their places.

    Raises:
        EventError: it is no list.
    """
    if not isinstance(held, list):
        raise EventError(f"{name} is {shown(held)}; it is a list")
    for number, member in enumerate(held, 1):
        yield f"{place}.{number}", member


def unfolded(
    place: str, page: Mapping[str, Any], rows_of: Callable[[str, Any], Iterator[Row]]
) -> Iterator[Row]:
    """The rows of the members of a page's ``data``; a faulty member is a row with its fault.

    Args:
        place: of the page.
        page: one answer of an API.
        rows_of: the rows of one member at its place; it raises EventError before its first row.
    """
    try:
        members = list(listed(place, page.get("data"), "data"))
    except EventError as error:
        yield place, page, error
        return
    for at, member in members:
        try:
            yield from rows_of(at, member)
        except EventError as error:
            yield at, member, error


def an_object(held: object, name: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        EventError: it is none.
    """
    if not isinstance(held, dict):
        raise EventError(f"{shown(held)} stands here; {name} is a JSON object")
    return held


def plain(value: object) -> str:
    """A value of a group as text, the same in JSON and in a table: ``true``, ``FALSE`` too."""
    if isinstance(value, str):
        lowered = value.lower()
        return lowered if lowered in {"true", "false"} else value
    return shown(value)
