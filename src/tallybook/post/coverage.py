"""How well a period is metered.

Who told of it, which calls carry no tags, what is not known, where nothing was told, and what to do
about each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from tallybook.attribute.lines import decide_all
from tallybook.clock import Period
from tallybook.meter.resolve.decide import suspects
from tallybook.meter.resolve.rank import standpoint_of
from tallybook.money import format_share
from tallybook.post.basis import Basis
from tallybook.post.breakdown import standing_basis
from tallybook.post.compute import graph_session, metering_of, placed_in, price_rows
from tallybook.rate.rating import Metering, rate_events
from tallybook.store import Store, sql_text
from tallybook.store.lake import OBSERVED
from tallybook.store.observations import Observations

HOUR_US: Final = 3_600_000_000
SILENCE_HOURS: Final = 6
"""From so many hours on, a silence between two calls of a source is a gap."""
_GAPS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Tally:
    """Some calls that bill. ``card_pico`` is their cost at the rate card, without the unpriced."""

    calls: int = 0
    tokens: int = 0
    card_pico: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.calls + other.calls,
            self.tokens + other.tokens,
            self.card_pico + other.card_pico,
        )


@dataclass(frozen=True, slots=True)
class SourceCover:
    """What one source told.

    ``told`` counts the calls that it told of, ``billed`` those that bill by its own rows; a call
    that several told of bills under the source ``merged``. ``gaps`` are stretches without a call,
    (from, to), the longest first; ``silent_while`` counts the calls that others told of meanwhile.
    """

    source: str
    standpoint: str
    told: int
    billed: Tally
    states: Mapping[str, int]
    unpriced: int
    gaps: tuple[tuple[int, int], ...]
    silent_while: int


@dataclass(frozen=True, slots=True)
class TagCover:
    """The calls of one key and service: those with a team or feature stated, and those without.

    ``unowned`` are the calls that only the fallback owns, whatever was stated.
    """

    key_id: str
    service: str
    tagged: Tally
    untagged: Tally
    unowned: Tally


@dataclass(frozen=True, slots=True)
class Coverage:
    """A period. ``beside`` counts the observations that joined others or fill no gap."""

    period: str
    total: Tally
    sources: tuple[SourceCover, ...]
    tags: tuple[TagCover, ...]
    suspects: int
    beside: int
    advice: tuple[str, ...]


def coverage(store: Store, period: Period) -> Coverage:
    """Measure a period: an open one as its next run will see it, a closed one as its last did.

    Raises:
        BooksError: no policy files were applied.
        CorruptedError: a sealed file is not what was written.
    """
    basis = standing_basis(store, period)
    metering = metering_of(basis)
    carried = dict.fromkeys(("source", *metering.carried, "key_id", "service"))
    metering = replace(metering, carried=tuple(carried), kept=True)
    rows, hours, unowned = _rated(store, basis, metering)
    with store.read() as tx:
        waiting = [one for one in suspects(tx) if _inside(basis, one.started_us)]
        observed = store.lake.snapshot_in(tx, str(period), basis.snapshot.version, OBSERVED)
    sources = _sources(rows, hours)
    tags = _tags(rows, unowned)
    total = _sum(row.tally for row in rows)
    beside = sum(file.rows for file in observed.files if file.kind == "evidence")
    advice = tuple(_advice(str(period), sources, tags, len(waiting)))
    return Coverage(str(period), total, sources, tags, len(waiting), beside, advice)


@dataclass(frozen=True, slots=True)
class _Row:
    """One group of rated calls, with what they carried."""

    carried: Mapping[str, str]
    state: str
    unpriced: bool
    tally: Tally


Hours = Mapping[str, Mapping[int, int]]
"""Source to the calls of each hour that has any."""


def _rated(store: Store, basis: Basis, metering: Metering) -> tuple[list[_Row], Hours, set[int]]:
    """The groups of rated calls, the hours of each source, and which groups nobody owns."""
    with graph_session(store, basis) as session:
        metering, paths, _ = placed_in(session, basis, metering)
        rate_events(session, metering, price_rows(basis))
        names = ", ".join(metering.columns)
        found = session.rows(sql_text(__package__, "coverage").format(names=names))
    columns = len(metering.columns)
    combos = [(i, *row[: 1 + columns]) for i, row in enumerate(found)]
    decisions, numbered = decide_all(metering, paths, combos)
    unowned = {i for i, number in numbered if decisions[number].owner.is_fallback}
    carried = len(metering.carried)
    rows = [_row((*row[: 1 + carried], *row[1 + columns :]), metering.carried) for row in found]
    hours: dict[str, dict[int, int]] = defaultdict(dict)
    observations = Observations(store, {str(basis.period)})
    for source, hour_us, calls in observations.by_hour(basis.start_us, basis.end_us):
        hours[source][hour_us] = calls
    return rows, hours, unowned


def _row(row: Sequence[object], carried: Sequence[str]) -> _Row:
    _epoch, *values = row
    *stated, state, unpriced, calls, tokens, card_pico = values
    tally = Tally(int(str(calls)), int(str(tokens)), int(str(card_pico)))
    named = dict(zip(carried, map(str, stated), strict=True))
    return _Row(named, str(state), bool(unpriced), tally)


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total = total.plus(tally)
    return total


def _sources(rows: Sequence[_Row], hours: Hours) -> tuple[SourceCover, ...]:
    by_source: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_source[row.carried["source"]].append(row)
    found = [
        _source(source, by_source.get(source, []), hours)
        for source in by_source.keys() | hours.keys()
    ]
    return tuple(sorted(found, key=lambda one: (-one.billed.calls, -one.told, one.source)))


def _source(source: str, rows: Sequence[_Row], hours: Hours) -> SourceCover:
    states: dict[str, int] = defaultdict(int)
    for row in rows:
        states[row.state] += row.tally.calls
    gaps = _gaps(hours.get(source, {}))
    return SourceCover(
        source=source,
        standpoint=standpoint_of(source),
        told=sum(hours.get(source, {}).values()),
        billed=_sum(row.tally for row in rows),
        states=dict(sorted(states.items())),
        unpriced=sum(row.tally.calls for row in rows if row.unpriced),
        gaps=tuple(gaps[:_GAPS_SHOWN]),
        silent_while=sum(_meanwhile(source, gap, hours) for gap in gaps),
    )


def _gaps(hours: Mapping[int, int]) -> list[tuple[int, int]]:
    """The silences between the first and the last hour of a source, the longest first."""
    told = sorted(hours)
    between = ((a + HOUR_US, b) for a, b in pairwise(told))
    gaps = [(a, b) for a, b in between if b - a >= SILENCE_HOURS * HOUR_US]
    return sorted(gaps, key=lambda gap: (gap[0] - gap[1], gap[0]))


def _meanwhile(source: str, gap: tuple[int, int], hours: Hours) -> int:
    others = (held for other, held in hours.items() if other != source)
    return sum(n for held in others for at, n in held.items() if gap[0] <= at < gap[1])


def _tags(rows: Sequence[_Row], unowned: set[int]) -> tuple[TagCover, ...]:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        groups[row.carried["key_id"], row.carried["service"]].append(i)
    found = []
    for (key_id, service), held in groups.items():
        tagged = {i for i in held if rows[i].carried["team"] or rows[i].carried["feature"]}
        found.append(
            TagCover(
                key_id=key_id,
                service=service,
                tagged=_sum(rows[i].tally for i in held if i in tagged),
                untagged=_sum(rows[i].tally for i in held if i not in tagged),
                unowned=_sum(rows[i].tally for i in held if i in unowned),
            )
        )
    return tuple(
        sorted(found, key=lambda x: (-x.untagged.calls, -x.tagged.calls, x.key_id, x.service))
    )


def _advice(
    period: str, sources: Sequence[SourceCover], tags: Sequence[TagCover], waiting: int
) -> Iterable[str]:
    """What to do, the dearest first."""
    unowned = [one for one in tags if one.unowned.calls]
    for one in sorted(unowned, key=lambda one: -one.unowned.card_pico)[:_GAPS_SHOWN]:
        who = _who(one)
        yield (
            f"{one.unowned.calls} calls of {who} have no owner: give the key or the service an"
            f" owner in org.yaml, or tag the calls (tallybook worklist unallocated {period})"
        )
    for source in sources:
        if unknown := source.states.get("unknown", 0):
            share = format_share(unknown, source.billed.calls)
            yield (
                f"{source.source}: {unknown} calls ({share}) report no usage: ask streams for it"
                " (stream_options.include_usage), or import another source of the same calls"
            )
        if source.unpriced:
            yield (
                f"{source.source}: {source.unpriced} calls have no price: add it to prices.yaml"
                f" (tallybook worklist unpriced {period})"
            )
        if source.silent_while:
            yield (
                f"{source.source}: silent while others told of {source.silent_while} calls:"
                " import the missing hours"
            )
    if waiting:
        yield f"{waiting} pairs may be one call: tallybook worklist suspects, tallybook decide"


def _who(one: TagCover) -> str:
    named = [f"key {one.key_id}" if one.key_id else "", f"service {one.service}"]
    told = [name for name in named if name.rpartition(" ")[2]]
    return " and ".join(told) or "no key and no service"


def _inside(basis: Basis, started_us: int) -> bool:
    return basis.start_us <= started_us < basis.end_us
