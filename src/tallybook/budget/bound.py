"""What a call may cost before it is made: its bound, or what such calls usually cost.

A token is at least a byte, so a request has no more input tokens than bytes; output is bounded by
what the request states, or by what the model can answer. A bound holds whatever the answer is, and
where the caller states one it is what is held. Where it does not, holding the longest answer that a
model could give would leave a large budget to a few small calls (LiteLLM PR 27509: blocked at
2,000 dollars with 0.144 spent): then the hold is what such calls usually cost, and a call is let
through only while a share of the limit is free, so that one that is longer still fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INPUT
from tallybook.budget.model import Estimate
from tallybook.money import nano_covering

_CACHE_WRITES: Final = tuple(one for one in TOKEN_CLASSES_INPUT if one.startswith("cache_write"))
_REQUEST: Final = "request"
_SEEN_LEAST: Final = 20
_SEEN_MOST: Final = 2_000
_BEYOND: Final = 50
"""One call in so many may have cost more than the usual one."""
_EVERY: Final = 16
_SHARE: Final = 4
"""Where a bound is not stated, a sixteenth of the limit is left free: 2 to the power of this."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a call can be, as far as its request says.

    Attributes:
        input_tokens: at most; None where nothing bounds them (a file, an image behind an address).
        output_tokens: at most, of all choices together.
        is_stated: whether the caller stated the output.
        caches: whether the request asks for its input to be cached, which may cost more.
        hears: whether there is sound in it; ``sees``: pictures.
    """

    input_tokens: int | None
    output_tokens: int
    is_stated: bool
    caches: bool = False
    hears: bool = False
    sees: bool = False


def bound_nano(prices: Mapping[str, int], size: Size) -> int | None:
    """The most that a call can cost at a price; None where nothing bounds it.

    Args:
        prices: pico per token class or unit, under contract, in the dearest band it can reach.
        size: of the call.
    """
    if size.input_tokens is None or not any(name in TOKEN_CLASSES for name in prices):
        return None
    classes = ["input_uncached", "cache_read"]
    classes += _CACHE_WRITES if size.caches else ()
    classes += ("audio_input",) if size.hears else ()
    classes += ("image_input",) if size.sees else ()
    into = max((prices.get(name, 0) for name in classes), default=0)
    answers = ["output", "image_output", *(("audio_output",) if size.hears else ())]
    out = max(prices.get(name, 0) for name in answers)
    pico = into * size.input_tokens + out * size.output_tokens + prices.get(_REQUEST, 0)
    return int(nano_covering(pico))


def estimate(
    bound: int | None, usual: int | None, *, is_stated: bool, least_limit_nano: int
) -> Estimate:
    """What is held for a call, and what must be free.

    Args:
        bound: of `bound_nano`.
        usual: what such calls usually cost at most, if enough were seen.
        is_stated: whether the caller stated the bound.
        least_limit_nano: the smallest of the limits that it is under.
    """
    if bound is not None and is_stated:
        return Estimate(bound, bound)
    share = max(least_limit_nano >> _SHARE, 1)
    held = share if usual is None else usual
    needed = max(held, share)
    if bound is not None:
        held, needed = min(held, bound), min(needed, bound)
    return Estimate(needed, held)


@dataclass(slots=True)
class _Seen:
    """Costs of one kind of call, counted by size: four steps to each doubling."""

    counts: dict[int, int] = field(default_factory=dict)
    total: int = 0
    since: int = 0
    usual: int | None = None

    def note(self, nano: int) -> None:
        step = _step(nano)
        self.counts[step] = self.counts.get(step, 0) + 1
        self.total += 1
        self.since += 1
        if self.total >= _SEEN_MOST:  # what was long ago counts less
            self.counts = {step: count >> 1 for step, count in self.counts.items() if count > 1}
            self.total = sum(self.counts.values())
        if self.total >= _SEEN_LEAST and (self.usual is None or self.since >= _EVERY):
            self.usual, self.since = self._found(), 0

    def _found(self) -> int:
        beyond = self.total // _BEYOND
        for step in sorted(self.counts, reverse=True):
            if self.counts[step] > beyond:
                return _top(step + 1)
            beyond -= self.counts[step]
        return 0


def _step(nano: int) -> int:
    bits = max(nano, 4).bit_length()
    return bits * 4 + ((max(nano, 4) >> (bits - 3)) & 3)


def _top(step: int) -> int:
    """The least cost that is above a step."""
    bits, quarter = divmod(step + 1, 4)
    return (4 + quarter) << (bits - 3)


class Usual:
    """What calls of a kind usually cost at most, as seen by this process.

    Args:
        most: kinds that are kept; beyond that all is learnt anew.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._seen: dict[tuple[str, str], _Seen] = {}

    def note(self, feature: str, model: str, nano: int) -> None:
        """A call of this feature and model cost so much."""
        seen = self._seen.get((feature, model))
        if seen is None:
            if len(self._seen) >= self._most:
                self._seen.clear()
            seen = self._seen[feature, model] = _Seen()
        seen.note(nano)

    def of(self, feature: str, model: str) -> int | None:
        """What 98 of 100 calls cost at most, and a step more; None before enough were seen."""
        seen = self._seen.get((feature, model))
        return None if seen is None else seen.usual
