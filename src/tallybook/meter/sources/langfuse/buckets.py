"""Langfuse's ``usageDetails``: a map of buckets, as token classes.

The buckets do not overlap, by Langfuse's own rule: ``input`` is what none of the other input
buckets holds. ``total`` is their sum, never a further addend. Where the total says otherwise, that
``input`` and ``output`` alone make it up, an instrumentation has put its inclusive figures there,
and the rest is taken out of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.model import COUNT_MAX

_BUCKETS: Final[Mapping[str, tuple[str, ...]]] = {
    "input_uncached": (
        *("input", "prompt", "input_tokens", "prompt_tokens", "promptTokens", "inputTokens"),
        *("prompt_token_count", "input_text_tokens"),
    ),
    "cache_read": (
        *("input_cached_tokens", "input_cache_read", "input_cached", "cached_tokens"),
        *("cache_read_input_tokens", "cacheReadInputTokens", "cache_read"),
        *("cached_content_token_count", "prompt_details.cache_read"),
    ),
    "cache_write": (
        *("input_cache_creation", "input_cache_write", "cache_creation_input_tokens"),
        *("cacheWriteInputTokens", "cache_write", "prompt_details.cache_write"),
    ),
    "cache_write_5m": ("input_cache_creation_5m",),
    "cache_write_1h": ("input_cache_creation_1h",),
    "audio_input": (
        *("input_audio_tokens", "input_audio", "input_modality_audio", "prompt_details.audio"),
    ),
    "image_input": ("input_image_tokens", "input_image", "input_modality_image"),
    "output": (
        *("output", "completion", "output_tokens", "completion_tokens", "completionTokens"),
        *("outputTokens", "candidates_token_count", "output_text_tokens"),
        *("output_accepted_prediction_tokens", "output_rejected_prediction_tokens"),
    ),
    "reasoning": (
        *("output_reasoning_tokens", "output_reasoning", "reasoning_tokens"),
        *("thoughts_token_count", "completion_details.reasoning"),
    ),
    "audio_output": ("output_audio_tokens", "output_audio", "completion_details.audio"),
    "image_output": ("output_image_tokens", "output_image"),
}
_CLASS_OF: Final = {bucket: name for name, buckets in _BUCKETS.items() for bucket in buckets}
_TOTALS: Final = ("total", "total_tokens", "totalTokens")
_OF_INPUT: Final = frozenset(
    {"cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "audio_input", "image_input"}
)


class Classes(NamedTuple):
    """Token classes, other meters, and what had to be decided, as labels."""

    tokens: dict[str, int | None] | None
    units: dict[str, int | None] | None
    labels: Mapping[str, str]


def classes_of(buckets: Mapping[str, Any]) -> Classes:
    """The classes of one map of buckets; without any, usage is unknown.

    A bucket that nobody here knows becomes a meter of its own name among the units: it waits for a
    price and is not lost.

    Raises:
        EventError: a bucket is no count, or buckets exceed the total that they are part of.
    """
    sums: dict[str, int] = {}
    units: dict[str, int | None] = {}
    total: int | None = None
    for name, value in buckets.items():
        if value is None:
            continue
        count = _count(value, name)
        if name in _TOTALS:
            total = count
        elif name in _CLASS_OF:
            sums[_CLASS_OF[name]] = sums.get(_CLASS_OF[name], 0) + count
        elif count:
            units[name] = count
    if not sums and total is None:
        return Classes(None, units or None, {})
    return _divided(sums, units, total)


def _divided(sums: dict[str, int], units: dict[str, int | None], total: int | None) -> Classes:
    labels: dict[str, str] = {}
    read, written = sums.get("input_uncached"), sums.get("output")
    details = {name: count for name, count in sums.items() if name in _OF_INPUT}
    spoken = {name: sums.pop(name, 0) for name in ("audio_output", "image_output", "reasoning")}
    within = sum(details.values()) + sum(spoken.values())
    inclusive = within > 0 and total is not None and total == (read or 0) + (written or 0)
    if inclusive:
        labels["buckets_overlap"] = "the total counts input and output alone"
        read = _less(read, sum(details.values()), "input")
        written = _less(written, spoken["audio_output"] + spoken["image_output"], "output")
    elif spoken["reasoning"]:
        written = (written or 0) + spoken["reasoning"]
    tokens: dict[str, int | None] = {"input_uncached": read, **details, "output": written}
    tokens |= {name: count for name, count in spoken.items() if count}
    if read is None and written is None and not details:
        labels["total_tokens"] = str(total)
    return Classes(tokens, units or None, labels)


def _less(whole: int | None, part: int, name: str) -> int | None:
    if not part:
        return whole
    if whole is None or part > whole:
        raise EventError(
            f"{name} is {whole or 0}, and the buckets inside it add up to {part}",
            next_step="one of the figures is wrong: correct the ingestion, or take the call from"
            " the gateway's or the provider's log",
        )
    return whole - part


def _count(value: object, name: str) -> int:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value) if abs(value.adjusted()) < _DIGITS_MAX else value
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value) if len(value) < _DIGITS_MAX else value
    if type(value) is not int or not 0 <= value <= COUNT_MAX:
        raise EventError(
            f"usageDetails.{name} is {shown(value)}; a count is a whole number of 0 or more"
        )
    return value


_DIGITS_MAX: Final = 19
