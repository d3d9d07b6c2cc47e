"""An observation in one form, whichever export it stood in.

The API and the trace export write camel case, the blob export snake case; maps come as objects or
as JSON in a text, instants with or without a zone, which is UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tallybook.clock import parse_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.sources.tags import instant, parsed, text

_NAMES: Final = {
    "traceId": "trace_id",
    "parentObservationId": "parent_observation_id",
    "startTime": "start_time",
    "endTime": "end_time",
    "userId": "user_id",
    "sessionId": "session_id",
    "usageDetails": "usage_details",
    "providedUsageDetails": "provided_usage_details",
    "costDetails": "cost_details",
    "providedCostDetails": "provided_cost_details",
    "totalCost": "total_cost",
    "promptVersion": "prompt_version",
}
_ELSEWHERE: Final = {  # names that differ by more than their case
    "model": ("model", "providedModelName", "provided_model_name"),
    "parentObservationId": ("parentObservationId", "parent_observation_id", "parentId"),
}
_KEPT: Final = ("id", "traceId", "parentObservationId", "type", "model", "level", "environment")
_MAPS: Final = ("usageDetails", "providedUsageDetails")


class Observation(NamedTuple):
    """One observation: ``get`` any field by its name in the API; ``metadata`` is opened."""

    told: Mapping[str, Any]
    metadata: Mapping[str, Any]
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """A field, '' read as absent."""
        names = _ELSEWHERE.get(name) or (name, _NAMES.get(name, name))
        found = next((self.told[each] for each in names if self.told.get(each) is not None), None)
        return None if found == "" else found

    def map(self, name: str) -> Mapping[str, Any]:
        """A field that holds a map; {} if it is absent.

        Raises:
            EventError: it is something else.
        """
        return _map(self.get(name), name)


def observation_of(record: Mapping[str, Any]) -> Observation:
    """An observation of a record.

    Raises:
        EventError: it is none: it has no id, or belongs to no trace.
    """
    metadata = opened(record.get("metadata"))
    made = Observation(
        record,
        metadata,
        opened(metadata.get("attributes")),
        opened(metadata.get("resourceAttributes")),
    )
    for name in ("id", "traceId"):
        if not text(made.get(name)):
            raise EventError(
                f"{name} is {shown(made.get(name))}; an observation has an id and a trace",
                next_step="export observations with the fields core, basic, time, usage, model",
            )
    return made


def opened(told: object) -> Mapping[str, Any]:
    """A map that may be JSON in a text; {} of anything else."""
    if isinstance(told, str):
        told = parsed(told)
    return told if isinstance(told, dict) else {}


def kept_of(one: Observation) -> dict[str, Any]:
    """What is kept of an observation, the same from every export.

    Costs and changes of state are left out, for Langfuse makes them again; content and people too.
    """
    kept: dict[str, Any] = {name: text(one.get(name)) for name in _KEPT}
    kept |= {name: _us(one.get(name), name) for name in ("startTime", "endTime")}
    kept |= {name: dict(one.map(name)) for name in _MAPS}
    return kept


def _us(told: object, name: str) -> int | str | None:
    """An instant in microseconds, however it was written; as written if it is none."""
    written = instant(told, name)
    try:
        return None if written is None else parse_instant(written)
    except ClockError:
        return written


def _map(told: object, name: str) -> Mapping[str, Any]:
    if told is None:
        return {}
    read = parsed(told) if isinstance(told, str) else told
    if not isinstance(read, dict):
        raise EventError(f"{name} is {shown(told)}; it is a map of names to figures")
    return read
