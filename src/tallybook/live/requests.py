"""What one request costs: per trace, per agent run and per feature request, and why some are dear.

Exact: costs are whole pico at the rate card, percentiles are nearest-rank, so each is the cost of a
request that was there. A month holds the calls that started in it; of a trace that crosses its end,
that part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

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
    and those of ``unknown`` usage cost what nobody knows: what is known of them is in.
    """

    team: str
    feature: str
    agent: str
    requests: int
    calls: int
    cost_pico: int
    unpriced: int
    unknown: int
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

    Of a tail of more than a thousand the dearest thousand are looked at. ``is_sealed`` says whether
    calls of the month were sealed at all: all of them may have been corrected into another month.
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
    is_sealed: bool = False


class _Use(NamedTuple):
    """What the calls of one trace to one model come to."""

    model: str
    calls: int
    cost_pico: int
    retries: int
    retried_pico: int
    most_context: int
    least_context: int


@dataclass(frozen=True, slots=True)
class _Looked:
    """A trace that was looked at."""

    trace: str
    is_tail: bool
    uses: Sequence[_Use]


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
        wanted = _wanted(on.subjects, feature)
        on.session.run(on.text("request", wanted=wanted), on.bounds)
        if on.session.rows(_ANY_ALONE, on.bounds):
            on.session.run(on.text("request_alone", wanted=wanted), on.bounds)
        features = _ranked(on, "owner", "TRUE")
        agents = _ranked(on, "agent", _TRACED)
        untraced = _ranked(on, "''", "trace_id = ''")
        traces = _ranked(on, "''", _TRACED)
        looked = _looked_at(on, traces[0], wanted) if traces else []
    depths = _depths(store, period, [one.trace for one in looked])
    tail, typical = ([one for one in looked if one.is_tail is which] for which in (True, False))
    return Requests(
        period=str(period),
        currency=currency,
        traces=traces[0] if traces else None,
        untraced=untraced[0] if untraced else None,
        features=tuple(sorted((_named(on.subjects, one) for one in features), key=_dearest)),
        agents=tuple(sorted(agents, key=_dearest)),
        tail=_kind(tail, depths),
        typical=_kind(typical, depths),
        dearest=tuple(_dear(one, depths) for one in tail[:TAIL_SHOWN]),
        is_sealed=True,
    )


_TRACED: Final = "trace_id <> ''"
_ANY_ALONE: Final = (
    "SELECT 1 FROM events e WHERE e.started_us >= $start_us AND e.started_us < $end_us"
    " AND e.trace_id = '' LIMIT 1"
)


def _wanted(subjects: Sequence[Subject], feature: str) -> str:
    """Which calls are looked at, as an expression; all of them without a feature."""
    if not feature:
        return _EVERY
    owners = [str(at) for at, one in enumerate(subjects) if one.feature == feature]
    return f"k.feature IN ({', '.join(owners) or '-1'})"


_EVERY: Final = "TRUE"


def _ranked(on: Opened, who: str, which: str) -> list[Cost]:
    on.session.run(on.text("request_total", who=who, which=which))
    rows = on.session.rows(sql_text(__package__, "request_rank"))
    return [Cost("", "", str(who), *(int(one or 0) for one in figures)) for who, *figures in rows]


def _named(subjects: Sequence[Subject], one: Cost) -> Cost:
    """A row by the number of an owner, with the owner's names."""
    who = subjects[int(one.agent)]
    values = {name: getattr(one, name) for name in Cost.__slots__}
    return Cost(**{**values, "team": who.team, "feature": who.feature, "agent": ""})


def _looked_at(on: Opened, every: Cost, wanted: str) -> list[_Looked]:
    """The dear tail and the typical traces, of the totals that were made last; dearest first."""
    middle = -(-every.requests * 50 // 100)
    bounds = {
        "above": every.p95_pico,
        "most": TAIL_LOOKED_AT,
        "low": middle - _MIDDLE,
        "high": middle + _MIDDLE,
    }
    found = on.session.rows(sql_text(__package__, "request_tail"), bounds)
    on.session.table("request_looked", {"trace_id": "text"}, [(trace,) for trace, _ in found])
    # Whose calls they are need not be found out again where all of them are wanted.
    told = on.parts["netted" if wanted == _EVERY else "owned"]
    uses: dict[str, list[_Use]] = {str(trace): [] for trace, _ in found}
    looked = on.text("request_looked", told=told, wanted=wanted)
    for trace, model, *values in on.session.rows(looked, on.bounds):
        uses[trace].append(_Use(str(model), *(int(one or 0) for one in values)))
    return [_Looked(str(trace), bool(is_tail), uses[trace]) for trace, is_tail in found]


def _depths(store: Store, period: Period, traces: Sequence[str]) -> dict[str, int]:
    """How many steps deep each trace goes, by all that was told of it."""
    near = {str(one) for one in (period.previous(), period, period.next())}
    by_trace: dict[str, list[Node]] = {}
    for trace, span, parent, started_us in Observations(store, near).spans_in(traces):
        node = Node(span, parent, started_us, "", "", "", NOBODY)
        by_trace.setdefault(trace, []).append(node)
    return {trace: Tree(nodes).depth() for trace, nodes in by_trace.items()}


def _dear(one: _Looked, depths: Mapping[str, int]) -> Dear:
    uses = one.uses
    most, least = max(use.most_context for use in uses), min(use.least_context for use in uses)
    return Dear(
        trace=one.trace,
        calls=sum(use.calls for use in uses),
        cost_pico=sum(use.cost_pico for use in uses),
        depth=depths.get(one.trace, 1),
        retries=sum(use.retries for use in uses),
        retried_pico=sum(use.retried_pico for use in uses),
        most_context=most,
        growth=most - least,
    )


def _kind(looked: Sequence[_Looked], depths: Mapping[str, int]) -> Kind | None:
    if not looked:
        return None
    part = [_dear(one, depths) for one in looked]
    models: dict[str, tuple[int, int]] = {}
    for use in (use for one in looked for use in one.uses):
        cost_pico, calls = models.get(use.model, (0, 0))
        models[use.model] = (cost_pico + use.cost_pico, calls + use.calls)
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
