"""Which attempts belong to one operation: a retry follows its failure in the same context."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, NamedTuple

_DIGITS: Final = 6


class Failure(NamedTuple):
    """The last attempt here that failed; ``request`` tells whether another asks for the same."""

    request: int
    operation_id: str
    attempt: int


_LAST: Final[ContextVar[Failure | None]] = ContextVar("tallybook.sdk.failure", default=None)


class Ordinal(NamedTuple):
    """Which attempt of which operation."""

    operation_id: str
    attempt: int


def ordinal(event_id: str, told_retries: str, method_url: str, body: bytes | None) -> Ordinal:
    """Number an attempt.

    The clients of OpenAI and Anthropic say in a header how many retries came before, 0 too; others
    send the same request again. Both repeat it in the thread or task of the first attempt.

    Args:
        event_id: of this attempt; names the operation if this is its first.
        told_retries: the header, '' without.
        method_url: what is asked.
        body: of the request, as far as it is in memory.
    """
    told = told_retries.isdecimal() and len(told_retries) < _DIGITS
    retries = int(told_retries) if told else 0
    last = _LAST.get()
    if last is None or (told and not retries) or last.request != hash((method_url, body)):
        return Ordinal(event_id, retries + 1)
    return Ordinal(last.operation_id, max(last.attempt, retries) + (last.attempt >= retries))


def failed(ordinal: Ordinal, method_url: str, body: bytes | None) -> None:
    """Remember a failure, for the retry that may follow."""
    _LAST.set(Failure(hash((method_url, body)), ordinal.operation_id, ordinal.attempt))


def succeeded() -> None:
    """Forget it: what comes now is something else."""
    if _LAST.get() is not None:
        _LAST.set(None)
