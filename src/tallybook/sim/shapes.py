"""What the company's calls look like: one row per kind of call, made up but of a plausible size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Shape:
    """Calls of one kind.

    Attributes:
        name: unique; it seeds the kind's own randomness, so that kinds do not disturb each other.
        weight: calls, in proportion to the other kinds.
        input_tokens, output_tokens: about how many; each call has 0.16 to 2.6 times as many.
        cached: per cent of the input that is read from a cache.
        written: per cent of the input that is written to a cache.
        long: per 1,000 calls, how many carry a document beyond 200,000 tokens.
        searches: most web searches per call.
        tags: what every call of the kind carries.
        twin: kinds of one twin name have the same calls at the same times, token for token.
        batch_from: from this instant on the calls go through the batch tier.
        from_at, to_at: the kind has calls only between these; empty is open.
        clean: neither fails nor lacks figures.
    """

    name: str
    weight: int
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    tags: dict[str, str] = field(default_factory=dict)
    cached: int = 0
    written: int = 0
    long: int = 0
    searches: int = 0
    twin: str = ""
    batch_from: str = ""
    from_at: str = ""
    to_at: str = ""
    clean: bool = False


SONNET, OPUS, HAIKU = "claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"
EU_HAIKU = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
DEPLOYMENT = "northwind-chat-prod"
PILOT_FROM: Final = "2026-09-08T00:00:00Z"
PILOT_TO: Final = "2026-10-03T00:00:00Z"
BATCH_FROM: Final = "2026-10-15T00:00:00Z"
"""the list has no batch tier before 14 October"""


def _uses(feature: str, purpose: str = "production", **more: str) -> dict[str, str]:
    return {"feature": feature, "purpose": purpose, **more}


def _written(prompt: str) -> dict[str, str]:
    return {"endpoint": "/v1/write", "prompt": prompt}


_ROBOTS: Final = (
    # Twins: Mechanical design and Parts catalog make the same calls, on models apart in price.
    Shape("spec-review", 26, "anthropic", OPUS, 70_000, 3_600, _uses("spec-review"),
          twin="long", clean=True),
    Shape("part-matching", 26, "openai", "gpt-5-mini", 70_000, 3_600, _uses("part-matching"),
          twin="long", clean=True),
    Shape("design-copilot", 28, "anthropic", OPUS, 36_000, 6_000, _uses("design-copilot"),
          twin="short", clean=True),
    Shape("part-descriptions", 28, "openai", "gpt-5-mini", 36_000, 6_000,
          _uses("part-descriptions"), twin="short", clean=True),
    Shape("incidents", 30, "google", "gemini-2.5-pro", 110_000, 4_500, _uses("incident-explainer"),
          cached=20, long=90),
    Shape("logs", 75, "aws", "amazon.nova-lite-v1:0", 7_000, 120, {"key_id": "vk-logs-prod"},
          cached=30),
    Shape("logs-fixes", 10, "anthropic", SONNET, 110_000, 4_500,
          _uses("log-triage", service="code-agent"), cached=60, written=10),
    Shape("routes", 25, "openai", "gpt-5.1", 15_000, 2_700, _uses("route-advisor")),
    Shape("fleet-dev", 8, "openai", "gpt-5-mini", 18_000, 2_100, {"key_id": "vk-fleet-dev"}),
    Shape("picks", 55, "openai", "gpt-5-mini", 24_000, 1_200, _uses("pick-planner"), cached=40),
    Shape("picks-fixes", 6, "anthropic", SONNET, 90_000, 3_600,
          _uses("pick-planner", service="code-agent"), cached=50, written=10),
    Shape("slotting", 22, "openai", "gpt-5.4", 130_000, 9_000, _uses("slotting"), long=60),
    Shape("slotting-trial", 3, "mistral", "mistral-large-2512", 90_000, 7_500,
          _uses("slotting", "experiment")),
    Shape("dock", 30, "mistral", "mistral-small-2603", 9_000, 600, {"endpoint": "/v1/dock"}),
)  # fmt: skip

_CUSTOMERS: Final = (
    Shape("chat", 110, "anthropic", SONNET, 42_000, 1_350, _uses("chat-assistant"),
          cached=70, written=5),
    Shape("chat-retrieval", 40, "anthropic", HAIKU, 72_000, 660,
          _uses("chat-assistant", service="retrieval"), cached=30),
    Shape("chat-evaluation", 9, "anthropic", SONNET, 42_000, 1_350,
          _uses("chat-assistant", "evaluation", run="chat-regression")),
    Shape("tickets", 95, "openai", "gpt-5-mini", 2_200, 60, {"key_id": "vk-triage-prod"}),
    Shape("replies", 50, "anthropic", SONNET, 18_000, 1_500, _uses("reply-drafts"), cached=40),
    Shape("voice", 25, "google", "gemini-2.5-flash", 4_000, 300, _uses("voice-notes")),
    Shape("seo", 26, "mistral", "mistral-large-2512", 9_000, 7_500, _written("seo-page")),
    Shape("ads", 30, "openai", "gpt-4.1-mini", 3_000, 1_800, _written("ad-headline")),
    Shape("campaigns", 24, "anthropic", SONNET, 27_000, 7_200, _written("campaign-mail")),
    Shape("campaigns-research", 6, "openai", "gpt-5.1", 45_000, 2_400,
          _uses("campaign-writer", service="research-agent"), searches=6),
    # Long output: few tokens in, many out.
    Shape("proposals", 28, "anthropic", OPUS, 24_000, 19_000, _uses("proposal-writer")),
    Shape("proposals-retrieval", 20, "anthropic", HAIKU, 70_000, 900,
          _uses("proposal-writer", service="retrieval"), cached=20),
    Shape("proposals-evaluation", 3, "anthropic", OPUS, 24_000, 19_000,
          _uses("proposal-writer", "evaluation", run="proposal-quality")),
    Shape("leads", 55, "deepseek", "deepseek-chat", 1_500, 40, {"key_id": "vk-leads-prod"}),
    Shape("calls", 22, "azure", DEPLOYMENT, 27_000, 2_100, _uses("call-notes")),
)  # fmt: skip

_COMPANY: Final = (
    # Long input: many tokens in, few out.
    Shape("handbook", 100, "anthropic", HAIKU, 75_000, 400, _uses("handbook-search"), cached=30),
    Shape("handbook-evaluation", 16, "anthropic", HAIKU, 75_000, 400,
          _uses("handbook-search", "evaluation", run="retrieval-recall")),
    Shape("answers", 34, "google", "gemini-2.5-pro", 130_000, 1_200, _uses("site-answers"),
          cached=25, long=40),
    Shape("index", 24, "openai", "text-embedding-3-large", 24_000, 0,
          _uses("document-index", "batch", service="indexer"), clean=True),
    Shape("index-summaries", 14, "openai", "gpt-5-mini", 90_000, 1_800,
          _uses("document-index", "batch", service="indexer"), batch_from=BATCH_FROM),
    Shape("assistant", 100, "anthropic", SONNET, 110_000, 2_400, _uses("code-assistant"),
          cached=85, written=5, long=30),
    Shape("reviews", 22, "openai", "gpt-5.1", 90_000, 4_200, _uses("code-review")),
    Shape("reviews-evaluation", 5, "openai", "gpt-5.1", 90_000, 4_200,
          _uses("code-review", "evaluation", run="review-golden-set")),
    Shape("tests", 13, "openai", "gpt-5-mini", 60_000, 9_000, _uses("test-writer")),
    Shape("contracts", 16, "anthropic", SONNET, 150_000, 4_500, _uses("contract-review"), long=180),
    Shape("contracts-retrieval", 18, "anthropic", HAIKU, 75_000, 900,
          _uses("contract-review", service="retrieval")),
    Shape("policies", 15, "azure", DEPLOYMENT, 12_000, 1_200, _uses("policy-answers")),
    Shape("invoices", 40, "google", "gemini-2.5-flash", 9_000, 750,
          {"key_id": "vk-invoices-prod"}),
    Shape("expenses", 28, "aws", EU_HAIKU, 7_500, 360, _uses("expense-check")),
    Shape("board", 4, "anthropic", OPUS, 70_000, 14_000, _uses("board-report"), cached=10),
    Shape("board-research", 2, "openai", "gpt-5.1", 45_000, 2_400,
          _uses("board-report", service="research-agent"), searches=4),
    Shape("finance-notes", 4, "openai", "gpt-5-mini", 9_000, 1_500,
          {"team": "finance", "purpose": "production"}),
)  # fmt: skip

_UNOWNED: Final = (
    Shape("untagged", 3, "openai", "gpt-5.1", 18_000, 1_500, {"key_id": "vk-legacy"}),
    # A pilot that nobody tagged: it takes September above the limit of the policy.
    Shape("voice-pilot", 40, "openai", "gpt-5.1", 40_000, 4_000, {"key_id": "vk-robot-voice"},
          from_at=PILOT_FROM, to_at=PILOT_TO),
)  # fmt: skip

_UNPRICED: Final = (
    # A model of our own without a price: the worklist of the open month shows it.
    Shape("navigation", 1, "aws", "northwind-nav-lora", 12_000, 450,
          _uses("route-advisor", "experiment"), from_at="2026-10-12T00:00:00Z", clean=True),
)  # fmt: skip

SHAPES: Final = (*_ROBOTS, *_CUSTOMERS, *_COMPANY, *_UNOWNED, *_UNPRICED)
