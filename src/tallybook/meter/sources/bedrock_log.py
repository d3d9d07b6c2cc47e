"""AWS Bedrock's model invocation log: one record for each call, from S3 or CloudWatch.

Cache tokens are outside ``inputTokenCount``. The counts of the log stand even where the bodies lie
in S3; the body, where it is there, may know more: cache writes by time to live, the tier, what
compaction used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.model import Usage
from tallybook.meter.sources.calls import call, with_reading
from tallybook.meter.sources.foreign import Foreign, Told
from tallybook.meter.sources.tags import fields_of, pairs_of, parsed, text
from tallybook.meter.sources.wordless import wordless
from tallybook.meter.usage.model import Part, UsageReading
from tallybook.meter.usage.read import read_body, read_usage

NAME: Final = "bedrock-log"
PERSONAL: Final[tuple[Path, ...]] = (
    ("identity",),
    *(("requestMetadata", name) for name in ("user", "user_id", "customer", "customer_id")),
)
_SCHEMA: Final = "ModelInvocationLog"
_KEPT: Final = (
    "schemaType", "schemaVersion", "timestamp", "accountId", "identity", "region", "requestId",
    "operation", "modelId", "inferenceRegion", "requestMetadata", "errorCode",
)  # fmt: skip
_IN: Final = ("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
_PLAIN_ARNS: Final = ("foundation-model/", ":inference-profile/")
_INFORMATIVE: Final = "reasoning"


def open_files(files: Sequence[FilePath]) -> Foreign:
    """Log files as S3 holds them (gzipped JSON lines), or events exported from CloudWatch.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return Foreign(NAME, files, translate, personal=PERSONAL, prepare=prepare)


def prepare(record: dict[str, Any]) -> dict[str, Any]:
    """A record out of its CloudWatch envelope, without what was asked and answered.

    Raises:
        EventError: it is no record of this log.
    """
    message = record.get("message", record.get("@message"))
    inner = parsed(message) if isinstance(message, str) else message
    told = inner if isinstance(inner, dict) else record
    if told.get("schemaType") != _SCHEMA:
        raise EventError(
            f"schemaType is {shown(told.get('schemaType'))}; a record of the log is a {_SCHEMA}"
        )
    kept = {name: told[name] for name in _KEPT if told.get(name) is not None}
    sides = {side: told.get(side) for side in ("input", "output")}
    read, written = (held if isinstance(held, dict) else {} for held in sides.values())
    kept["input"] = {name: read[name] for name in _IN if read.get(name) is not None}
    kept["output"] = call(outputTokenCount=written.get("outputTokenCount"))
    body = written.get("outputBodyJson")
    if isinstance(body, dict):
        kept["output"]["outputBodyJson"] = wordless(body)
    return kept


def translate(record: dict[str, Any]) -> Iterator[Told]:
    """The call that a prepared record tells of.

    Raises:
        EventError: its counts are none, or contradict each other.
    """
    model = model_of(text(record.get("modelId")))
    reading = _reading(record, model)
    fields, labels = fields_of(tuple(pairs_of(record.get("requestMetadata"))))
    principal, user = _who(record.get("identity"))
    told = {
        "account": text(record.get("accountId")),
        "inference_region": text(record.get("inferenceRegion")),
        "error": text(record.get("errorCode")),
    }
    yield from with_reading(
        call(
            **{"key_id": principal, "user": user, **fields},
            event_id=record.get("requestId"),
            request_id=record.get("requestId"),
            source=NAME,
            provider="aws",
            model=model,
            started_at=record.get("timestamp"),
            operation=text(record.get("operation")),
            region=text(record.get("region")),
            status="error" if told["error"] else "",
            latency_ms=_latency_ms(record),
            labels={**labels, **call(**told)},
        ),
        reading,
    )


def model_of(model_id: str) -> str:
    """The model in a model id or its ARN; the ARN of an application's profile stays.

    Which model such a profile calls is nowhere in the log: an alias in ``prices.yaml`` says so.
    """
    for mark in _PLAIN_ARNS:
        _, found, model = model_id.partition(mark)
        if found and model_id.startswith("arn:"):
            return model
    return model_id


def _reading(record: Mapping[str, Any], model: str) -> UsageReading:
    """The counts of the log, or the body's where it states as much or more."""
    written = record["output"]
    counts = {**record["input"], **call(outputTokenCount=written.get("outputTokenCount"))}
    logged = read_usage(counts, provider="aws", endpoint="InvokeModel", model=model)
    body = written.get("outputBodyJson")
    operation = text(record.get("operation"))
    if body:
        reading = read_body(body, provider="aws", endpoint=operation, model=model)
        if _is_known(reading) and _size(reading.parts) >= _size((logged,)):
            return UsageReading(
                provider="aws",
                model="",  # the log names what was called, as it is billed
                usage=reading.usage,
                parts=reading.parts,
                tier=reading.tier,
                notes=reading.notes,
            )
    usage: Usage = "reported" if logged.tokens else "unknown"
    return UsageReading(provider="aws", model="", usage=usage, parts=(logged,))


def _is_known(reading: UsageReading) -> bool:
    """Whether a reading tells every figure of every part."""
    told = [part.tokens for part in reading.parts]
    return reading.usage == "reported" and all(one and None not in one.values() for one in told)


def _size(parts: Sequence[Part]) -> int:
    return sum(
        count or 0
        for part in parts
        for name, count in (part.tokens or {}).items()
        if name != _INFORMATIVE
    )


def _who(identity: object) -> tuple[str, str]:
    """The principal that stands for a key, and the session or user, which may be a person."""
    arn = text(identity.get("arn")) if isinstance(identity, dict) else ""
    head, role, rest = arn.partition(":assumed-role/")
    if not role:
        return arn, arn.partition(":user/")[2]
    name, _, session = rest.partition("/")
    return f"{head}{role}{name}", session


def _latency_ms(record: Mapping[str, Any]) -> int | None:
    body = record["output"].get("outputBodyJson")
    metrics = body.get("metrics") if isinstance(body, dict) else None
    latency = metrics.get("latencyMs") if isinstance(metrics, dict) else None
    return latency if type(latency) is int and latency >= 0 else None
