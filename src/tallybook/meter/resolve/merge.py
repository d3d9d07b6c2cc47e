"""One call out of what several sources told of it, field by field.

Usage is taken whole from one source: first by how far it is known, then by who is nearest to the
provider, then, inside a trace, from the innermost span. Tags are taken from whoever is trusted
first and states one. Fields that only mean something together come from one source together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.meter.model import NOBODY
from tallybook.meter.resolve.observation import Observation

USAGE: Final = (
    *TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE,
    "units", "usage", "state", "status", "context_tokens", "total_tokens", "output_delivered",
)  # fmt: skip
PRICED_AS: Final = ("provider", "model")
TRACE: Final = ("trace_id", "span_id", "parent_span_id")
TOGETHER: Final = (
    ("team", "feature"),
    TRACE,
    ("operation_id", "attempt"),
    ("reported_cost", "reported_currency"),
    ("started_us", "ended_us"),
)
SERVED: Final = ("tier", "region")
ALONE: Final = (
    "model_requested", "operation", "purpose", "environment", "customer",
    "cohort", "plan", "user", "session", "endpoint", "prompt_version", "evaluation_run", "service",
    "response_id", "request_id", "key_id", "latency_ms", "ttft_ms",
)  # fmt: skip
MERGED: Final = "merged"
"""The source of a row that was made of what several sources told."""
TAGS_FROM: Final = "tags_from"
"""The label of a row made of several observations that names the source of its team and feature."""
TOLD_FOR: Final = ("customer", "cohort", "plan")
"""For whom a call is; each may be told by another source than the team."""
_KNOWN: Final = ("reported", "partial", "estimated", "unknown")


def merged(
    calls: Iterable[Observation], depth: Mapping[bytes, int]
) -> tuple[dict[str, Any], dict[str, Observation]]:
    """The columns of one call, and for each the observation that it was taken from.

    Args:
        calls: what sources told of it, in any order; two or more.
        depth: how deep in its trace an observation lies, by key; the deeper is the inner.

    Returns:
        columns apart from ``key``, ``record``, ``source``, ``event_id`` and ``supersedes``.
    """
    trusted = sorted(calls, key=lambda one: (one.rank, -depth.get(one.key, 0), *_told(one)))
    metered = min(trusted, key=lambda one: _KNOWN.index(one.state))  # the first of the best known
    taken: dict[str, Observation] = dict.fromkeys(USAGE, metered)
    named = next((one for one in (metered, *trusted) if one.model != NOBODY), metered)
    taken |= dict.fromkeys(PRICED_AS, named)
    for group in TOGETHER:
        order = _by_trace(trusted) if group == TRACE else trusted
        taken |= dict.fromkeys(group, _first(order, group))
    for name in ALONE:
        taken[name] = _stating(trusted, name)
    for name in SERVED:
        taken[name] = _stating((metered, *trusted), name)
    row = {name: one.row[name] for name, one in taken.items()}
    row["units"] = list(dict(metered.row["units"] or ()).items())
    row["labels"] = _labels(trusted, taken)
    return row, taken


def teller_label(name: str) -> str:
    """The label of a merged row that names the source of a field of `TOLD_FOR`.

    It is there where the source is not the one that `TAGS_FROM` names.
    """
    return f"{TAGS_FROM}.{name}"


def _told(one: Observation) -> tuple[int, str, bytes]:
    return one.started_us, one.source, one.key


def _by_trace(trusted: Sequence[Observation]) -> list[Observation]:
    """Traces first: a span's place in its tree is told best by who made the tree."""
    return sorted(trusted, key=lambda one: not one.traced)


def _first(order: Sequence[Observation], names: tuple[str, ...]) -> Observation:
    """The first that states one of the fields; the first of all if none does."""
    for one in order:
        row = one.row
        for name in names:
            if row[name] not in ("", None):
                return one
    return order[0]


def _stating(order: Sequence[Observation], name: str) -> Observation:
    """The first that states a field; the first of all if none does."""
    for one in order:
        if one.row[name] not in ("", None):
            return one
    return order[0]


def _labels(
    trusted: Sequence[Observation], taken: Mapping[str, Observation]
) -> list[tuple[str, str]]:
    """All labels, and who told what is a claim, because not every source is believed."""
    labels: dict[str, str] = {}
    for one in trusted:
        labels = dict(one.row["labels"] or ()) | labels
    owner = taken["team"]
    is_owned = bool(owner.row["team"] or owner.row["feature"])
    tellers = {TAGS_FROM: owner.source if is_owned else ""}
    for name in TOLD_FOR:
        told = taken[name]
        differs = told.row[name] and told.source != tellers[TAGS_FROM]
        tellers[teller_label(name)] = told.source if differs else ""
    kept = {name: value for name, value in labels.items() if name not in tellers}
    return sorted((kept | {name: told for name, told in tellers.items() if told}).items())
