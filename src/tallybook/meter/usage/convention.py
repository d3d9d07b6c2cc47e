"""How one API counts, as a table, and the arithmetic that makes its figures disjoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tallybook.errors import EventError
from tallybook.meter.usage.figures import Path, Paths, first


@dataclass(frozen=True, slots=True)
class Convention:
    """What each figure of a ``usage`` object includes.

    Attributes:
        name: as documents call it.
        input: the figure of input.
        output: the figure of output; () for an API that has none by nature.
        total: input and output together, where it is told.
        beside_input: billed as input, and not inside ``input``.
        cache: whether cached tokens are ``inside`` the input figure or ``beside`` it.
        cache_read, cache_write: tokens read from and written to a cache.
        writes: tokens written by time to live, each inside ``cache_write``.
        audio_input, image_input: inside ``input``, cached ones included.
        cached_audio, cached_image: the cached ones, inside ``cache_read``.
        audio_output, image_output: inside ``output``.
        reasoning: tokens of thought.
        thought: whether reasoning is ``inside`` the output figure, ``beside`` it, or ``hidden``:
            seen only as what the total has more than its parts.
        beside_output: billed as output, neither inside ``output`` nor reasoning.
    """

    name: str
    input: Paths
    output: Paths = ()
    total: Paths = ()
    beside_input: Paths = ()
    cache: Literal["inside", "beside"] = "inside"
    cache_read: Paths = ()
    cache_write: Paths = ()
    writes: tuple[tuple[str, Path], ...] = ()
    audio_input: Paths = ()
    image_input: Paths = ()
    cached_audio: Paths = ()
    cached_image: Paths = ()
    audio_output: Paths = ()
    image_output: Paths = ()
    reasoning: Paths = ()
    thought: Literal["inside", "beside", "hidden"] = "inside"
    beside_output: Paths = ()


@dataclass(slots=True)
class Counted:
    """Disjoint tokens, what had to be decided, and whether a figure is only a bound."""

    tokens: dict[str, int | None]
    notes: list[str] = field(default_factory=list)
    extras: dict[str, int] = field(default_factory=dict)
    estimated: bool = False


def counted(usage: Mapping[str, Any], how: Convention) -> Counted | None:
    """The tokens of one ``usage`` object; None if it tells no count of tokens at all.

    Raises:
        EventError: a part is above its whole, or a count is none. It is refused and never cut to
            fit: one of the two figures is wrong, and nobody can say which.
    """
    whole_in, whole_out = first(usage, how.input), first(usage, how.output)
    total = first(usage, how.total) if how.total else None
    if whole_in is None and whole_out is None and total is None:
        return None
    made = Counted({})
    beside = first(usage, how.beside_input) if how.beside_input else None
    whole_in, whole_out = _from_total(how, whole_in, whole_out, total, beside or 0)
    _output(made, usage, how, whole_in, whole_out, total)
    _input(made, usage, how, whole_in)
    if beside and whole_in is not None:
        made.tokens["input_uncached"] = (made.tokens["input_uncached"] or 0) + beside
    return made


def _from_total(
    how: Convention, whole_in: int | None, whole_out: int | None, total: int | None, beside: int
) -> tuple[int | None, int | None]:
    """A figure that is absent, where the total settles it."""
    if not how.output:
        return (total if whole_in is None else whole_in), 0
    if total is None or how.cache == "beside":
        return whole_in, whole_out
    if whole_in is None and whole_out is not None:
        return _less(total, "the total", whole_out, "output"), whole_out
    if whole_out is None and whole_in is not None and how.thought != "beside":
        return whole_in, _less(total, "the total", whole_in + beside, "input")
    return whole_in, whole_out


def _less(whole: int, name: str, part: int, part_name: str) -> int:
    if part > whole:
        raise EventError(
            f"{part_name} is {part}, more than {name}, {whole}, that includes it",
            next_step="one of the two is wrong; the usage is unknown until the provider says which",
        )
    return whole - part


def _input(made: Counted, usage: Mapping[str, Any], how: Convention, whole: int | None) -> None:
    tokens = made.tokens
    read = first(usage, how.cache_read)
    write = _writes(made, usage, how)
    if read is not None:
        tokens["cache_read"] = read
    if whole is None:
        tokens["input_uncached"] = None
        return
    rest = whole
    if how.cache == "inside" and (read or write):
        rest = _less(whole, "the input figure", read or 0, "cached input")
        rest = _less(rest, "what is left of the input figure", write, "input written to the cache")
    audio = first(usage, how.audio_input) if how.audio_input else None
    image = first(usage, how.image_input) if how.image_input else None
    if audio or image:
        rest = _modalities(made, usage, how, whole, rest, audio or 0, image or 0)
    tokens["input_uncached"] = rest


def _writes(made: Counted, usage: Mapping[str, Any], how: Convention) -> int:
    """Cache writes by time to live; what the split leaves over has none that is stated."""
    told = first(usage, how.cache_write) if how.cache_write else None
    if told is None and how.cache == "inside":
        return 0  # such a split stands inside the figure that is not told
    split = 0
    was_split = False
    for name, path in how.writes:
        part = first(usage, (path,))
        if part is not None:
            was_split = True
            made.tokens[name] = part
            split += part
    if told is None:
        return split
    rest = _less(told, "the cache writes", split, "their split by time to live")
    if rest or not was_split:
        made.tokens["cache_write"] = rest
    return told


def _modalities(
    made: Counted,
    usage: Mapping[str, Any],
    how: Convention,
    whole: int,
    rest: int,
    audio: int,
    image: int,
) -> int:
    """Audio and image input that was not cached, taken out of the rest; what is left is text."""
    _less(whole, "the input figure", audio, "audio input")
    _less(whole, "the input figure", image, "image input")
    cached_audio = first(usage, how.cached_audio) or 0
    cached_image = first(usage, how.cached_image) or 0
    fresh = _less(audio, "audio input", cached_audio, "cached audio") + _less(
        image, "image input", cached_image, "cached image"
    )
    if fresh > rest:
        # Some of them were cached, and the response does not say how many.
        made.estimated = True
        made.extras |= {"input_audio_tokens": audio} if audio else {}
        made.extras |= {"input_image_tokens": image} if image else {}
        made.notes.append(
            f"{fresh} audio and image tokens and {whole - rest} cached ones overlap in an input of"
            f" {whole}, and how is not told: all that is not cached is counted as text"
        )
        return rest
    if cached_audio:
        read = made.tokens.get("cache_read") or 0
        made.tokens["cache_read"] = _less(read, "cached input", cached_audio, "cached audio")
        made.tokens["cache_read_audio"] = cached_audio
    if audio - cached_audio:
        made.tokens["audio_input"] = audio - cached_audio
    if image - cached_image:
        made.tokens["image_input"] = image - cached_image
    return rest - fresh


def _output(
    made: Counted,
    usage: Mapping[str, Any],
    how: Convention,
    whole_in: int | None,
    whole: int | None,
    total: int | None,
) -> None:
    reasoning = first(usage, how.reasoning) if how.reasoning else None
    told = whole
    if how.thought == "beside":
        whole, reasoning = _beside(usage, how, whole_in, whole, reasoning, total)
    elif whole is not None and whole_in is not None and total is not None:
        whole, reasoning = _surplus(made, how, total - whole_in - whole, whole, reasoning)
    if whole is None:
        made.tokens["output"] = None
        return
    if how.beside_output:
        whole += first(usage, how.beside_output) or 0
    text = whole
    for name, paths in (("audio_output", how.audio_output), ("image_output", how.image_output)):
        part = first(usage, paths) if paths else None
        if part:
            text = _less(text, "the output figure", part, name)
            made.tokens[name] = part
    made.tokens["output"] = text
    if reasoning is None:
        return
    if reasoning <= text:
        made.tokens["reasoning"] = reasoning
    else:
        made.extras["reasoning_tokens"] = reasoning
        made.notes.append(
            f"{reasoning} reasoning tokens are told inside an output of {told}; output is billed"
            " as told"
        )


def _beside(
    usage: Mapping[str, Any],
    how: Convention,
    whole_in: int | None,
    whole: int | None,
    reasoning: int | None,
    total: int | None,
) -> tuple[int | None, int | None]:
    """Output with the reasoning that stands beside it, unless the total says that it is inside."""
    given = (whole_in or 0) + (first(usage, how.beside_input) or 0)
    if whole is None:
        if total is None:
            return None, None
        return _less(total, "the total", given, "input"), reasoning
    if reasoning and whole_in is not None and total == given + whole and reasoning <= whole:
        return whole, reasoning
    return whole + (reasoning or 0), reasoning


def _surplus(
    made: Counted, how: Convention, surplus: int, whole: int, reasoning: int | None
) -> tuple[int, int | None]:
    """What the total has more than input and output."""
    if surplus <= 0:
        return whole, reasoning
    if how.thought == "hidden":
        made.notes.append(
            f"the total is {surplus} above its parts: hidden thinking, which is billed as output"
        )
        return whole + surplus, (reasoning or 0) + surplus
    if surplus == reasoning:
        made.notes.append(f"{surplus} reasoning tokens stand beside the output figure, not in it")
        return whole + surplus, reasoning
    made.notes.append(f"the total is {surplus} above input and output, and does not say of what")
    return whole, reasoning
