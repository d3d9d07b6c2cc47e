"""APIs of a shape of their own: Cohere, Ollama, Mistral OCR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallybook.meter.usage.conventions import COHERE, OLLAMA, OLLAMA_EMBEDDING
from tallybook.meter.usage.draft import Draft, units_of
from tallybook.meter.usage.figures import at, count, items, text

_RAW: Final = ("input_tokens", "output_tokens")


def read_cohere(body: Mapping[str, Any], draft: Draft) -> None:
    """Cohere: billed units are billed, raw tokens are not; the two are not parts of each other."""
    draft.response_id = draft.response_id or text(body.get("generation_id"))
    of_chat = isinstance(body.get("usage"), dict)
    usage = body.get("usage") if of_chat else body.get("meta")
    if not isinstance(usage, dict):
        return
    for name in _RAW:
        raw = count(at(usage, ("tokens", name)), name)
        if raw is not None:
            draft.extras[f"raw_{name}"] = raw
    cached = count(usage.get("cached_tokens"), "cached_tokens")
    if cached:
        draft.extras["raw_cached_tokens"] = cached
    billed = usage.get("billed_units")
    if not isinstance(billed, dict):
        _raw_only(usage, draft)
        return
    tokens = draft.tokens(billed, COHERE)
    if tokens and not of_chat and billed.get("output_tokens") is None:
        tokens["output"] = 0  # embeddings, rerank and classify write nothing
    images = count(billed.get("image_tokens"), "image_tokens")
    if images:
        tokens = (tokens or {"output": 0}) | {"image_input": images}
    units = units_of(billed)
    pieces = count(billed.get("images"), "images")
    draft.add(tokens, units | ({"image": pieces} if pieces else {}))


def _raw_only(usage: Mapping[str, Any], draft: Draft) -> None:
    raw = usage.get("tokens")
    if isinstance(raw, dict):
        draft.estimated = True
        draft.notes.append("billed units are not told: the raw tokens stand for them")
        draft.add(draft.tokens(raw, COHERE))


def read_ollama(body: Mapping[str, Any], draft: Draft) -> None:
    """Ollama: a prompt that was in its cache is not counted, and so unknown."""
    if body.get("done") is False:
        return
    embedding = "embeddings" in body or "embedding" in body
    tokens = draft.tokens(body, OLLAMA_EMBEDDING if embedding else OLLAMA)
    if tokens and tokens.get("input_uncached") is None:
        draft.notes.append("the prompt is not counted: it was in the cache of the server")
    draft.add(tokens)


def read_ocr(body: Mapping[str, Any], draft: Draft) -> None:
    """Mistral OCR: pages, once more where they were annotated."""
    usage = body.get("usage_info")
    if not isinstance(usage, dict):
        return
    units = units_of(usage)
    annotated = body.get("document_annotation") is not None or any(
        image.get("image_annotation") is not None
        for page in items(body.get("pages"))
        for image in items(page.get("images"))
    )
    if annotated and "page" in units:
        units["annotated_page"] = units["page"]
    draft.add(None, units)
