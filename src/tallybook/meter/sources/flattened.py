"""How gateways flatten usage: one table of conventions, and the function that takes them apart.

A log often keeps no body of the provider, only columns that the gateway filled by a rule of its
own. The rule stands here for each of them. Where a record states its total too, the arithmetic of
the record beats the table: gateways changed their minds between releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.model import COUNT_MAX

Places = tuple[tuple[str, ...], ...]
"""Paths of keys; the first that holds something counts."""

Classes = Mapping[str, Places]
"""Token class to where its count is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """Which key holds which count, and which counts lie inside which.

    Args:
        input: all that was read, or what was read uncached if nothing is ``inside``.
        output: all that was written.
        inside: token classes that ``input`` counts too.
        beside: token classes that ``input`` leaves out.
        written: parts of ``cache_write`` by time to live; the rest stays without one.
        output_inside: token classes that ``output`` counts too.
        reasoning: part of ``output``, or beside it.
        reasoning_beside: ``output`` leaves reasoning out.
        total_decides: a stated total may show that the cache lies beside the input after all.
    """

    input: Places
    output: Places
    inside: Classes = field(default_factory=dict)
    beside: Classes = field(default_factory=dict)
    written: Classes = field(default_factory=dict)
    output_inside: Classes = field(default_factory=dict)
    reasoning: Places = ()
    reasoning_beside: bool = False
    total_decides: bool = True


_NONE: Final[Classes] = {}
_PROMPT: Final = "prompt_tokens_details"
_COMPLETION: Final = "completion_tokens_details"
_CACHE_READ: Final[Places] = (
    (_PROMPT, "cached_tokens"),
    (_PROMPT, "cached_read_tokens"),
    ("cache_read_input_tokens",),
    ("prompt_cache_hit_tokens",),
)
_CACHE_WRITE: Final[Places] = (
    (_PROMPT, "cache_creation_tokens"),
    (_PROMPT, "cache_write_tokens"),
    (_PROMPT, "cached_write_tokens"),
    ("cache_creation_input_tokens",),
)
_TTL: Final = (_PROMPT, "cache_creation_token_details")
_TTL_BIFROST: Final = (_PROMPT, "cached_write_token_details")
_TTL_HELICONE: Final = (_PROMPT, "cache_write_details")
_OPENAI_SHAPED: Final = Convention(
    input=(("prompt_tokens",),),
    output=(("completion_tokens",),),
    inside={
        "cache_read": _CACHE_READ,
        "cache_write": _CACHE_WRITE,
        "audio_input": ((_PROMPT, "audio_tokens"),),
        "image_input": ((_PROMPT, "image_tokens"),),
    },
    written={
        "cache_write_5m": (
            (*_TTL, "ephemeral_5m_input_tokens"),
            (*_TTL_BIFROST, "cached_write_tokens_5m"),
            (*_TTL_HELICONE, "write_5m_tokens"),
        ),
        "cache_write_1h": (
            (*_TTL, "ephemeral_1h_input_tokens"),
            (*_TTL_BIFROST, "cached_write_tokens_1h"),
            (*_TTL_HELICONE, "write_1h_tokens"),
        ),
    },
    output_inside={
        "audio_output": ((_COMPLETION, "audio_tokens"),),
        "image_output": ((_COMPLETION, "image_tokens"),),
    },
    reasoning=((_COMPLETION, "reasoning_tokens"),),
)
_HELICONE_COUNTS: Final = {
    "cache_read": (("prompt_cache_read_tokens",),),
    "cache_write": (("prompt_cache_write_tokens",),),
    "audio_input": (("prompt_audio_tokens",),),
}
_OTARI_COUNTS: Final = {
    "cache_read": (("cache_read_tokens",),),
    "cache_write": (("cache_write_tokens",),),
}
_BURNLENS_COUNTS: Final = {
    "cache_read": (("cache_read_tokens",),),
    "cache_write": (("cache_write_tokens",),),
}


def _helicone(*, inside: Classes = _NONE, beside: Classes = _NONE) -> Convention:
    return Convention(
        input=(("prompt_tokens",),),
        output=(("completion_tokens",),),
        output_inside={"audio_output": (("completion_audio_tokens",),)},
        reasoning=(("reasoning_tokens",),),
        inside=inside,
        beside=beside,
    )


def _otari(*, inside: Classes = _NONE, beside: Classes = _NONE) -> Convention:
    return Convention(
        input=(("input_tokens",), ("prompt_tokens",)),
        output=(("output_tokens",), ("completion_tokens",)),
        written={"cache_write_1h": (("cache_write_1h_tokens",),)},
        inside=inside,
        beside=beside,
    )


def _burnlens(*, inside: Classes = _NONE, beside: Classes = _NONE) -> Convention:
    return Convention(
        input=(("input_tokens",),),
        output=(("output_tokens",),),
        reasoning=(("reasoning_tokens",),),
        reasoning_beside=True,
        inside=inside,
        beside=beside,
    )


