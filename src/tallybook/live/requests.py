"""What one request costs: per trace, per agent run and per feature request, and why some are dear.

Exact: costs are whole pico at the rate card, percentiles are nearest-rank, so each is the cost of a
request that was there. A month holds the calls that started in it; of a trace that crosses its end,
that part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tallybook.clock import Period
from tallybook.live.detect import nearest_rank
from tallybook.live.ground import Ground
from tallybook.live.model import Subject
from tallybook.live.rate import Opened, Part, opened
from tallybook.live.walk import NOBODY, Node, Tree
from tallybook.post.basis import read_basis
from tallybook.store import Store, sql_text
from tallybook.store.observations import Observations

TAIL_LOOKED_AT: Final = 1_000
TAIL_SHOWN: Final = 5
_MIDDLE: Final = 500
"""How many traces on either side of the median are typical."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What requests cost: count, nearest-rank percentiles and the dearest, in pico.

    ``team`` and ``feature``, or ``agent``, say whose; all empty for every trace. ``unpriced`` calls
    cost what nobody knows and are in as nothing.
    """

    team: str
    feature: str
    agent: str
    requests: int
    calls: int
    cost_pico: int
    unpriced: int
    p50_pico: int
    p95_pico: int
    p99_pico: int
    most_pico: int


@dataclass(frozen=True, slots=True)
class Dear:
    """One trace with what makes it dear."""

    trace: str
    calls: int
    cost_pico: int
    depth: int
    retries: int
    retried_pico: int
    most_context: int
    growth: int


@dataclass(frozen=True, slots=True)
class Kind:
    """Some traces together. All but the sums are nearest-rank medians.

    ``growth`` is the largest context of a trace less its smallest, in tokens; ``models`` the cost
    and calls by model.
    """

    traces: int
    cost_pico: int
    calls: int
    depth: int
    retries: int
    retried_pico: int
    most_context: int
    growth: int
    models: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Requests:
    """The answer. The tail are the traces above the 95th percentile; typical those by the median.

    Of a tail of more than a thousand the dearest thousand are looked at.
    """

    period: str
    currency: str
    traces: Cost | None
    untraced: Cost | None
    features: tuple[Cost, ...]
    agents: tuple[Cost, ...]
    tail: Kind | None = None
    typical: Kind | None = None
    dearest: tuple[Dear, ...] = ()


@dataclass(slots=True)
class _Seen:
    tail: list[Dear] = field(default_factory=list)
    typical: list[Dear] = field(default_factory=list)


def requests(store: Store, period: Period, feature: str = "") -> Requests:
    """What requests of a month cost, by what is sealed.

    Args:
        store: open books.
        period: which month.
        feature: only calls of this feature; '' means all.

    Raises:
        BooksError: no policy files were applied.
    """
    ground = Ground(read_basis(store, period))
    basis, currency = ground.basis, ground.basis.books.org.company.currency
    if not basis.snapshot.files:
        return Requests(str(period), currency, None, None, (), ())
    part = Part(basis.snapshot.files, basis.corrections, basis.beside)
    with opened(store, ground, part) as on:
        on.session.run(sql_text(__package__, "request_trace"), on.bounds)
        on.session.run(on.text("request"), on.bounds)
        owners = [i for i, one in enumerate(on.subjects) if feature in ("", one.feature)]
        wanted = f"owner IN ({', '.join(map(str, owners)) or '-1'})" if feature else "TRUE"
        features = _ranked(on, "owner", wanted)
        agents = _ranked(on, "agent", f"{wanted} AND request > 0")
        untraced = _ranked(on, "''", f"{wanted} AND request < 0")
        traces = _ranked(on, "''", f"{wanted} AND request > 0", _DEAR)
        seen, mix = _explained(on, wanted, traces[0]) if traces else (_Seen(), {})
    depths = _depths(store, period, [*seen.tail, *seen.typical])
    tail, typical = (
        [_with_depth(one, depths) for one in part] for part in (seen.tail, seen.typical)
    )
    return Requests(
        period=str(period),
        currency=currency,
        traces=traces[0] if traces else None,
        untraced=untraced[0] if untraced else None,
        features=tuple(sorted((_named(on.subjects, one) for one in features), key=_dearest)),
        agents=tuple(sorted(agents, key=_dearest)),
        tail=_kind(tail, mix, is_tail=True),
        typical=_kind(typical, mix, is_tail=False),
        dearest=tuple(tail[:TAIL_SHOWN]),
    )


_DEAR: Final = """,
  COUNT_IF(is_retry) AS retries,
  SUM(CASE WHEN is_retry THEN card_pico ELSE 0 END) AS retried_pico,
  MAX(context) AS most_context,
  MAX(context) - MIN(context) AS growth"""
"""What makes a trace dear."""


def _ranked(on: Opened, who: str, wanted: str, more: str = "") -> list[Cost]:
    total = sql_text(__package__, "request_total").format(who=who, wanted=wanted, more=more)
    on.session.run(total)
    rows = on.session.rows(sql_text(__package__, "request_rank"))
    return [
        Cost("", "", str(who), *(int(one or 0) for one in (count, calls, cost, unpriced, *ranks)))
        for who, count, calls, cost, unpriced, *ranks in rows
    ]


def _named(subjects: Sequence[Subject], one: Cost) -> Cost:
    """A row by the number of an owner, with the owner's names."""
    who = subjects[int(one.agent)]
    values = {name: getattr(one, name) for name in Cost.__slots__}
    return Cost(**{**values, "team": who.team, "feature": who.feature, "agent": ""})


