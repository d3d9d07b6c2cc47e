"""What a span's attributes say was used, as disjoint token classes.

OpenTelemetry counts cached tokens inside the input. Anthropic and Bedrock count them beside it, and
some instrumentations hand that figure on. Which it is decides, in this order: a figure for uncached
input; the total; what is known of the dialect; and whether the cached tokens exceed the input at
all, which inside it they cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.model import COUNT_MAX
from tallybook.meter.sources.langfuse.buckets import classes_of
from tallybook.meter.sources.otel.dialects import STRANDS, VERCEL, Found
from tallybook.meter.sources.tags import parsed

CACHE_BESIDE: Final = frozenset({"anthropic", "aws"})
"""Providers whose own input figure leaves cached tokens out."""

_HANDS_ON: Final = frozenset({VERCEL, STRANDS})
"""Dialects that hand the provider's own input figure on as it is."""

_SPLIT: Final = ("cache_write_5m", "cache_write_1h")
_ROWS: Final = (
    *("input", "output", "cache_read", "cache_write", "total", "uncached", "reasoning"),
    *_SPLIT,
)


_WHOLES: Final = frozenset({"input", "output", "total", "uncached"})
_VIEWS: Final = frozenset({"audio_input", "image_input", "audio_output"})


class Counts(NamedTuple):
    """Token classes, other meters, and what had to be decided, as labels."""

    tokens: dict[str, int | None] | None
    units: dict[str, int | None] | None
    labels: dict[str, str]


def counts_of(found: Found, provider: str, *, output: bool = True) -> Counts:
    """Usage as the attributes state it.

    Args:
        found: the attributes by meaning.
        provider: whose model it was.
        output: the operation writes tokens, so output that is not told is unknown.

    Raises:
        EventError: a figure is no count, or a part exceeds its whole.
    """
    told = found.told
    if "usage_details" in told:
        return _langfuse(told["usage_details"])
    if not any(row in told for row in ("input", "output", "total", "uncached")):
        return Counts(None, None, {})
    read: dict[str, int] = {
        row: _count(told[row], found.names[row]) for row in _ROWS if row in told
    }
    labels: dict[str, str] = {}
    tokens = _input(read, found.dialect, provider, labels)
    if "output" in read or output:
        tokens["output"] = read.get("output")
    if tokens["input_uncached"] is None and read.get("total") and not read.get("output"):
        # Only a total is told: how it divides is unknown.
        labels["total_tokens"] = str(read["total"])
    reasoning, written = read.get("reasoning"), tokens.get("output")
    if reasoning and written is not None and reasoning <= written:
        tokens["reasoning"] = reasoning
    elif reasoning:
        labels["reasoning_tokens"] = str(reasoning)  # told, and not inside the output
    if not told.keys().isdisjoint(_VIEWS):
        _modalities(told, found, tokens, labels)
    return Counts(tokens, None, labels)


def _input(
    read: Mapping[str, int], dialect: str, provider: str, labels: dict[str, str]
) -> dict[str, int | None]:
    whole, cache_read = read.get("input"), read.get("cache_read")
    tokens: dict[str, int | None] = {"input_uncached": whole}
    if cache_read is not None:
        tokens["cache_read"] = cache_read
    write = _writes(read, tokens)
    if "uncached" in read:
        tokens["input_uncached"] = read["uncached"]
        return tokens
    cached = (cache_read or 0) + (write or 0)
    if whole is None or not cached:
        return tokens
    if _is_beside(read, whole, cached, dialect, provider):
        labels["cache_counted"] = "beside the input"
        return tokens
    if cached > whole:
        if provider not in CACHE_BESIDE:
            raise EventError(
                f"cached tokens are {cached}, more than the input, {whole}, that counts them too",
                next_step="one of the figures is wrong: take the call from the provider's or the"
                " gateway's log, or update the instrumentation",
            )
        labels["cache_counted"] = "beside the input, against the convention"
        return tokens
    tokens["input_uncached"] = whole - cached
    return tokens


def _writes(read: Mapping[str, int], tokens: dict[str, int | None]) -> int | None:
    """Cache writes by time to live; what the split leaves over has none that is told."""
    write = read.get("cache_write")
    split = {name: read[name] for name in _SPLIT if read.get(name)}
    whole = sum(split.values())
    if write is not None and whole > write:
        raise EventError(
            f"cache writes by time to live add up to {whole}, more than all of them, {write}",
            next_step="one of the figures is wrong: take the call from the provider's log",
        )
    tokens.update(split)
    if write is None:
        return whole if split else None
    if write > whole or not split:
        tokens["cache_write"] = write - whole
    return write


def _is_beside(
    read: Mapping[str, int], whole: int, cached: int, dialect: str, provider: str
) -> bool:
    if read.get("total") == whole + (read.get("output") or 0) + cached:
        return True
    return dialect in _HANDS_ON and provider in CACHE_BESIDE


def _modalities(
    told: Mapping[str, Any], found: Found, tokens: dict[str, int | None], labels: dict[str, str]
) -> None:
    """Views by modality, taken out of their whole where that is certain."""
    for row, whole in (
        ("audio_input", "input_uncached"),
        ("image_input", "input_uncached"),
        ("audio_output", "output"),
    ):
        if row not in told:
            continue
        part, rest = _count(told[row], found.names[row]), tokens.get(whole)
        if not part:
            continue
        cached = whole == "input_uncached" and (tokens.get("cache_read") or 0)
        if rest is None or cached or part > rest:
            labels[f"{row}_tokens"] = str(
                part
            )  # some of them were cached, and nobody says how many
            continue
        tokens[row], tokens[whole] = part, rest - part


def _langfuse(told: object) -> Counts:
    buckets = parsed(told) if isinstance(told, str) else told
    if not isinstance(buckets, dict):
        raise EventError(
            f"langfuse.observation.usage_details is {shown(told)}; it is a JSON object"
        )
    classes = classes_of(buckets)
    return Counts(classes.tokens, classes.units, dict(classes.labels))


def _count(told: object, name: str) -> int:
    if type(told) is int and 0 <= told <= COUNT_MAX:
        return told
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < _DIGITS_MAX:
        return int(told)
    if isinstance(told, Decimal) and told.is_finite() and told == told.to_integral_value():
        whole = int(told) if abs(told.adjusted()) < _DIGITS_MAX else -1
        if 0 <= whole <= COUNT_MAX:
            return whole
    raise EventError(f"{name} is {shown(told)}; a count is a whole number of 0 or more")


_DIGITS_MAX: Final = 19
