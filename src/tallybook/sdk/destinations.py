"""Where events go: a server, the books on this machine, or the company's own warehouse."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from tallybook.clock import SystemClock
from tallybook.errors import DeliveryError, WrongUsageError
from tallybook.sdk.shipping import Delivery, Destination, RefusedError
from tallybook.sdk.transport import installed

ENDPOINT: Final = "/v1/events"
_BATCH_BYTES: Final = 1_000_000
_TIMEOUT_S: Final = 30.0
_OK: Final = 200
_NEVER: Final = frozenset({400, 415, 422})
_TOO_LARGE: Final = 413
_FORMS: Final = "https://server, books:folder, parquet:address or table:SQLAlchemy-URL"


def destination(told: str, token: str = "") -> Destination:
    """The destination that a text names.

    Args:
        told: ``http(s)`` address, ``books:<folder>``, ``parquet:<fsspec address>`` or
            ``table:<SQLAlchemy URL>``, the name of the table after ``#`` if it is another.
        token: opens the server.

    Raises:
        WrongUsageError: the text names none.
    """
    kind, _, rest = told.partition(":")
    if kind in ("http", "https"):
        return Server(told, token)
    if kind == "books" and rest:
        return LocalBooks(Path(rest))
    if kind == "parquet" and rest:
        return ParquetFolder(rest)
    if kind == "table" and rest:
        url, _, table = rest.partition("#")
        return WarehouseTable(url, table)
    raise WrongUsageError(f"{kind!r} is no place to ship to", next_step=f"give {_FORMS}")


class Server:
    """A Tallybook server: ``POST /v1/events``, canonical events as JSON lines.

    Args:
        address: of the server, without the path.
        token: of the caller; '' sends none.
        endpoint: another route that takes JSON lines and answers with counts.
    """

    def __init__(self, address: str, token: str, endpoint: str = ENDPOINT) -> None:
        self._url = address.rstrip("/") + endpoint
        headers = {"content-type": "application/x-ndjson"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        library: Any = import_module(installed())
        self._fault: type[Exception] = library.HTTPError
        self._client = library.Client(headers=headers, timeout=_TIMEOUT_S)

    def deliver(self, segment: Path) -> Delivery:
        """Post a segment in batches; a batch that was answered may come again."""
        total = Delivery()
        for batch in _batches(segment):
            total += self._post(batch)
        return total

    def _post(self, batch: list[bytes]) -> Delivery:
        try:
            response = self._client.post(self._url, content=b"".join(batch))
        except self._fault as error:
            raise DeliveryError(
                f"cannot be reached: {type(error).__name__}",
                where=self._url,
                next_step="the events wait in the spool; see that the server runs",
            ) from error
        if response.status_code == _TOO_LARGE and len(batch) > 1:
            half = len(batch) // 2
            return self._post(batch[:half]) + self._post(batch[half:])
        if response.status_code in _NEVER or response.status_code == _TOO_LARGE:
            raise RefusedError(f"the server answered {response.status_code}")
        if response.status_code != _OK:
            raise DeliveryError(
                f"answered {response.status_code}",
                where=self._url,
                next_step="the events wait in the spool; check the address and the token",
            )
        return self._answer(response.content)

    def _answer(self, content: bytes) -> Delivery:
        try:
            told = msgspec.json.decode(content, type=dict[str, Any])
            named = {name: told[name] for name in Delivery.__dataclass_fields__ if name in told}
            delivery = msgspec.convert(named, Delivery)
        except msgspec.MsgspecError as error:
            raise DeliveryError(
                "answered with something else than the counts of an ingest",
                where=self._url,
                next_step="check that the address is a Tallybook server",
            ) from error
        if told.get("dropped"):
            raise RefusedError(f"the server cannot read {told['dropped']} of them, nor keep them")
        return delivery

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class LocalBooks:
    """Books on this machine, each segment ingested as `tallybook ingest jsonl` would."""

    def __init__(self, home: Path) -> None:
        from tallybook.meter.rejects import Rejects  # noqa: PLC0415 - as below
        from tallybook.store import Store  # noqa: PLC0415 - databases, which other ways need not

        self._home = home
        self._rejects = Rejects(home / "rejects", "jsonl")
        self._store = Store.open(home)

    def deliver(self, segment: Path) -> Delivery:
        """Bring a segment in."""
        from tallybook.meter.ingest import ingest  # noqa: PLC0415 - as above
        from tallybook.meter.sources.jsonl import Jsonl  # noqa: PLC0415 - as above
        from tallybook.store.commands import Command  # noqa: PLC0415 - as above

        result = ingest(
            self._store,
            Jsonl([segment]),
            clock=SystemClock(),
            new_id=lambda: secrets.token_hex(8),
            on_progress=None,
            reject_folder=self._home / "rejects",
            command=Command("ship", {"segment": segment.name}, "sdk"),
            rejects=self._rejects,
        )
        if result.dropped:
            raise RefusedError(
                f"{result.dropped} of its events cannot be read, and {self._home / 'rejects'} has"
                " no room for them"
            )
        return Delivery(result.accepted, result.duplicate, result.quarantined, result.rejected)

    def close(self) -> None:
        """Close the books."""
        self._rejects.close()
        self._store.close()


class ParquetFolder:
    """Parquet files under an fsspec address, one for each segment and of its name."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def deliver(self, segment: Path) -> Delivery:
        """Write a segment's file, or write it again."""
        from tallybook.store.warehouse import as_row, write_parquet  # noqa: PLC0415 - heavy

        rows = [as_row(event, "call") for event in _events(segment)]
        if rows:
            write_parquet(f"{self._address}/{segment.stem}.parquet", rows)
        return Delivery(accepted=len(rows))

    def close(self) -> None:
        """Nothing is held."""


class WarehouseTable:
    """A table behind an SQLAlchemy URL; it is made if it is not there."""

    def __init__(self, url: str, table: str) -> None:
        self._url = url
        self._table = table

    def deliver(self, segment: Path) -> Delivery:
        """Add the events of a segment that are not there yet."""
        from tallybook.store.warehouse import TABLE, append_table, as_row  # noqa: PLC0415 - heavy

        rows = [as_row(event, "call") for event in _events(segment)]
        added = append_table(self._url, rows, self._table or TABLE)
        return Delivery(accepted=added, duplicate=len(rows) - added)

    def close(self) -> None:
        """Nothing is held."""


def _events(segment: Path) -> Iterator[dict[str, Any]]:
    with segment.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line, type=dict[str, Any])


def _batches(segment: Path) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    with segment.open("rb") as file:
        for line in file:
            if batch and size + len(line) > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
            batch.append(line)
            size += len(line)
    if batch:
        yield batch
