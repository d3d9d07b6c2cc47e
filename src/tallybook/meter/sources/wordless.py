"""A provider's answer without its words: what is counted stays, what was said goes.

Prompts, completions and embeddings enter neither an event nor the quarantine. Figures stay wherever
they are; of texts only those stay that say what a figure is of.
"""

from __future__ import annotations

from typing import Any, Final

_KEPT: Final = frozenset({
    "id", "object", "model", "type", "status", "service_tier", "speed", "inference_geo", "ttl",
    "container_id", "modelVersion", "responseId", "trafficType", "serviceTier", "modality",
    "latency", "invokedModelId", "currency",
})  # fmt: skip
_DROPPED: Final = frozenset({"choices", "content", "logprobs"})
_DEPTH_MAX: Final = 12  # usage lies far above


def wordless(value: Any, depth: int = _DEPTH_MAX) -> Any:
    """A JSON value with its figures, and with texts where their key says what they are.

    What is dropped is None, or missing from the object that held it. A list keeps its objects; one
    of numbers, such as an embedding, is left empty.
    """
    if isinstance(value, dict) and depth:
        held = {name: _held(name, inner, depth) for name, inner in value.items()}
        return {name: inner for name, inner in held.items() if inner is not None}
    if isinstance(value, list) and depth:
        return [wordless(each, depth - 1) for each in value if isinstance(each, dict)]
    return None if isinstance(value, str | dict | list) else value


def _held(name: str, value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value if name in _KEPT else None
    return None if name in _DROPPED else wordless(value, depth - 1)
