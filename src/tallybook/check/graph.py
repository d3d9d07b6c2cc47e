"""INV-11: attribution conserves over the call graph, per trace and per month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tallybook.attribute.lines import decided_groups, sums_of
from tallybook.attribute.model import AttributedLine, Attribution, Transferred
from tallybook.attribute.transfer import transferred
from tallybook.check.model import Finding, finding
from tallybook.check.months import sheets_again
from tallybook.post.basis import Basis
from tallybook.post.compute import graph_session, metering_of, placed_in, price_rows
from tallybook.rate.rating import CORRECTIONS, rate_events
from tallybook.store import Store, sql_text
from tallybook.store.lake import Session

Figures = tuple[int, int, int, int, int]
"""calls, tokens, and the amounts at list, contract and card, in pico"""


def graph_conserves(store: Store) -> Finding:
    """INV-11: the cuts by origin, executor and payer tie; each call stands once in its trace."""
    faults, examined, nodes, odd = [], 0, 0, 0
    for sheet, basis, _ in sheets_again(store):
        rows = price_rows(basis)
        metering = metering_of(basis)
        with graph_session(store, basis) as session:
            placed, paths, walked = placed_in(session, basis, metering)
            if walked:
                nodes, odd = nodes + walked.nodes, odd + walked.one_by_one
                faults += _misplaced(session, basis)
            rate_events(session, placed, rows)
            decisions = decided_groups(session, placed, paths)
            sums = sums_of(session, placed, paths, decisions, walked)
            whole = _as_metered(session, basis)
        made = transferred(sums)
        examined += sum(line.calls for line in sums.lines)
        faults += [f"{sheet.period}: {what}" for what in untied(sums, made, whole)]
    detail = f"{nodes} nodes of traces, {odd} of them in traces that loop"
    return finding("INV-11", examined, faults, detail)


def untied(sums: Attribution, made: Transferred, whole: Figures) -> Iterator[str]:
    """What does not tie in a month.

    Args:
        sums: the month as it adds up.
        made: the same with each payer's part.
        whole: all that its events come to, summed without any owner.
    """
    for name, lines in (("started", sums.lines), ("charged", made.lines)):
        found = _total(lines)
        if found != whole:
            yield f"what is {name} comes to {found}, the events to {whole}"
    for provider, state in sorted({(line.provider, line.state) for line in sums.lines}):
        parts = [
            _total(line for line in lines if (line.provider, line.state) == (provider, state))
            for lines in (sums.lines, made.lines)
        ]
        if parts[0] != parts[1]:
            yield f"{provider} ({state}): payers bear {parts[1]} of {parts[0]}"
    for cut in ("team", "feature"):
        by_origin = _cut(sums.lines, cut), _cut(made.lines, cut)
        if by_origin[0] != by_origin[1]:
            yield f"by {cut} of who started it: {by_origin[1]}, before transfers {by_origin[0]}"
    if _executed(sums.lines) != _executed(made.lines):
        yield "who ran it comes to something else with each payer's part"
    owed = sum(one.amount_nano for one in made.uses)
    priced = sum(
        one.price_nano * (one.outcomes if one.per == "outcome" else one.calls)
        for one in sums.invocations
        if one.per and all(payer.team != one.executor for payer in one.payers)
    )
    shared = any(payer.team == one.executor for one in sums.invocations for payer in one.payers)
    if owed != priced and not shared:
        yield f"transfer prices come to {owed} nano, their uses to {priced}"


def _misplaced(session: Session, basis: Basis) -> list[str]:
    """Calls of walked traces that stand nowhere or twice."""
    corrections = CORRECTIONS if basis.corrections.files else ""
    statement = sql_text(__package__, "misplaced").format(corrections=corrections)
    rows = session.rows(statement, {"start_us": basis.start_us, "end_us": basis.end_us})
    return [
        f"{basis.period}: {calls} calls of trace {trace} stand {places} times"
        for trace, calls, places in rows
    ]


def _as_metered(session: Session, basis: Basis) -> Figures:
    """All that a period's events come to, without any owner."""
    rate_events(session, replace(metering_of(basis), carried=()), price_rows(basis))
    sums = session.rows(sql_text(__package__, "metered_whole"))[0]
    calls, tokens, list_pico, contract_pico, card_pico = (int(str(one or 0)) for one in sums)
    return calls, tokens, list_pico, contract_pico, card_pico


def _total(lines: Iterator[AttributedLine] | tuple[AttributedLine, ...]) -> Figures:
    held = list(lines)
    return (
        sum(line.calls for line in held),
        sum(line.tokens for line in held),
        sum(line.list_pico for line in held),
        sum(line.contract_pico for line in held),
        sum(line.card_pico for line in held),
    )


def _cut(lines: tuple[AttributedLine, ...], by: str) -> dict[str, int]:
    """Cost at contract by who started it."""
    place = 0 if by == "team" else 1
    found: dict[str, int] = {}
    for line in lines:
        name = line.owner.started_by[place]
        found[name] = found.get(name, 0) + line.contract_pico
    return {name: pico for name, pico in found.items() if pico}


def _executed(lines: tuple[AttributedLine, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        found[line.owner.executor] = found.get(line.owner.executor, 0) + line.contract_pico
    return {name: pico for name, pico in found.items() if pico}
