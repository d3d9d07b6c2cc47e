"""What a world is made of, as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Operation = dict[str, Any]
"""One step as JSON: ``do`` names it, ``n`` numbers it, ``at_us`` is when; the rest is its own."""

Files = dict[str, Any]
"""The policy files as plain data, by kind."""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Params:
    """What a world is drawn from; the same parameters draw the same operations.

    ``deaths`` is how many of a hundred operations die on the way.
    """

    seed: int
    months: int = 2
    steps: int = 40
    deaths: int = 14


class BrokenError(Exception):
    """A proof failed.

    Args:
        proof: which, such as ``INV-10`` or ``oracle``.
        detail: what was expected and what was found.
    """

    def __init__(self, proof: str, detail: str) -> None:
        self.proof = proof
        self.detail = detail
        super().__init__(f"{proof}: {detail}")


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a world broke: the proof that failed and the place of the operation in the stream."""

    proof: str
    detail: str
    step: int


@dataclass(frozen=True, slots=True)
class Lived:
    """A world that was lived. ``digest`` is of its final balances and all issued statements."""

    params: Params
    operations: tuple[Operation, ...]
    failure: Failure | None
    digest: str
    tally: Counter[str] = field(default_factory=Counter)
