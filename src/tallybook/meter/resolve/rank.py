"""Whom we believe first when two sources tell of one call."""

from __future__ import annotations

from typing import Final, Literal

Standpoint = Literal["provider", "gateway", "sdk", "trace"]
"""Where a source stands: at the provider, on the way, in the caller, or beside it, in traces."""

STANDPOINTS: Final[tuple[Standpoint, ...]] = ("provider", "gateway", "sdk", "trace")

_PRODUCTS: Final[dict[Standpoint, tuple[str, ...]]] = {
    "provider": (
        *("bedrock-log", "openai-batch", "anthropic-batch"),
        *("openai-usage", "anthropic-usage", "claude-code"),
    ),
    "gateway": (
        *("gateway", "litellm", "litellm-callback", "portkey", "helicone", "otari", "burnlens"),
        "bifrost",
    ),
    "sdk": ("sdk",),
    "trace": ("otel", "langfuse", "claude-agent"),
}
_STANDPOINT_OF: Final = {
    source: standpoint for standpoint, sources in _PRODUCTS.items() for source in sources
}


def standpoint_of(source: str) -> Standpoint:
    """Where a source stands; one that we do not know is taken for a log on the way."""
    return _STANDPOINT_OF.get(source, "gateway")


def is_known(source: str) -> bool:
    """Whether a source is a product whose ids we know the meaning of."""
    return source in _STANDPOINT_OF


def rank(source: str) -> int:
    """0 is believed first."""
    return STANDPOINTS.index(standpoint_of(source))
