"""The one table of what each dialect calls each thing (`docs/otlp.md`).

A row is one meaning; under it, the attributes that carry it, the most telling dialect first. Where
a span speaks several dialects at once, as LiteLLM's do, the first name that is there counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

Names = tuple[str, ...]

OTEL, OTEL_OLD = "otel", "otel-1.36"
OPENLLMETRY, OPENINFERENCE = "openllmetry", "openinference"
LANGFUSE, LITELLM, VERCEL = "langfuse", "litellm", "vercel"
SENTRY, STRANDS, PYDANTIC = "sentry", "strands", "pydantic-ai"
ADK, ANTHROPIC = "google-adk", "anthropic-sdk"

_PROVIDER_META: Final = "ai.response.providerMetadata"

TABLE: Final[Mapping[str, Mapping[str, Names]]] = {
    # What kind of step the span is; `tallybook.meter.sources.otel.role` reads the values.
    "type_langfuse": {LANGFUSE: ("langfuse.observation.type",)},
    "operation_id": {VERCEL: ("ai.operationId",)},
    "operation": {OTEL: ("gen_ai.operation.name",)},
    "kind": {OPENINFERENCE: ("openinference.span.kind",)},
    "entity_kind": {OPENLLMETRY: ("traceloop.span.kind",)},
    "request_type": {OPENLLMETRY: ("llm.request.type",)},
    # Whose model, which one.
    "provider": {
        OTEL: ("gen_ai.provider.name",),
        OTEL_OLD: ("gen_ai.system",),
        OPENINFERENCE: ("llm.provider", "llm.system"),
        VERCEL: ("ai.model.provider",),
    },
    "address": {
        OTEL: ("server.address",),
        OPENLLMETRY: ("gen_ai.openai.api_base", "llm.openai.api_base"),
    },
    "model": {
        OTEL: ("gen_ai.response.model",),
        OPENINFERENCE: ("llm.response.model_name", "llm.model_name", "embedding.model_name"),
        VERCEL: ("ai.response.model",),
        LANGFUSE: ("langfuse.observation.model.name",),
        LITELLM: ("litellm.provider.model",),
    },
    "model_requested": {
        OTEL: ("gen_ai.request.model",),
        OPENINFERENCE: ("llm.request.model_name", "reranker.model_name"),
        VERCEL: ("ai.model.id",),
    },
    "tier": {
        OTEL: ("openai.response.service_tier",),
        OTEL_OLD: ("gen_ai.openai.response.service_tier",),
        ANTHROPIC: ("anthropic.response.service_tier",),
        LITELLM: ("litellm.response.service_tier", "gen_ai.response.service_tier"),
    },
    # Which call.
    "response_id": {OTEL: ("gen_ai.response.id",), VERCEL: ("ai.response.id",)},
    "call_id": {LITELLM: ("litellm.call_id", "metadata.litellm_call_id")},
    "request_id": {
        ANTHROPIC: ("anthropic.request.id",),
        OTEL: ("gen_ai.request.id", "aws.request_id"),
    },
    "key_id": {LITELLM: ("litellm.api_key.hash", "metadata.user_api_key_hash")},
    "streaming": {OPENLLMETRY: ("gen_ai.is_streaming", "llm.is_streaming")},
    "cache_hit": {LITELLM: ("litellm.cache_hit",)},
    # How much. `input` counts the cache in, unless `tallybook.meter.sources.otel.counts` finds out
    # that it does not.
    "input": {
        OTEL: ("gen_ai.usage.input_tokens",),
        OTEL_OLD: ("gen_ai.usage.prompt_tokens",),
        OPENLLMETRY: ("llm.usage.prompt_tokens",),
        OPENINFERENCE: ("llm.token_count.prompt",),
        VERCEL: ("ai.usage.inputTokens", "ai.usage.promptTokens"),
    },
    "cache_read": {
        OTEL: ("gen_ai.usage.cache_read.input_tokens",),
        OPENLLMETRY: ("gen_ai.usage.cache_read_input_tokens",),
        OPENINFERENCE: ("llm.token_count.prompt_details.cache_read",),
        SENTRY: ("gen_ai.usage.input_tokens.cached",),
        VERCEL: ("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
        PYDANTIC: ("gen_ai.usage.details.cache_read_tokens",),
    },
    "cache_write": {
        OTEL: ("gen_ai.usage.cache_creation.input_tokens",),
        OPENLLMETRY: ("gen_ai.usage.cache_creation_input_tokens",),
        OPENINFERENCE: ("llm.token_count.prompt_details.cache_write",),
        SENTRY: ("gen_ai.usage.input_tokens.cache_write",),
        ANTHROPIC: ("gen_ai.usage.cache_write.input_tokens",),
        STRANDS: ("gen_ai.usage.cache_write_input_tokens",),
        VERCEL: ("ai.usage.inputTokenDetails.cacheWriteTokens",),
        PYDANTIC: ("gen_ai.usage.details.cache_write_tokens",),
    },
    "cache_write_5m": {ANTHROPIC: ("anthropic.usage.cache_creation.ephemeral_5m_input_tokens",)},
    "cache_write_1h": {ANTHROPIC: ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens",)},
    "uncached": {VERCEL: ("ai.usage.inputTokenDetails.noCacheTokens",)},
    "output": {
        OTEL: ("gen_ai.usage.output_tokens",),
        OTEL_OLD: ("gen_ai.usage.completion_tokens",),
        OPENLLMETRY: ("llm.usage.completion_tokens",),
        OPENINFERENCE: ("llm.token_count.completion",),
        VERCEL: ("ai.usage.outputTokens", "ai.usage.completionTokens"),
    },
    "reasoning": {
        OTEL: ("gen_ai.usage.reasoning.output_tokens",),
        OPENLLMETRY: ("gen_ai.usage.reasoning_tokens",),
        OPENINFERENCE: ("llm.token_count.completion_details.reasoning",),
        SENTRY: ("gen_ai.usage.output_tokens.reasoning",),
        VERCEL: ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
        PYDANTIC: ("gen_ai.usage.details.reasoning_tokens",),
        ADK: ("gen_ai.usage.experimental.reasoning_tokens",),
    },
    "total": {
        OTEL: ("gen_ai.usage.total_tokens",),
        OPENLLMETRY: ("llm.usage.total_tokens",),
        OPENINFERENCE: ("llm.token_count.total",),
        VERCEL: ("ai.usage.totalTokens", "ai.usage.tokens"),
    },
    # Views of the same tokens by modality: taken out of the total, never added to it.
    "audio_input": {
        OTEL: ("gen_ai.usage.audio.input_tokens",),
        OPENINFERENCE: ("llm.token_count.prompt_details.audio",),
    },
    "image_input": {OTEL: ("gen_ai.usage.image.input_tokens",)},
    "audio_output": {
        OTEL: ("gen_ai.usage.audio.output_tokens",),
        OPENINFERENCE: ("llm.token_count.completion_details.audio",),
    },
    "usage_details": {LANGFUSE: ("langfuse.observation.usage_details",)},
    # What others say that it cost.
    "cost": {
        LITELLM: ("litellm.cost.total", "gen_ai.cost.total_cost"),
        OTEL: ("gen_ai.usage.cost",),
        OPENINFERENCE: ("llm.cost.total",),
        PYDANTIC: ("operation.cost",),
    },
    "cost_details": {LANGFUSE: ("langfuse.observation.cost_details",)},
    # The provider's own words.
    "body": {OPENINFERENCE: ("output.value",), ADK: ("gcp.vertex.agent.llm_response",)},
    "provider_metadata": {VERCEL: (_PROVIDER_META,)},
    # Which step of whose program.
    "agent": {
        OTEL: ("gen_ai.agent.name", "gen_ai.workflow.name"),
        OPENINFERENCE: ("agent.name", "graph.node.name", "graph.node.id"),
        OPENLLMETRY: ("traceloop.entity.name", "traceloop.workflow.name"),
        VERCEL: ("ai.telemetry.functionId",),
    },
    "tool": {
        OTEL: ("gen_ai.tool.name",),
        OPENINFERENCE: ("tool.name",),
        VERCEL: ("ai.toolCall.name",),
    },
    "environment": {
        LANGFUSE: ("langfuse.environment",),
        OTEL: ("deployment.environment.name", "deployment.environment"),
        SENTRY: ("sentry.environment",),
    },
    "prompt_version": {
        LANGFUSE: ("langfuse.observation.prompt.version",),
        OPENLLMETRY: ("traceloop.prompt.version",),
        OPENINFERENCE: ("llm.prompt_template.version",),
    },
    # People and sittings.
    "user": {
        OTEL: ("user.id", "enduser.id", "gen_ai.user.id"),
        LANGFUSE: ("langfuse.user.id",),
        OPENLLMETRY: ("gen_ai.user", "llm.user"),
    },
    "customer": {LITELLM: ("litellm.end_user.id", "metadata.user_api_key_end_user_id")},
    "session": {
        OTEL: ("gen_ai.conversation.id", "session.id"),
        LANGFUSE: ("langfuse.session.id",),
    },
    "team": {
        LITELLM: (
            *("litellm.team.alias", "metadata.user_api_key_team_alias"),
            *("litellm.team.id", "metadata.user_api_key_team_id"),
        ),
    },
    # Maps and lists of tags that a program gave; `tallybook.meter.sources.tags` reads them.
    "metadata": {
        OPENINFERENCE: ("metadata",),
        LANGFUSE: ("langfuse.trace.metadata", "langfuse.observation.metadata"),
        LITELLM: ("metadata.requester_metadata", "metadata.spend_logs_metadata"),
    },
    "tags": {
        OPENINFERENCE: ("tag.tags",),
        LANGFUSE: ("langfuse.trace.tags",),
        LITELLM: ("metadata.tags",),
    },
    # Names that only tell which dialect is spoken.
    "mark": {
        VERCEL: ("ai.response.finishReason",),
        SENTRY: ("sentry.origin", "sentry.op"),
        STRANDS: ("gen_ai.event.start_time",),
        LITELLM: ("hidden_params", "litellm.call_type"),
        PYDANTIC: ("logfire.json_schema",),
    },
}

BAGGAGE: Final = "chargeback."
PROPERTIES: Final = (
    "traceloop.association.properties.",
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "ai.telemetry.metadata.",
    "litellm.metadata.",
)
"""What a program gave along, one attribute each."""

_SPOKEN: Final = (
    LANGFUSE,
    VERCEL,
    LITELLM,
    OPENINFERENCE,
    SENTRY,
    STRANDS,
    PYDANTIC,
    ADK,
    ANTHROPIC,
    OPENLLMETRY,
)
"""Dialects by how telling one of their names is; the conventions themselves come last."""

_CONTENT: Final = (
    *("gen_ai.prompt", "gen_ai.completion", "gen_ai.input.", "gen_ai.output.messages"),
    *("gen_ai.system_instructions", "gen_ai.tool.", "gen_ai.choice", "gen_ai.event.content"),
    *("gen_ai.request.messages", "gen_ai.response.text", "gen_ai.response.tool_calls"),
    *("llm.input_messages", "llm.output_messages", "llm.prompts", "llm.completions", "llm.tools"),
    *("llm.choices", "llm.invocation_parameters", "llm.prompt_template", "llm.function_call"),
    *("llm.request.functions", "llm.headers", "gen_ai.headers", "input.value", "output.value"),
    *("traceloop.entity.input", "traceloop.entity.output", "langfuse.observation.input"),
    *("langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output"),
    *("ai.prompt", "ai.response.text", "ai.response.toolCalls", "ai.response.object"),
    *("ai.response.reasoning", "ai.toolCall.args", "ai.toolCall.result", "ai.value", "ai.schema"),
    *("ai.embedding", "embedding.", "retrieval.", "reranker.", "tool.", "gcp.vertex.agent."),
    *("model_request_parameters", "all_messages", "final_result", "hidden_params", "exception."),
    *("error.message", "http.request.header", "url.full", "url.query", "http.url", "http.target"),
    *("db.statement", "db.query.text"),
)
"""Attributes that begin so hold what people wrote, or may: they are read and not kept."""

LONG: Final = 512
"""Text longer than this is kept of no attribute."""


class Meaning(NamedTuple):
    """What an attribute's name says: a row of the table and how soon it counts there."""

    row: str
    rank: int
    dialect: str
    kept: bool


