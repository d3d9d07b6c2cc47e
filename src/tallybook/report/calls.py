"""The calls behind a line: found in the sealed events, counted, summed, and a sample of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from tallybook.attribute.lines import decide_all
from tallybook.attribute.model import AttributedLine, Owner
from tallybook.attribute.path import Decision
from tallybook.books.meters import TOKEN_CLASSES
from tallybook.post.basis import Basis
from tallybook.post.compute import graph_session, metering_of, placed_in, price_rows
from tallybook.rate.rating import (
    CORRECTIONS,
    PLACED,
    PRICE_JOIN,
    Metering,
    carried_sql,
    event_amount_sql,
    field_sql,
    open_prices,
    unpriced_sql,
)
from tallybook.store import Store, sql_text
from tallybook.store.lake import ColumnType, Session


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the sample. Amounts are pico; an unpriced call has none.

    ``decision`` says who started it, who ran it and who pays.
    """

    source: str
    event_id: str
    started_us: int
    provider: str
    model: str
    tokens: int
    card_pico: int
    contract_pico: int
    unpriced: bool
    decision: Decision


@dataclass(frozen=True, slots=True)
class Calls:
    """All calls behind a line: how many, their exact sums, and the dearest of them."""

    count: int
    tokens: int
    card_pico: int
    contract_pico: int
    sample: tuple[Call, ...]


_NEEDED = (
    "source", "event_id", "started_us", "provider", "model", "tier", "region", "context_tokens",
    "total_tokens", "status", "units",
)  # fmt: skip

_LISTED_MAX = 20
"""A longer list of values costs more to test than the join that follows."""

NO_CALLS = Calls(0, 0, 0, 0, ())


def find_calls(
    store: Store,
    basis: Basis,
    lines: Collection[AttributedLine],
    sample: int,
) -> Calls:
    """Scan a basis's events for the calls behind some lines.

    Args:
        store: open books.
        basis: the versions under which the calls were rated and attributed.
        lines: as they add up, before payers have their parts; none gives no calls.
        sample: how many calls to return, the dearest first.
    """
    if not lines:
        return NO_CALLS
    uses = {(Decision(line.owner, line.payers, line.joint), line.provider) for line in lines}
    tagged = _tagged({decision.owner for decision, _ in uses})
    with graph_session(store, basis) as session:
        metering, paths, _ = placed_in(session, basis, _touching(session, basis, tagged))
        shape = _shape(metering, tagged)
        if shape["events"] == "narrow":
            session.run(sql_text(__package__, "call_narrow").format(**shape), _bounds(basis))
        combos = session.rows(sql_text(__package__, "call_combos").format(**shape), _bounds(basis))
        numbered = [(number, *row) for number, row in enumerate(combos)]
        decisions, decided = decide_all(metering, paths, numbered)
        providers: dict[Decision, list[str]] = defaultdict(list)
        for decision, provider in sorted(uses, key=itemgetter(1)):
            providers[decision].append(provider)
        wanted = [
            (*combos[number][1:], combos[number][0], provider, at)
            for number, at in decided
            for provider in providers.get(decisions[at], ())
        ]
        _open_wanted(session, metering, wanted)
        meters = open_prices(
            session, metering, rows := price_rows(basis, {name for _, name in uses})
        )
        columns = _columns(meters)
        session.run(
            sql_text(__package__, "calls").format(
                **shape,
                columns=", ".join(f"e.{name}" for name in columns),
                found=", ".join(f"k.{name}" for name in columns),
                same=" AND ".join(f"k.{name} = w.{name}" for name in metering.columns),
                narrowed=_narrowed(metering, wanted),
                corrections=CORRECTIONS if metering.has_corrections else "",
                price_join=PRICE_JOIN,
                unpriced=unpriced_sql(meters, rows),
                card=event_amount_sql("card", meters),
                contract=event_amount_sql("contract", meters),
            ),
            _bounds(basis),
        )
        count, tokens, card, contract = session.rows(
            "SELECT COUNT(*), COALESCE(SUM(tokens), 0), COALESCE(SUM(card_pico), 0),"
            " COALESCE(SUM(contract_pico), 0) FROM calls"
        )[0]
        dearest = session.rows(
            "SELECT source, event_id, started_us, provider, model, tokens, card_pico,"
            " contract_pico, unpriced, decided FROM calls"
            " ORDER BY card_pico DESC, started_us, source, event_id LIMIT $most",
            {"most": sample},
        )
    shown = tuple(_call(row, decisions) for row in dearest)
    return Calls(int(count), int(tokens), int(card), int(contract), shown)


