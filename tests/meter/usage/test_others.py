"""Cohere, Ollama, Mistral OCR."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallybook.meter.usage.read import read_body


def test_cohere_bills_units_and_cached_tokens_are_raw():
    usage = {
        "billed_units": {"input_tokens": Decimal("2406.0"), "output_tokens": 2},
        "tokens": {"input_tokens": 2935, "output_tokens": 4},
        "cached_tokens": 2928,
    }
    reading = read_body({"id": "c", "usage": usage}, provider="cohere", endpoint="/v2/chat")
    assert reading.parts[0].tokens == {"input_uncached": 2406, "output": 2}
    assert reading.extras["raw_cached_tokens"] == 2928


@pytest.mark.parametrize(
    ("billed", "tokens", "units"),
    [
        ({"search_units": 1}, None, {"rerank_search": 1}),
        ({"input_tokens": 9}, {"input_uncached": 9, "output": 0}, None),
        (
            {"input_tokens": 9, "image_tokens": 4},
            {"input_uncached": 9, "output": 0, "image_input": 4},
            None,
        ),
        ({"image_tokens": 4}, {"output": 0, "image_input": 4}, None),
        ({"images": 2}, None, {"image": 2}),
        ({"input_tokens": 9, "output_tokens": 3}, {"input_uncached": 9, "output": 3}, None),
    ],
)
def test_cohere_beside_chat(billed, tokens, units):
    reading = read_body({"id": "c", "meta": {"billed_units": billed}}, provider="cohere")
    assert (reading.parts[0].tokens, reading.parts[0].units) == (tokens, units)


def test_cohere_without_billed_units_is_estimated_by_raw_tokens():
    reading = read_body(
        {"usage": {"tokens": {"input_tokens": 5, "output_tokens": 1}}}, provider="cohere"
    )
    assert (reading.usage, reading.parts[0].tokens) == (
        "estimated",
        {"input_uncached": 5, "output": 1},
    )


def test_ollama_does_not_count_a_prompt_that_was_cached():
    body = {"model": "llama3", "done": True, "eval_count": 58}
    reading = read_body(body, provider="ollama")
    assert reading.parts[0].tokens == {"input_uncached": None, "output": 58}
    assert read_body(body | {"done": False}, provider="ollama").usage == "unknown"


def test_ollama_embeddings():
    body = {"model": "nomic", "embeddings": [[0]], "prompt_eval_count": 4}
    reading = read_body(body, provider="ollama", endpoint="/api/embed")
    assert reading.parts[0].tokens == {"input_uncached": 4, "output": 0}


def test_ocr_counts_pages_and_those_annotated():
    body = {"model": "mistral-ocr", "usage_info": {"pages_processed": 7}, "pages": []}
    assert read_body(body, provider="mistral").parts[0].units == {"page": 7}
    annotated = body | {"pages": [{"images": [{"image_annotation": "{}"}]}]}
    assert read_body(annotated, provider="mistral", endpoint="/v1/ocr").parts[0].units == {
        "page": 7,
        "annotated_page": 7,
    }