@lru_cache(maxsize=16_384)
def meaning_of(name: str) -> Meaning:
    """What an attribute means; the row is '' of a name that says nothing here."""
    row, rank, dialect = _MEANINGS.get(name, ("", 0, ""))
    if not row:
        if name.startswith(BAGGAGE):
            row = "baggage"
        elif name.startswith(PROPERTIES):
            row = "property"
            dialect = _OWNER_OF[name.partition(".")[0]]
    personal = row in {"user", "customer"} or name.lower().endswith(("user", "user_id", "userid"))
    personal = personal or (row in {"baggage", "property"} and _about_people(name))
    return Meaning(row, rank, dialect, kept=not personal and not name.startswith(_CONTENT))


_OWNER_OF: Final = {
    "traceloop": OPENLLMETRY,
    "langfuse": LANGFUSE,
    "ai": VERCEL,
    "litellm": LITELLM,
}
_PEOPLE: Final = ("user", "customer", "tenant", "email", "mail", "name")


def _about_people(name: str) -> bool:
    last = name.rpartition(".")[2].lower()
    return any(word in last for word in _PEOPLE)


def _meanings() -> dict[str, tuple[str, int, str]]:
    found: dict[str, tuple[str, int, str]] = {}
    for row, dialects in TABLE.items():
        rank = 0
        for dialect, names in dialects.items():
            for name in names:
                assert name not in found, f"{name} stands in two rows"
                found[name] = (row, rank, dialect)
                rank += 1
    return found