def _call(row: Sequence[Any], decisions: Sequence[Decision]) -> Call:
    source, event_id, started_us, provider, model, tokens, card, contract, unpriced, at = row
    return Call(
        source, event_id, started_us, provider, model, tokens, card, contract, unpriced,
        decisions[int(at)],
    )  # fmt: skip


def _open_wanted(session: Session, metering: Metering, wanted: Sequence[Sequence[object]]) -> None:
    """The table of what wanted calls carry, or where they stand, with the decision's number."""
    types: dict[str, ColumnType] = dict.fromkeys(metering.columns, "text")
    if metering.placed:
        types[metering.columns[-1]] = "whole"
    session.table(
        "wanted", {**types, "epoch": "whole", "provider": "text", "decided": "whole"}, wanted
    )


def _touching(session: Session, basis: Basis, tagged: str) -> Metering:
    """How the calls are grouped; where tags tell them, only the traces of tagged rows are walked.

    Whom a tag names is named somewhere in the trace, so no other trace can hold a wanted call.
    """
    metering = metering_of(basis)
    if basis.beside is None or not tagged:
        return metering
    session.run(sql_text(__package__, "call_traces").format(tagged=tagged))
    return replace(metering, only_touched=True)


def _shape(metering: Metering, tagged: str) -> Mapping[str, str]:
    if metering.only_touched:
        tagged = f"AND ({tagged} OR e.trace_id IN (SELECT trace_id FROM touched))"
    elif metering.placed:
        tagged = ""  # what stands in a tree is decided by others' tags too
    elif tagged:
        tagged = f"AND ({tagged})"
    kept = {*_NEEDED, *_classes(metering.meters), *map(_column, metering.carried)}
    return {
        "tagged": tagged,
        "events": "narrow" if tagged and not metering.placed else "events",
        "kept": ", ".join(f'e."{name}"' for name in sorted(kept)),
        "carried": carried_sql(metering),
        "names": ", ".join(metering.columns),
        "placed": PLACED if metering.placed else "",
    }


def _tagged(owners: Collection[Owner]) -> str:
    """What calls must carry if a tag decided all of their owners; nothing if anything else did."""
    if not all(owner.rule.startswith("tag:") for owner in owners):
        return ""
    by_feature = {owner.started_by[1] for owner in owners if owner.rule == "tag:feature"}
    by_team = {owner.started_by[0] for owner in owners if owner.rule != "tag:feature"}
    conditions = [_among("e.feature", by_feature), _among("e.team", by_team)]
    return " OR ".join(condition for condition in conditions if condition)


def _among(field: str, values: Collection[str]) -> str:
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values))
    return f"{field} IN ({listed})" if listed else ""


def _narrowed(metering: Metering, wanted: Sequence[Sequence[object]]) -> str:
    """Conditions that the join implies and the reader of the files can use before decoding."""
    at_provider = len(metering.columns) + 1  # the epoch stands between, as a number
    columns = {at_provider: "e.provider"}
    if not metering.placed:
        columns |= {i: field_sql(field) for i, field in enumerate(metering.carried)}
    conditions = []
    for column, field in columns.items():
        values = {str(row[column]) for row in wanted}
        if 0 < len(values) <= _LISTED_MAX:
            conditions.append(f"AND {_among(field, values)}")
    return "\n    ".join(conditions)


def _columns(meters: Sequence[str]) -> list[str]:
    """What pricing and showing a call needs of it: every further column would cost a scan."""
    return [*_NEEDED, *_classes(meters)]


def _classes(meters: Sequence[str]) -> list[str]:
    return [meter for meter in meters if meter in TOKEN_CLASSES]


def _column(field: str) -> str:
    """The column that a carried field is read from."""
    return "labels" if field.startswith("labels.") else field


def _bounds(basis: Basis) -> dict[str, object]:
    return {"start_us": basis.start_us, "end_us": basis.end_us}
