"""What spans of one program have in common: kind, model, names, tags; found out once for all.

A program writes the same attributes again and again, but for counts, ids and people.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from tallybook.meter.providers import provider_of, provider_of_model, provider_of_url
from tallybook.meter.sources.otel.dialects import Found, meaning_of
from tallybook.meter.sources.otel.model import Span
from tallybook.meter.sources.otel.role import Kind, is_counting, kind_of, states_usage
from tallybook.meter.sources.tags import fields_of, pairs_of, text

Plain = tuple[tuple[str, str], ...]

_FRAMEWORKS: Final = frozenset(
    {"langchain", "crewai", "llamaindex", "llama_index", "haystack", "litellm_proxy", "autogen"}
)
"""What some instrumentations name as the provider, though it serves no model."""

_TAGS: Final = frozenset(
    {
        *("team", "feature", "purpose", "customer", "cohort", "plan", "session", "user"),
        *("environment", "prompt_version", "evaluation_run"),
    }
)
_NAMELESS: Final = "unknown_service"
_VARYING: Final = frozenset(
    {
        *("input", "output", "total", "uncached", "cache_read", "cache_write", "reasoning"),
        *("cache_write_5m", "cache_write_1h", "audio_input", "image_input", "audio_output"),
        *("usage_details", "cost", "cost_details", "body", "provider_metadata"),
        *("response_id", "request_id", "call_id", "user", "customer", "session"),
    }
)
"""Rows that differ from span to span; the frame does not ask them."""


class Frame(NamedTuple):
    """The common part: fields and labels of a canonical record, and whose model it was."""

    kind: Kind
    fields: dict[str, Any]
    labels: dict[str, str]
    provider: str
    model: str


def frame_of(span: Span, found: Found) -> Frame:
    """The frame of a span; it is shared, so what is added goes into copies."""
    told = found.told
    rows = tuple(
        [
            (row, value if type(value) is str else _as_text(value))
            for row, value in told.items()
            if row not in _VARYING
        ]
    )
    baggage = tuple([(tag, text(value)) for tag, value in found.baggage])
    properties = tuple([(tag, text(value)) for tag, value in found.properties])
    return _frame(
        (span.kind, states_usage(found), is_counting(span)),
        (rows, baggage, properties),
        found.dialect,
        span.resource.plain,
        span.scope,
    )


@lru_cache(maxsize=4096)
def _frame(
    state: tuple[str, bool, bool],
    said: tuple[Plain, Plain, Plain],
    dialect: str,
    process: Plain,
    scope: str,
) -> Frame:
    (rows, baggage, properties), (span_kind, used, counting) = said, state
    found = Found.given(dict(rows), baggage, properties, dialect)
    kind = kind_of(found, span_kind, used=used, counting=counting)
    told = found.told
    fields, labels = _tags(found, process)
    _names(fields, labels, found, process, kind)
    if dialect:
        labels["dialect"] = dialect
    if scope:
        labels["instrumentation"] = scope
    requested = told.get("model_requested", "")
    if requested and kind.role != "span":
        fields["model_requested"] = requested
    fields["operation"] = kind.operation
    model = told.get("model") or requested
    return Frame(kind, fields, labels, _provider(found, model), model)


def _as_text(value: object) -> str:
    """A value as text that `tags.pairs_of` reads: maps and lists as JSON."""
    if isinstance(value, dict | list):
        return _JSON.encode(value).decode()
    return text(value)


_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def _names(
    fields: dict[str, Any], labels: dict[str, str], found: Found, process: Plain, kind: Kind
) -> None:
    """``service``: of a call the program, of a step the agent or the tool."""
    told = found.told
    service = dict(process).get("service.name", "")
    if service.startswith(_NAMELESS):
        service = ""
    own = text(told.get("tool")) if kind.operation == "execute_tool" else ""
    own = own or text(told.get("agent"))
    if kind.role == "call":
        if own and service:
            labels["agent"] = own
        named = service or own
    else:
        if own and service:
            labels["service"] = service
        named = own or service
    if named:
        fields["service"] = named


def _tags(found: Found, process: Plain) -> tuple[dict[str, Any], dict[str, str]]:
    """Owner and purpose, the first that says so: baggage, properties, the process."""
    told = found.told
    fields: dict[str, Any] = {}
    labels: dict[str, str] = {}
    if found.baggage:
        said, others = fields_of(tuple((name, text(value)) for name, value in found.baggage))
        fields |= said
        labels |= others
    if found.properties or "metadata" in told or "tags" in told:
        _of_program(found, fields, labels)
    for row in _OWN_ROWS:
        if row in told:
            fields.setdefault(row, text(told[row]))
    _of_process(process, fields, labels)
    if fields.get("environment", "").startswith("langfuse-"):
        fields.setdefault("purpose", "evaluation")
    return {name: value for name, value in fields.items() if value}, labels


def _of_program(found: Found, fields: dict[str, Any], labels: dict[str, str]) -> None:
    """Properties that the program gave along. They are free text: only known tags are taken."""
    given = [(name, text(value)) for name, value in found.properties]
    for row in ("metadata", "tags"):
        given += pairs_of(found.told.get(row))
    said, others = fields_of(tuple(given))
    for name, value in said.items():
        if name in _TAGS:
            fields.setdefault(name, value)
    for name in ("tags", "purpose"):
        if name in others:
            labels.setdefault(name, others[name])


_OWN_ROWS: Final = ("team", "environment", "prompt_version")


def _of_process(process: Plain, fields: dict[str, Any], labels: dict[str, str]) -> None:
    """What the resource says of all its spans: the last to be asked."""
    for name, value in process:
        row = meaning_of(name).row
        if row == "baggage":
            said, others = fields_of(((name, text(value)),))
            for field, tag in said.items():
                fields.setdefault(field, tag)
            for field, tag in others.items():
                labels.setdefault(field, tag)
        elif row == "environment":
            fields.setdefault("environment", text(value))


def _provider(found: Found, model: str) -> str:
    told = found.told
    said = provider_of(text(told.get("provider")))
    if said in _FRAMEWORKS:
        said = ""
    address = text(told.get("address"))
    if said in {"", "openai"} and address:
        # Any server that speaks OpenAI's API is "openai" to OpenAI's client.
        said = provider_of_url(address) or said
    return said or provider_of_model(model)
