"""Following files that grow: what came is ingested in small batches, each once for ever.

Positions are kept beside the books after each batch. They only save reading again: ids are claimed,
so a position that is lost, or older than the books, loses nothing and doubles nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Protocol

import msgspec

from tallybook.clock import Clock
from tallybook.errors import StoreError
from tallybook.meter.identity import Path as RecordPath
from tallybook.meter.ingest import IngestResult, ingest
from tallybook.meter.rejects import Rejects
from tallybook.meter.sources.source import Lined, Reading
from tallybook.meter.tail import Line, Position, Tail
from tallybook.store import Store
from tallybook.store.commands import Command

POLL_S: Final = 1.0
"""How long a line waits at most before it is read, beside the time that a batch takes."""

NOTHING: Final = IngestResult(0, 0, 0, 0, "")


class Stop(Protocol):
    """What ends the following; `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether it should end."""

    def wait(self, timeout: float) -> bool:
        """Wait for the end, at most so many seconds."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Lines that came, as a source."""

    source: Lined
    lines: Sequence[Line]

    @property
    def name(self) -> str:
        """The form, for people."""
        return self.source.name

    @property
    def personal(self) -> tuple[RecordPath, ...]:
        """Where a record gives user and customer."""
        return self.source.personal

    def read(self) -> Iterator[Reading]:
        """Every record of the lines."""
        for place, line in self.lines:
            yield from self.source.line(place, line)


def follow(
    store: Store,
    source: Lined,
    files: Sequence[Path],
    *,
    clock: Clock,
    new_id: Callable[[], str],
    on_batch: Callable[[IngestResult], None],
    say: Callable[[str], None],
    stop: Stop,
    command: Command | None = None,
) -> IngestResult:
    """Ingest what files hold and what is written to them, until told to stop.

    Args:
        store: open books.
        source: reads lines of the product.
        files: need not be there yet.
        clock: when events are received.
        new_id: gives random subject ids.
        on_batch: told of each batch when it is in.
        say: told in words what a person should know, such as a rotation.
        stop: looked at after each batch; a batch that has begun is finished.
        command: logged with each batch.

    Returns:
        the sum over all batches.

    Raises:
        StoreError: the disk refuses; a second run goes on where this one stopped.
    """
    marks = [_mark(store.home / "follow", source.name, path) for path in files]
    tails = [Tail(path, _saved(mark), say) for path, mark in zip(files, marks, strict=True)]
    rejects = Rejects(store.home / "rejects", source.name)
    total = NOTHING
    try:
        while True:
            lines = [line for tail in tails for line in tail.poll()]
            if lines:
                result = ingest(
                    store,
                    Followed(source, lines),
                    clock=clock,
                    new_id=new_id,
                    on_progress=None,
                    reject_folder=store.home / "rejects",
                    command=command,
                    rejects=rejects,
                )
                total = _sum(total, result)
                _save(tails, marks)
                on_batch(result)
            pause_s = 0 if any(tail.is_behind for tail in tails) else POLL_S
            if stop.is_set() or stop.wait(pause_s):
                return total
    finally:
        rejects.close()
        for tail in tails:
            tail.close()


def _sum(one: IngestResult, other: IngestResult) -> IngestResult:
    return IngestResult(
        accepted=one.accepted + other.accepted,
        duplicate=one.duplicate + other.duplicate,
        quarantined=one.quarantined + other.quarantined,
        rejected=one.rejected + other.rejected,
        reject_file=other.reject_file or one.reject_file,
        dropped=one.dropped + other.dropped,
    )


def _mark(folder: Path, name: str, path: Path) -> Path:
    key = blake2b(f"{name}\0{path.absolute()}".encode(errors="surrogateescape"), digest_size=8)
    return folder / f"{name}-{key.hexdigest()}.json"


def _saved(mark: Path) -> Position | None:
    try:
        return msgspec.json.decode(mark.read_bytes(), type=Position)
    except (OSError, msgspec.MsgspecError):
        return None


def _save(tails: Sequence[Tail], marks: Sequence[Path]) -> None:
    for tail, mark in zip(tails, marks, strict=True):
        position = tail.position
        if position is None:
            continue
        partial = mark.with_suffix(".partial")
        try:
            mark.parent.mkdir(exist_ok=True)
            partial.write_bytes(msgspec.json.encode(position))
            os.replace(partial, mark)  # noqa: PTH105 - the same call on every system
        except OSError as error:
            raise StoreError(
                f"could not note how far {tail.path} was read: {error.strerror or error}",
                where=str(mark),
                next_step="make room on the disk and run the same command again",
            ) from error
