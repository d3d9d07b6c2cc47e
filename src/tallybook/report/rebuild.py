"""Rebuilding: every issued statement made again from sealed events and what its close names.

Nothing is taken from the journal's amounts: the events are rated, attributed and allocated again
under the versions that the close froze, and the paper that comes out is compared, byte by byte,
with the paper that was issued (INV-09).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest

from tallybook.allocate.allocate import allocate
from tallybook.clock import Period
from tallybook.errors import CorruptedError, PeriodError
from tallybook.ledger.model import ActKind, PostingKey
from tallybook.ledger.state import RecordedAct, acts
from tallybook.post.basis import Basis, basis_at, books_at
from tallybook.post.beside import beside
from tallybook.post.compute import charged, month_of, pool_actuals
from tallybook.post.late import Ranges, Span
from tallybook.post.run import targets
from tallybook.post.sheet import Sheet, Versions, sheet_at, versions_as_of
from tallybook.report.adjustments import Adjustment, Change, version_at
from tallybook.report.body import json_text, sealed
from tallybook.report.draft import draft
from tallybook.report.issue import corrected
from tallybook.report.issued import issued, totals_of
from tallybook.report.model import StatementSet
from tallybook.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One statement version made again. ``difference`` names the first; empty when none."""

    period: str
    version: int
    body_sha256: str
    difference: str

    @property
    def same(self) -> bool:
        """Whether it is what was issued, to the byte."""
        return not self.difference


def rebuild(store: Store, period: Period | None = None) -> list[Rebuilt]:
    """Rebuild every issued statement, or those of one period, all versions.

    Raises:
        PeriodError: the period has no issued statement.
        CorruptedError: a sealed file is not what was written, or an issued version has no close.
    """
    with store.read() as tx:
        rows = tx.rows(
            "SELECT period, version, seal, body FROM statement"
            " WHERE :period = '' OR period = :period ORDER BY period, version",
            period=str(period or ""),
        )
    if period and not rows:
        raise PeriodError(
            f"{period} has no issued statement", next_step=f"tallybook close {period}"
        )
    return [_rebuilt(store, row.period, row.version, row.seal, row.body) for row in rows]


def _rebuilt(store: Store, period: str, version: int, seal: str, text: str) -> Rebuilt:
    with store.read() as tx:
        closes = [x for x in acts(tx, period) if x.kind is ActKind.CLOSE and x.hash == seal]
    if not closes:
        raise CorruptedError(
            f"the statements of {period} version {version} name a seal that no close has",
            where="statement",
            next_step="restore the book from a backup, then run: tallybook verify",
        )
    again = _again(store, closes[0], version)
    made = json_text(again)
    difference = "" if made == text else first_difference(json.loads(text), json.loads(made))
    if made != text and not difference:
        difference = "the same content, written otherwise"
    return Rebuilt(period, version, again.body_sha256, difference)


def _again(store: Store, close: RecordedAct, version: int) -> StatementSet:
    """The statement set that a close issued, from events and versions alone."""
    period = Period.parse(close.period)
    versions = Versions.of(close.versions)
    basis, sheet, held = _month(store, period, versions)
    with store.read() as tx:
        told = beside(tx, close.period, close.seq)
    held |= {key: nano for key, nano in told.items() if key.service_period == close.period}
    spans = Ranges.parse(versions.late).spans
    others = {key.service_period for key in told} - {close.period}
    adjustments = [
        _adjustment(store, close, name, spans.get(name, ()), told)
        for name in sorted({*spans, *others})
    ]
    with store.read() as tx:
        before = _totals_before(tx, period, close.seq)
        last = issued(tx, close.period, version - 1) if version > 1 else None
    until = str(close.details.get("dispute_until", ""))
    made = draft(basis.books, basis.policy, sheet, held, before, version, adjustments, until)
    return sealed(corrected(made.statements, last), close.hash)


def _totals_before(tx: Tx, period: Period, seq: int) -> dict[str, int]:
    """The totals of the month before, in the version that stood when the close was made."""
    before = str(period.previous())
    version = version_at(tx, before, seq)
    return totals_of(issued(tx, before, version)) if version else {}


def _month(
    store: Store, period: Period, versions: Versions
) -> tuple[Basis, Sheet, dict[PostingKey, int]]:
    """A month computed again: its basis, its lines as a sheet, and what must stand in it."""
    basis = basis_at(store, period, versions)
    store.lake.verify(basis.snapshot)
    made = charged(store, basis)
    with store.read() as tx:
        actuals = pool_actuals(tx, str(period), versions.pools)
    wanted = targets(allocate(month_of(basis, made.lines, actuals, made.uses)), basis)
    sheet = Sheet(str(period), 0, versions, made.lines, made.uses)
    events = basis.versions.events
    sheet = replace(sheet, versions=replace(versions, events=events))
    return basis, sheet, {key: nano for key, nano in wanted.items() if nano}


def _adjustment(
    store: Store,
    close: RecordedAct,
    period: str,
    spans: tuple[Span, ...],
    told: Mapping[PostingKey, int],
) -> Adjustment:
    """What late usage of another period moved, after minus before, and what else is about it.

    A true-up or an adjusting entry does not come from events, so the journal is asked for it.
    """
    held: dict[PostingKey, int] = defaultdict(int)
    held |= {key: nano for key, nano in told.items() if key.service_period == period}
    changes: list[Change] = []
    last: Versions | None = None
    for span in spans:
        before, after = (_of_sheet(store, period, number) for number in span)
        changes.append((before[0].lines, after[0].lines))
        for sign, made in ((-1, before[1]), (1, after[1])):
            for key, nano in made.items():
                held[key] += sign * nano
        last = after[0].versions
    with store.read() as tx:
        if last is None:
            last = versions_as_of(tx, period, close.recorded_us)
            assert last is not None, "a month that something posts about has a cost sheet"
        books, policy = books_at(tx, Period.parse(period), last)
        version = version_at(tx, period, close.seq)
    return Adjustment(
        period=period,
        version=version,
        policy=policy,
        unowned=books.org.unowned_team,
        changes=tuple(changes),
        held={key: nano for key, nano in held.items() if nano},
    )


def _of_sheet(store: Store, period: str, number: int) -> tuple[Sheet, Mapping[PostingKey, int]]:
    with store.read() as tx:
        sheet = sheet_at(tx, period, number)
    if sheet is None:
        raise CorruptedError(f"cost sheet {number} of {period} is gone", where="sheet")
    _, again, held = _month(store, Period.parse(period), sheet.versions)
    return again, held


def first_difference(issued: object, made: object, path: str = "") -> str:
    """Where two JSON values first differ, and how; empty if they do not."""
    if isinstance(issued, dict) and isinstance(made, dict):
        for name in sorted(issued.keys() | made.keys()):
            inner = f"{path}.{name}".removeprefix(".")
            if found := first_difference(issued.get(name), made.get(name), inner):
                return found
        return ""
    if isinstance(issued, list) and isinstance(made, list):
        for place, (one, other) in enumerate(zip_longest(issued, made)):
            if found := first_difference(one, other, f"{path}[{place}]"):
                return found
        return ""
    return "" if issued == made else f"{path}: issued {issued!r}, rebuilt {made!r}"
