"""Results of Anthropic's message batches: a line for each request, at the batch tier.

A message carries no time. The batch, before its lines, says when it was made and ended; without it
the lines cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.sources.calls import call, with_reading
from tallybook.meter.sources.foreign import Foreign, Told
from tallybook.meter.sources.wordless import wordless
from tallybook.meter.usage.read import read_body

NAME: Final = "anthropic-batch"
_BATCH: Final = "message_batch"
_BATCH_KEPT: Final = ("id", "type", "created_at", "ended_at")
_OUTCOMES: Final = ("succeeded", "errored", "canceled", "expired")


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Result files, each after the batch that it is of.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Foreign(NAME, files, Lines().translate, prepare=prepare)


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A line, or a batch, without what was asked and answered."""
    if record.get("type") == _BATCH:
        return {name: record[name] for name in _BATCH_KEPT if record.get(name) is not None}
    return call(custom_id=record.get("custom_id"), result=wordless(record.get("result")))


class Lines:
    """Translates lines in the light of the batch before them."""

    def __init__(self) -> None:
        self._batch: Mapping[str, Any] = {}

    def translate(self, record: dict[str, Any]) -> Iterator[Told]:
        """What a prepared line tells; nothing unless it succeeded: all else used nothing.

        Raises:
            EventError: it is no line of results, or no batch stands before it.
        """
        if record.get("type") == _BATCH:
            self._batch = record
            return
        result = record.get("result")
        outcome = result.get("type") if isinstance(result, dict) else None
        if outcome not in _OUTCOMES or not isinstance(record.get("custom_id"), str):
            raise EventError(
                f"result.type is {shown(outcome)}; a line of batch results has a custom_id and one"
                f" of {', '.join(_OUTCOMES)}"
            )
        if outcome != "succeeded":
            return
        assert isinstance(result, dict), "its type was read just now"
        message = result.get("message")
        message_id = message.get("id") if isinstance(message, dict) else None
        if not self._batch or not isinstance(message_id, str):
            raise EventError(
                f"message {shown(message_id)} does not say when it was made",
                next_step="ingest the batch before its results: batch.json results.jsonl",
            )
        record_of = call(
            event_id=message_id,
            source=NAME,
            provider="anthropic",
            model="unknown",
            started_at=self._batch.get("created_at"),
            ended_at=self._batch.get("ended_at"),
            tier="batch",
            purpose="batch",
            labels=call(custom_id=record["custom_id"], batch_id=self._batch.get("id")),
        )
        yield from with_reading(record_of, read_body(record, provider="anthropic"))
