"""What a request may be, and how one is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Scope = Literal["ingest", "read", "ask", "approve", "keys"]
EVERY_SCOPE: Final[tuple[Scope, ...]] = ("ingest", "read", "ask", "approve", "keys")
PLAIN_SCOPES: Final[tuple[Scope, ...]] = ("ingest", "read")
"""What a token may do whose line names no scope: nothing that decides or lets anybody in."""

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the server takes.

    Attributes:
        body_bytes: of a request as it comes.
        unpacked_bytes: of its body once unpacked.
        request_spans: of one request; an empty one has two bytes, and takes a thousand once read.
        request_values: of its spans: attributes, what is in them, events, links. A body that is
            full of spans as programs write them has fewer.
        request_lines: of a request of events or notices; one that is full of them has fewer.
        line_bytes: of one event; a longer line is rejected unread.
        waiting_spans: spans that wait to be written; above it senders are told to come later.
        batch_spans: spans that are written in one transaction, one request more at most.
        wait_s: how long a request waits to be written before its sender is told to come later.
    """

    body_bytes: int = 20 * MEBIBYTE
    unpacked_bytes: int = 64 * MEBIBYTE
    request_spans: int = 100_000
    request_values: int = 5_000_000
    request_lines: int = 500_000
    line_bytes: int = MEBIBYTE
    waiting_spans: int = 200_000
    batch_spans: int = 10_000
    wait_s: float = 8.0


@dataclass(frozen=True, slots=True)
class Token:
    """What lets a request in.

    Attributes:
        secret: as ``Authorization: Bearer`` carries it.
        scopes: send usage; read what it costs and what budgets hold; ask for more; decide on what
            was asked; list, issue, rotate and revoke the gateway's keys.
        actor: in whose name it acts; '' leaves that to the request.
    """

    secret: str = field(repr=False)
    scopes: tuple[Scope, ...]
    actor: str = ""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """A request that is answered with an error.

    Args:
        status: of HTTP; 429 and 503 mean that the same request may come again.
        message: what is wrong and what to do.
        retry_after_s: when to come again.
    """

    def __init__(self, status: int, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s
