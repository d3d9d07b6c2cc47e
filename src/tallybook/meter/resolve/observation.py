"""What one source told of one thing: a sealed row with its role, as a noun."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INPUT, TOKEN_CLASSES_OUTPUT
from tallybook.meter.identity import key_of
from tallybook.meter.model import NOBODY, Role
from tallybook.meter.resolve.rank import is_known, rank, standpoint_of

_FURTHER_PART: Final = re.compile(r"/[1-9][0-9]*\Z")
_STRONG_ID: Final = 20
"""From so many characters on, an id of a response is unique by itself, whoever is said to serve."""
_DATED: Final = re.compile(r"[-@]?(20[0-9]{2}-?[01][0-9]-?[0-3][0-9]|latest|v[0-9]+(:[0-9]+)?)\Z")
_VENDOR: Final = re.compile(r"\A(?:[a-z]{2,6}\.)?(?:anthropic|meta|amazon|cohere|mistral|ai21)\.")


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One row, with its columns; maps are dicts or lists of pairs.

    ``own`` says that its own row may bill: it lies among events, and nothing took it out.
    """

    row: Mapping[str, Any]
    role: Role
    own: bool

    @property
    def key(self) -> bytes:
        """Its key, for ever."""
        key: bytes = self.row["key"]
        return key

    @property
    def source(self) -> str:
        """Who told it."""
        return str(self.row["source"])

    @property
    def event_id(self) -> str:
        """The source's name for it."""
        return str(self.row["event_id"])

    @property
    def started_us(self) -> int:
        """When it started."""
        return int(self.row["started_us"])

    @property
    def ended_us(self) -> int | None:
        """When it ended, if told."""
        ended: int | None = self.row["ended_us"]
        return ended

    @property
    def rank(self) -> int:
        """How soon it is believed."""
        return rank(self.source)

    @property
    def traced(self) -> bool:
        """Whether it comes from a trace, where one span may repeat what another says."""
        return standpoint_of(self.source) == "trace"

    @property
    def state(self) -> str:
        """How far its usage is known."""
        return str(self.row["state"])

    @property
    def model(self) -> str:
        """Its model without vendor, release date and path: what two sources would both say."""
        return base_model(str(self.row["model"]))

    @property
    def tokens(self) -> dict[str, int]:
        """The classes that are known and not zero."""
        return {name: self.row[name] for name in TOKEN_CLASSES if self.row[name]}

    @property
    def superseded_key(self) -> bytes | None:
        """The key of the event that it takes the place of."""
        old = self.row["supersedes"]
        return key_of(self.source, old) if old else None

    @property
    def aliases(self) -> tuple[bytes, ...]:
        """The names under which other sources may tell of the same call."""
        if self.role != "call":
            return ()
        row = self.row
        call_id = dict(row["labels"] or ()).get("call_id", "")
        named: tuple[Any, ...] = (*(row[name] for name in ALIASED), call_id)
        return aliases_of(*named)


ALIASED: Final = (
    *("source", "event_id", "provider", "response_id", "request_id", "attempt"),
    *("trace_id", "span_id"),
)
"""The columns that `aliases_of` takes, in order."""


def aliases_of(
    source: str,
    event_id: str,
    provider: str,
    response_id: str,
    request_id: str,
    attempt: int | None,
    trace_id: str,
    span_id: str,
    call_id: str,
) -> tuple[bytes, ...]:
    """The names of a call, as 16-byte keys.

    A response's id names the call for every source. The ids of requests and spans are used only of
    products that we know, and not for the further parts of one response.
    """
    names = []
    if response_id:
        strong = len(response_id) >= _STRONG_ID
        names.append(_digest("response", "" if strong else provider, response_id))
    if is_known(source) and not _FURTHER_PART.search(event_id):
        ids = {request_id, call_id} - {""}
        names += [_digest("request", one, str(attempt or 1)) for one in sorted(ids)]
        if trace_id and span_id and standpoint_of(source) == "trace":
            names.append(_digest("span", trace_id, span_id))
    return tuple(names)


def trace_alias(trace_id: str) -> bytes:
    """The name under which a trace that came from a tracer is known."""
    return _digest("trace", trace_id, "")


def _digest(kind: str, one: str, other: str) -> bytes:
    return blake2b(f"{kind}\0{one}\0{other}".encode(), digest_size=16, person=b"alias").digest()


ANY_TRACE: Final = trace_alias("")
"""A name that is known once a tracer told of anything: without it nobody looks for traces."""


def corrected_alias(key: bytes) -> bytes:
    """The name under which a correction waits for what it corrects, by the key of that."""
    return _digest("corrected", key.hex(), "")


ANY_CORRECTED: Final = corrected_alias(b"")
"""A name that is known once a correction waited: without it nobody looks for one."""


@lru_cache(maxsize=4096)
def base_model(model: str) -> str:
    """A model's name without path, vendor prefix and release: `gpt-4o` of `gpt-4o-2024-08-06`."""
    plain = model.lower().rpartition("/")[2]
    plain = _VENDOR.sub("", plain)
    while True:
        shorter = _DATED.sub("", plain)
        if shorter in (plain, ""):
            return plain
        plain = shorter


def same_model(one: str, other: str) -> bool:
    """Whether two base models may be one: equal, or one of them not told."""
    return one == other or NOBODY in (one, other)


def sums(tokens: Mapping[str, int]) -> tuple[int, int]:
    """Input and output of some classes."""
    taken = sum(tokens.get(name, 0) for name in TOKEN_CLASSES_INPUT)
    return taken, sum(tokens.get(name, 0) for name in TOKEN_CLASSES_OUTPUT)