def _explained(
    on: Opened, wanted: str, every: Cost
) -> tuple[_Seen, Mapping[tuple[bool, str], tuple[int, int]]]:
    """The dear tail and the typical traces, of the totals that were made last, and their models."""
    middle = -(-every.requests * 50 // 100)
    bounds = {
        "above": every.p95_pico,
        "most": TAIL_LOOKED_AT,
        "low": middle - _MIDDLE,
        "high": middle + _MIDDLE,
    }
    seen, rows = _Seen(), []
    found = on.session.rows(sql_text(__package__, "request_tail"), bounds)
    for is_tail, trace, request, *values in found:
        calls, cost, retries, retried, context, growth = (int(one or 0) for one in values)
        part = seen.tail if is_tail else seen.typical
        part.append(Dear(trace, calls, cost, 0, retries, retried, context, growth))
        rows.append((request, bool(is_tail)))
    on.session.table("request_wanted", {"request": "whole", "is_tail": "truth"}, rows)
    mixed = sql_text(__package__, "request_mix").format(wanted=wanted)
    mix = {
        (bool(is_tail), str(model)): (int(cost), int(calls))
        for is_tail, model, calls, cost in on.session.rows(mixed)
    }
    return seen, mix


def _depths(store: Store, period: Period, wanted: Sequence[Dear]) -> dict[str, int]:
    """How many steps deep each trace goes, by all that was told of it."""
    near = {str(one) for one in (period.previous(), period, period.next())}
    by_trace: dict[str, list[Node]] = {}
    if wanted:
        spans = Observations(store, near).spans_in(one.trace for one in wanted)
        for trace, span, parent, started_us in spans:
            node = Node(span, parent, started_us, "", "", "", NOBODY)
            by_trace.setdefault(trace, []).append(node)
    return {trace: Tree(nodes).depth() for trace, nodes in by_trace.items()}


def _with_depth(one: Dear, depths: Mapping[str, int]) -> Dear:
    values = {name: getattr(one, name) for name in Dear.__slots__}
    return Dear(**{**values, "depth": depths.get(one.trace, 1)})


def _kind(
    part: Sequence[Dear], mix: Mapping[tuple[bool, str], tuple[int, int]], *, is_tail: bool
) -> Kind | None:
    if not part:
        return None
    models = {model: held for (tail, model), held in mix.items() if tail is is_tail}
    return Kind(
        traces=len(part),
        cost_pico=_median(one.cost_pico for one in part),
        calls=_median(one.calls for one in part),
        depth=_median(one.depth for one in part),
        retries=sum(one.retries for one in part),
        retried_pico=sum(one.retried_pico for one in part),
        most_context=_median(one.most_context for one in part),
        growth=_median(one.growth for one in part),
        models=dict(sorted(models.items(), key=lambda item: (-item[1][0], item[0]))),
    )


def _median(values: Iterable[int]) -> int:
    counts: dict[int, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return nearest_rank(counts, 50)


def _dearest(one: Cost) -> tuple[Any, ...]:
    return (-one.cost_pico, one.team, one.feature, one.agent)