_MEANINGS: Final = _meanings()
_RANK_OF: Final = {dialect: rank for rank, dialect in enumerate(_SPOKEN)}
_PLAIN_RANK: Final = len(_SPOKEN)


class Plan(NamedTuple):
    """What a set of attribute names says: for each row the names to ask, in their order."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]
    baggage: tuple[tuple[str, str], ...]
    properties: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]
    dialect: str


@lru_cache(maxsize=2048)
def plan_of(names: tuple[str, ...]) -> Plan:
    """The plan of a set of names. One instrumentation writes the same names again and again."""
    rows: dict[str, list[tuple[int, str]]] = {}
    baggage, properties, kept = [], [], []
    spoken, dialect = _PLAIN_RANK + 1, ""
    for name in names:
        row, rank, of, is_kept = meaning_of(name)
        if is_kept:
            kept.append(name)
        if not row:
            continue
        rung = _RANK_OF.get(of, _PLAIN_RANK)
        if rung < spoken and of:
            spoken, dialect = rung, of
        if row == "baggage":
            baggage.append((name, name.removeprefix(BAGGAGE)))
        elif row == "property":
            prefix = next(each for each in PROPERTIES if name.startswith(each))
            properties.append((name, name.removeprefix(prefix)))
        else:
            rows.setdefault(row, []).append((rank, name))
    asked = tuple((row, tuple(name for _, name in sorted(named))) for row, named in rows.items())
    return Plan(asked, tuple(baggage), tuple(properties), tuple(kept), dialect)


class Found:
    """What the attributes of a span say, by the rows of the table."""

    __slots__ = ("baggage", "dialect", "names", "properties", "told")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        plan = plan_of(tuple(attributes))
        told: dict[str, Any] = {}
        names: dict[str, str] = {}
        for row, asked in plan.rows:
            for name in asked:
                value = attributes[name]
                if value is not None and value != "":
                    told[row], names[row] = value, name
                    break
        self.told = told
        self.names = names
        self.baggage = [(tag, attributes[name]) for name, tag in plan.baggage]
        self.properties = [(tag, attributes[name]) for name, tag in plan.properties]
        self.dialect = plan.dialect

    @classmethod
    def given(
        cls,
        told: dict[str, Any],
        baggage: Sequence[tuple[str, str]],
        properties: Sequence[tuple[str, str]],
        dialect: str,
    ) -> Found:
        """The same of what was found before."""
        made = cls({})
        made.told, made.dialect = told, dialect
        made.baggage, made.properties = list(baggage), list(properties)
        return made
