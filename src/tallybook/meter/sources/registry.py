"""The products whose files we read without a mapping, by the name that `ingest` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path as FilePath
from typing import Final, cast

from tallybook.meter.sources.source import Source

Open = Callable[[Sequence[FilePath]], Source]

PRODUCTS: Final[Mapping[str, str]] = {
    "anthropic-batch": "anthropic_batch",
    "bedrock-log": "bedrock_log",
    "openai-batch": "openai_batch",
    "anthropic-usage": "anthropic_usage",
    "claude-code": "claude_code",
    "openai-usage": "openai_usage",
    "litellm": "litellm",
    "portkey": "portkey",
    "helicone": "helicone",
    "otari": "otari",
    "burnlens": "burnlens",
    "bifrost": "bifrost",
    "langfuse": "langfuse.files",
    "otel": "otel.files",
}
"""Name to the module beside this one that has ``open_files``."""


def open_product(name: str, files: Sequence[FilePath]) -> Source:
    """The source of a product's files.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    module = import_module(f"{__package__}.{PRODUCTS[name]}")
    return cast("Open", module.open_files)(files)
