"""Records of a product that we know: its own JSON becomes canonical records, and these events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.model import Role
from tallybook.meter.read import read_event
from tallybook.meter.sources.json_records import judged, records_in, records_of
from tallybook.meter.sources.source import Reading, open_bytes


class Told(NamedTuple):
    """One thing that a foreign record tells, as a canonical record (`docs/start.md`)."""

    canonical: dict[str, Any]
    role: Role = "call"


Translate = Callable[[dict[str, Any]], Iterable[Told]]
"""A record of a product to what it tells; nothing for a record that is no usage.

Raises:
    EventError: the record is not what the product writes; the field, the figure, the next step.
"""


Prepare = Callable[[dict[str, Any]], dict[str, Any]]
"""A record as it is kept: JSON in texts opened, prompts and completions left out.

Raises:
    EventError: as `Translate`.
"""


OpenPage = Callable[[dict[str, Any]], Sequence[object] | None]
"""The records that a page of a product's API holds; None of what is no page but a record."""


class Foreign:
    """Files of one product: one JSON value each, or JSON lines.

    Args:
        name: the source of the events, as `docs/sources.md` lists it.
        files: what to read; gzip is unpacked.
        translate: makes canonical records of one record.
        prepare: done before that; its record is the one that is digested and kept.
        personal: where a record gives user and customer; the digest leaves both out.
        list_path: where in a file's value the list of records lies.
        open_page: takes the records out of pages, which may come in the place of records.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """

    def __init__(
        self,
        name: str,
        files: Sequence[FilePath],
        translate: Translate,
        *,
        personal: tuple[Path, ...] = (),
        list_path: Path = (),
        prepare: Prepare | None = None,
        open_page: OpenPage | None = None,
    ) -> None:
        self.name = name
        self.personal = personal
        self._files = tuple(files)
        self._translate = translate
        self._list_path = list_path
        self._prepare = prepare
        self._open_page = open_page
        for path in self._files:
            open_bytes(path).close()

    def read(self) -> Iterator[Reading]:
        """Every record; one that tells several things comes once for each."""
        for path in self._files:
            yield from self._readings(records_of(path, self._list_path))

    def line(self, place: str, line: bytes) -> Iterator[Reading]:
        """Every record of one line; see `tallybook.meter.sources.source.Lined`."""
        return self._readings(records_in(place, line, self._list_path))

    def _readings(self, records: Iterable[tuple[str, Any, EventError | None]]) -> Iterator[Reading]:
        for place, record, fault in records:
            page = self._open_page(record) if self._open_page and not fault else None
            if fault:
                yield Reading(place, record, fault)
            elif page is None:
                yield from self.readings(place, record)
            else:
                yield from self._readings(
                    judged((f"{place}:{n}", r) for n, r in enumerate(page, 1))
                )

    def readings(self, place: str, record: dict[str, Any]) -> Iterator[Reading]:
        """What one record tells, or its fault."""
        return readings(place, record, self._translate, self._prepare)


def readings(
    place: str, record: dict[str, Any], translate: Translate, prepare: Prepare | None = None
) -> Iterator[Reading]:
    """What one record tells, or its fault: a record is taken whole or refused whole."""
    try:
        kept = prepare(record) if prepare else record
        told = [(read_event(each.canonical), each.role) for each in translate(kept)]
    except EventError as error:
        yield Reading(place, record, error)
        return
    for event, role in told:
        yield Reading(place, kept, event, role)
