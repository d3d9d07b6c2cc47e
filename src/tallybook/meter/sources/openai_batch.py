"""Results of OpenAI batches: a line for each request, at the batch tier.

The Batch object, before its lines, says when they ran, at which endpoint and for whom (its
``metadata``). Its own usage repeats that of the lines and is never counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.clock import format_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.sources.calls import call, with_reading
from tallybook.meter.sources.foreign import Foreign, Told
from tallybook.meter.sources.tags import fields_of, pairs_of
from tallybook.meter.sources.wordless import wordless
from tallybook.meter.usage.read import read_body

NAME: Final = "openai-batch"
_US: Final = 1_000_000
_BATCH_TIMES: Final = ("completed_at", "in_progress_at", "created_at")
_BATCH_KEPT: Final = ("id", "object", "endpoint", "metadata", *_BATCH_TIMES)
_LINE_KEPT: Final = ("id", "custom_id")
_ID_MARK: Final = "batch_req_"
_ID_LENGTH: Final = 32  # hex digits of an id whose first eight are its time
_ID_FROM_S, _ID_TO_S = 1_704_067_200, 4_102_444_800  # 2024 to 2100


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Result files, and Batch objects before the results that they are of.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Foreign(NAME, files, Lines().translate, prepare=prepare)


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A line, or a Batch object, without what was asked and answered."""
    if record.get("object") == "batch":
        return {name: record[name] for name in _BATCH_KEPT if record.get(name) is not None}
    kept = {name: record[name] for name in _LINE_KEPT if record.get(name) is not None}
    response = record.get("response")
    if isinstance(response, dict):
        kept["response"] = wordless(response) | call(request_id=response.get("request_id"))
    if record.get("error"):
        kept["error"] = wordless(record["error"]) or {}
    return kept


class Lines:
    """Translates lines in the light of the Batch object before them."""

    def __init__(self) -> None:
        self._batch: Mapping[str, Any] = {}

    def translate(self, record: dict[str, Any]) -> Iterator[Told]:
        """What a prepared line tells; nothing if the request never ran or was refused.

        Raises:
            EventError: it is no line of results, or nothing says when it ran.
        """
        if record.get("object") == "batch":
            self._batch = record
            return
        if not isinstance(record.get("custom_id"), str):
            raise EventError(
                f"custom_id is {shown(record.get('custom_id'))}; a line of batch results has one",
                next_step="download the batch's output file, not its input file",
            )
        response = record.get("response")
        body = response.get("body") if isinstance(response, dict) else None
        if not isinstance(body, dict):
            return
        endpoint = self._batch.get("endpoint")
        reading = read_body(
            record, provider="openai", endpoint=endpoint if isinstance(endpoint, str) else ""
        )
        if reading.status == "error" and not any(part.tokens for part in reading.parts):
            return
        yield from with_reading(self._call(record, body), reading)

    def _call(self, record: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        fields, labels = fields_of(tuple(pairs_of(self._batch.get("metadata"))))
        told = {"custom_id": record["custom_id"], "batch_id": self._batch.get("id")}
        return {
            **fields,
            "event_id": self._id(record),
            "source": NAME,
            "provider": "azure" if "prompt_filter_results" in body else "openai",
            "model": "unknown",
            "started_at": self._started_at(record, body),
            "tier": "batch",
            "labels": {**labels, **call(**told)},
            **({} if "purpose" in fields else {"purpose": "batch"}),
        }

    def _id(self, record: Mapping[str, Any]) -> str:
        line_id, batch_id = record.get("id"), self._batch.get("id")
        if isinstance(line_id, str) and line_id:
            return line_id
        if isinstance(batch_id, str) and batch_id:
            return f"{batch_id}:{record['custom_id']}"
        raise EventError(
            "the line has no id", next_step="ingest the Batch object before it: its id stands in"
        )

    def _started_at(self, record: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """When the response was made; else when the batch ended; else what the id says.

        Embeddings carry no time. Ids of today begin with theirs, in hex.
        """
        told = [body.get("created"), body.get("created_at")]
        told += [self._batch.get(name) for name in _BATCH_TIMES]
        seconds = next((at for at in told if type(at) is int), _seconds_of(record.get("id")))
        if seconds is None:
            raise EventError(
                f"nothing says when line {shown(record.get('id'))} ran",
                next_step="ingest the Batch object before its results: batch.json output.jsonl",
            )
        try:
            return format_instant(seconds * _US)
        except ClockError as error:
            raise EventError(f"created is {seconds}: {error.what}") from error


def _seconds_of(line_id: object) -> int | None:
    digits = line_id.removeprefix(_ID_MARK) if isinstance(line_id, str) else ""
    try:
        seconds = int(digits[:8], 16) if len(digits) == _ID_LENGTH else 0
    except ValueError:
        return None
    return seconds if _ID_FROM_S <= seconds < _ID_TO_S else None
