"""The endpoints of OpenAI's Usage API: what their figures count, in classes that do not overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.sources.buckets import NOT_BILLED, REQUESTS, Bucket, Figures, count, plain

_TOLD: Final = frozenset({
    "organization_id", "organization_name", "project_name", "user_email", "user_name",
    "api_key_name", "api_key_redacted",
})  # fmt: skip
WINDOW: Final = frozenset({"object", "start_time", "end_time", "start_time_iso", "end_time_iso"})
_FIGURES: Final = frozenset({"images", "characters", "seconds", "usage_bytes"})
_FIELDS: Final = {"user_id": "user", "api_key_id": "key_id", "model": "model"}
_MS: Final = 1000
COSTS: Final = "these are costs, in money; usage is counted in tokens and units"
ASK_USAGE: Final = "export usage, not costs; costs are for reconciliation with the invoice"

Meters = dict[str, int | None]


def bucket_of(
    place: str, endpoint: str, window: tuple[int, int], fields: Mapping[str, Any]
) -> Bucket:
    """A row from its fields: figures by their names, the window, and what is text as the group.

    Raises:
        EventError: a figure is no count.
    """
    group: dict[str, str] = {}
    told: dict[str, str] = {}
    figures: dict[str, int | None] = {}
    for name, value in fields.items():
        if name in WINDOW or value is None or value == "":
            continue
        if is_figure(name):
            figures[name] = count(name, value)
        elif isinstance(value, str | bool) and name not in _TOLD:
            group[name] = plain(value)
        else:
            told[name] = plain(value)
    return Bucket(place, endpoint, *window, group, figures, told)


def is_figure(name: str) -> bool:
    """Whether a field counts something."""
    return name in _FIGURES or name.startswith("num_") or name.endswith("_tokens")


def is_group(name: str) -> bool:
    """Whether a field says what calls have in common."""
    return not is_figure(name) and name not in _TOLD and name not in WINDOW


def translate(bucket: Bucket) -> dict[str, Any]:
    """What a bucket is.

    Raises:
        EventError: its figures contradict each other, or its model is not told.
    """
    endpoint = ENDPOINTS[bucket.endpoint]
    model = bucket.group.get("model") or endpoint.service
    if not model:
        raise EventError(
            "this bucket adds up all models, so it has no price and covers no call",
            next_step="ask for it with group_by=model, or export it grouped by model",
        )
    canonical: dict[str, Any] = {"provider": "openai", "usage": "reported", "model": model}
    labels: dict[str, str] = {}
    for name, value in bucket.group.items():
        if name in _FIELDS:
            canonical[_FIELDS[name]] = value
        elif name not in {"batch", "service_tier"}:
            labels[name] = value
    canonical["tier"] = _tier(bucket.group)
    canonical[endpoint.meters] = endpoint.read(bucket.figures)
    requests = bucket.figures.get("num_model_requests")
    if requests is not None and endpoint.counts_requests:
        labels[REQUESTS] = str(requests)
    if endpoint.free:
        labels[NOT_BILLED] = "free"
    return {**canonical, "labels": labels}


def _tier(group: Mapping[str, str]) -> str | None:
    """A batch is its own tier: what ran in it says ``default`` all the same."""
    if group.get("batch") == "true":
        return "batch"
    tier = group.get("service_tier")
    return "standard" if tier == "default" else tier


def _tokens(figures: Figures) -> Meters:
    """Input apart by the partition uncached, cached, written; audio and image out of each."""
    uncached, cached, written = _partition(figures)
    audio, image = (figures.get(f"input_{kind}_tokens") or 0 for kind in ("audio", "image"))
    cached_audio = figures.get("input_cached_audio_tokens") or 0
    tokens: Meters = {
        "input_uncached": _without(uncached, "input_uncached_tokens", audio, image),
        "cache_read": _without(cached, "input_cached_tokens", cached_audio),
    }
    optional = {"audio_input": audio, "image_input": image, "cache_read_audio": cached_audio}
    return tokens | {k: n for k, n in (optional | written).items() if n} | _output(figures)


def _partition(figures: Figures) -> tuple[int | None, int | None, dict[str, int]]:
    whole, uncached, cached, told = (
        figures.get(f"input_{part}tokens") for part in ("", "uncached_", "cached_", "cache_write_")
    )
    ttl = {f"cache_write_{t}": figures.get(f"input_cache_write_{t}_tokens") or 0 for t in _TTLS}
    if whole is None:
        return uncached, cached, ttl | _rest(told or 0, ttl)
    if uncached is None:
        written = max(told or 0, sum(ttl.values()))
        return (
            _without(whole, "input_tokens", cached or 0, written),
            cached or 0,
            ttl | _rest(written, ttl),
        )
    # Exports from before cache writes were told apart leave them out of every part.
    written = whole - uncached - (cached or 0)
    if written < 0 or (told is not None and written != told):
        raise EventError(
            f"input_tokens is {whole}, but its parts are {uncached} uncached, {cached or 0} cached"
            f" and {told or 0} written to the cache"
        )
    return uncached, cached or 0, ttl | _rest(written, ttl)


_TTLS: Final = ("30m", "12h")


def _rest(written: int, ttl: Mapping[str, int]) -> dict[str, int]:
    rest = _without(written, "input_cache_write_tokens", *ttl.values())
    return {"cache_write": rest or 0}


def _without(whole: int | None, name: str, *parts: int) -> int | None:
    if whole is None:
        return None
    if sum(parts) > whole:
        raise EventError(f"{name} is {whole}, less than its parts, {sum(parts)}")
    return whole - sum(parts)


def _output(figures: Figures) -> Meters:
    audio, image = (figures.get(f"output_{kind}_tokens") or 0 for kind in ("audio", "image"))
    output = _without(figures.get("output_tokens"), "output_tokens", audio, image)
    optional = {"audio_output": audio, "image_output": image}
    return {"output": output} | {name: figure for name, figure in optional.items() if figure}


def _input(figures: Figures) -> Meters:
    return {"input_uncached": figures.get("input_tokens")}


def _unit(name: str, figure: str, scale: int = 1) -> Callable[[Figures], Meters]:
    def read(figures: Figures) -> Meters:
        told = figures.get(figure)
        return {name: None if told is None else told * scale}

    return read


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How the results of one endpoint are read.

    ``meters`` is ``tokens`` or ``units``; ``service`` stands for the model where results have none.
    ``counts_requests``: its requests are calls of a model that no other endpoint counts.
    """

    read: Callable[[Figures], Meters]
    meters: str = "units"
    service: str = ""
    counts_requests: bool = True
    free: bool = False


ENDPOINTS: Final = {
    "completions": Endpoint(_tokens, "tokens"),
    "decisions": Endpoint(_tokens, "tokens"),
    "embeddings": Endpoint(_input, "tokens"),
    "moderations": Endpoint(_input, "tokens", free=True),
    "images": Endpoint(_unit("image", "images")),
    "audio_speeches": Endpoint(_unit("character", "characters")),
    "audio_transcriptions": Endpoint(_unit("audio_ms", "seconds", _MS)),
    "vector_stores": Endpoint(_unit("vector_store_byte", "usage_bytes"), service="vector_store"),
    "code_interpreter_sessions": Endpoint(
        _unit("container", "num_sessions"), service="code_interpreter"
    ),
    "file_search_calls": Endpoint(_unit("file_search", "num_requests"), service="file_search"),
    "web_search_calls": Endpoint(_unit("web_search", "num_requests"), counts_requests=False),
}
"""The endpoints of the Usage API."""