CONVENTIONS: Final[Mapping[str, Convention]] = {
    # prompt_tokens holds what was read from and written to the cache, Anthropic's calls included.
    "litellm": _OPENAI_SHAPED,
    # The same shape, but its Anthropic adapter left the cache out; the total of the record decides.
    "portkey": _OPENAI_SHAPED,
    "bifrost": _OPENAI_SHAPED,
    # What is left of a call without its body: sums that do not say what came from the cache.
    "portkey, columns": Convention(
        input=(("req_units",), ("request_tokens",)),
        output=(("res_units",), ("response_tokens",)),
    ),
    # Helicone keeps each provider's own count: Anthropic's leaves the cache out.
    "helicone": _helicone(inside=_HELICONE_COUNTS),
    "helicone, cache beside": _helicone(beside=_HELICONE_COUNTS),
    # What its AI gateway translated holds reads and not writes; its total counts reads twice.
    "helicone, body": replace(
        _OPENAI_SHAPED,
        inside={name: at for name, at in _OPENAI_SHAPED.inside.items() if name != "cache_write"},
        beside={"cache_write": _CACHE_WRITE},
        total_decides=False,
    ),
    # Otari makes the caller state it.
    "otari": _otari(inside=_OTARI_COUNTS),
    "otari, cache beside": _otari(beside=_OTARI_COUNTS),
    # BurnLens keeps each provider's input, and output without reasoning.
    "burnlens": _burnlens(inside=_BURNLENS_COUNTS),
    "burnlens, cache beside": _burnlens(beside=_BURNLENS_COUNTS),
}

CACHE_BESIDE: Final = frozenset({"anthropic", "aws"})
"""Providers whose own input count leaves the cache out."""

_CACHED: Final = ("cache_read", "cache_write")


def tokens_of(usage: Mapping[str, Any], convention: Convention) -> dict[str, int | None] | None:
    """The token classes of flattened usage; None if it carries neither input nor output.

    Raises:
        EventError: figures contradict each other, or one is no count.
    """
    whole, output = _first(usage, convention.input), _first(usage, convention.output)
    if whole is None and output is None:
        return None
    inside = _counts(usage, convention.inside)
    tokens: dict[str, int | None] = {**inside, **_counts(usage, convention.beside)}
    _divide_writes(tokens, _counts(usage, convention.written))
    written = _counts(usage, convention.output_inside)
    reasoning = _first(usage, convention.reasoning) if convention.reasoning else None
    total = usage.get("total_tokens")
    if reasoning:
        beside = convention.reasoning_beside or total == (whole or 0) + (output or 0) + reasoning
        output = (output or 0) + (reasoning if beside else 0)
        tokens["reasoning"] = reasoning
    if inside:
        cached = sum(inside.get(name, 0) for name in _CACHED)
        apart = (
            convention.total_decides and cached and total == (whole or 0) + (output or 0) + cached
        )
        whole = _without(whole, inside, _CACHED if apart else (), "input")
    tokens["input_uncached"] = whole
    tokens["output"] = _without(output, written, (), "output") if written else output
    tokens.update(written)
    return tokens


def _counts(usage: Mapping[str, Any], where: Mapping[str, Places]) -> dict[str, int]:
    """The counts that are there and not zero."""
    found = {}
    for name, places in where.items():
        count = _first(usage, places)
        if count:
            found[name] = count
    return found


def _first(usage: Mapping[str, Any], places: Places) -> int | None:
    for path in places:
        here: Any = usage
        for key in path:
            here = here.get(key) if isinstance(here, dict) else None
        if here is not None:
            return here if type(here) is int and 0 <= here <= COUNT_MAX else count(here, path)
    return None


def count(value: object, path: tuple[str, ...]) -> int:
    """A count, also as ``150.0`` or as digits in a text.

    Raises:
        EventError: it is none; a negative count is neither clamped nor dropped.
    """
    told = value
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 20:  # noqa: PLR2004 - 63 bits
        told = int(told)
    if isinstance(told, Decimal) and told.is_finite() and abs(told) <= COUNT_MAX:
        told = int(told) if told == int(told) else told
    if type(told) is not int or not 0 <= told <= COUNT_MAX:
        name = ".".join(path)
        raise EventError(f"{name} is {shown(value)}; a count is a whole number of 0 or more")
    return told


def _divide_writes(tokens: dict[str, int | None], parts: dict[str, int]) -> None:
    """Tell cache writes by their time to live, as far as it is stated."""
    if not parts:
        return
    known = sum(parts.values())
    whole = tokens.pop("cache_write", None)
    whole = known if whole is None else whole
    if known > whole:
        raise EventError(
            f"{' + '.join(parts)} is {known}, more than all cache writes, {whole}",
            next_step="check how the gateway counts cache writes in this release",
        )
    tokens.update(parts)
    if whole > known:
        tokens["cache_write"] = whole - known


def _without(
    whole: int | None, parts: Mapping[str, int], apart: tuple[str, ...], name: str
) -> int | None:
    """An inclusive count less the classes that are counted apart."""
    inside = sum(count for part, count in parts.items() if part not in apart)
    if whole is None:
        return None
    if inside > whole:
        raise EventError(
            f"{' + '.join(parts)} is {inside}, more than all {name}, {whole}, that should hold it",
            next_step="check how the gateway counts cached tokens in this release",
        )
    return whole - inside
