"""The columns of a sealed usage event: what Parquet holds, in order.

Text is never NULL: '' is "none". A NULL token class is an unknown class; a class that the source
did not carry is 0. ``started_us`` is microseconds since 1970 UTC; it alone decides period and
price.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE

TEXT: Final = (
    "event_id", "source", "provider", "model", "model_requested", "operation", "tier", "region",
    "usage", "state", "status", "team", "feature", "purpose", "environment", "customer", "cohort",
    "plan", "user", "session", "endpoint", "prompt_version", "evaluation_run", "trace_id",
    "span_id", "parent_span_id", "service", "operation_id", "response_id", "request_id", "key_id",
    "supersedes", "reported_cost", "reported_currency",
)  # fmt: skip
WHOLE: Final = ("started_us", "context_tokens", "total_tokens")
WHOLE_OR_NONE: Final = (
    "ended_us", "output_delivered", "attempt", "latency_ms", "ttft_ms",
    *TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE,
)  # fmt: skip
DIGESTS: Final = ("key", "record")

EVENT_SCHEMA: Final = pa.schema(
    [pa.field(name, pa.binary(16), nullable=False) for name in DIGESTS]
    + [pa.field(name, pa.int64(), nullable=False) for name in WHOLE]
    + [pa.field(name, pa.int64()) for name in WHOLE_OR_NONE]
    + [pa.field(name, pa.string(), nullable=False) for name in TEXT]
    + [
        pa.field("units", pa.map_(pa.string(), pa.int64())),
        pa.field("labels", pa.map_(pa.string(), pa.string())),
    ]
)

INBOX_SCHEMA: Final = EVENT_SCHEMA.append(pa.field("role", pa.string(), nullable=False))
"""An event that waits, with what it is an event of; a sealed file holds events of one kind."""
