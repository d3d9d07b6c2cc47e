"""Traces as plain rows, what the engine makes of them, and the same found naively, call by call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import duckdb
import pyarrow as pa

from tallybook.attribute.behalf import Behalf
from tallybook.attribute.lines import paths_of
from tallybook.attribute.owner import carried_fields
from tallybook.attribute.walk import Walk, walk
from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.books.model import Org
from tallybook.rate.rating import Metering
from tallybook.store.events import INBOX_SCHEMA, TEXT, WHOLE
from tallybook.store.lake import DuckSession

START_US, END_US = 1_000, 2_000
_ROW_AT = pa.field("row_at", pa.int64())


@dataclass(frozen=True)
class Row:
    """A row of a trace; ``bills`` is false for a step that an agent or a tool is.

    ``teller`` told of the customer where several sources were merged.
    """

    id: str
    trace: str = "t"
    span: str = ""
    parent: str = ""
    started: int = START_US
    bills: bool = True
    team: str = ""
    feature: str = ""
    purpose: str = ""
    key: str = ""
    service: str = ""
    source: str = "otel"
    status: str = "ok"
    role: str = "span"
    customer: str = ""
    teller: str = ""


def opened(rows: list[Row], elsewhere: list[Row] = ()) -> DuckSession:
    """An engine with these rows as a month's events and what lies beside them."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET threads = 1")
    tables = {
        "events": ([row for row in rows if row.bills], None, 0),
        "beside": ([row for row in rows if not row.bills], None, 10**6),
    }
    beside = _table([row for row in rows if not row.bills], 10**6)
    others = _table(elsewhere, 10**7, role="elsewhere")
    connection.register("beside", pa.concat_tables([beside, others]))
    connection.register("events", _table(tables["events"][0], 0).drop_columns("role"))
    connection.register("corrections", _table([], 0))
    return DuckSession(connection, "test")


def _table(rows, first: int, role: str = "") -> pa.Table:
    blank = dict.fromkeys(TEXT, "") | dict.fromkeys((*WHOLE, *TOKEN_CLASSES), 0)
    blank |= dict.fromkeys(TOKEN_CLASSES_INFORMATIVE, 0)
    blank |= dict.fromkeys(("ended_us", "output_delivered", "attempt", "latency_ms", "ttft_ms"))
    blank |= {"units": [], "labels": [], "record": b"r" * 16}
    made = [
        blank
        | {
            "key": row.id.encode().rjust(16, b"0")[:16],
            "event_id": row.id,
            "source": row.source,
            "trace_id": row.trace,
            "span_id": row.span,
            "parent_span_id": row.parent,
            "started_us": row.started,
            "team": row.team,
            "feature": row.feature,
            "purpose": row.purpose,
            "key_id": row.key,
            "service": row.service,
            "status": row.status,
            "customer": row.customer,
            "labels": [("tags_from.customer", row.teller)] if row.teller else [],
            "role": role or row.role,
            "row_at": first + number,
        }
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(made, INBOX_SCHEMA.append(_ROW_AT))


def metering_for(org: Org, epochs: tuple[int, ...] = ()) -> Metering:
    return Metering(START_US, END_US, carried_fields(org), epochs, (), has_corrections=False)


@dataclass(frozen=True)
class Stand:
    """Where a call stands: who started it, who ran it, who pays which part, whether it is joint."""

    origin: tuple[str, str]
    purpose: str
    executor: str
    payers: tuple[tuple[str, str, Fraction], ...]
    joint: str = ""


def stands(
    org: Org, rows: list[Row], elsewhere: list[Row] = (), epochs: tuple[int, ...] = ()
) -> tuple[dict[str, Stand], Walk]:
    """What the engine finds, by call."""
    metering = metering_for(org, epochs)
    paths = paths_of(metering, org)
    session = opened(rows, list(elsewhere))
    walked = walk(session, metering, paths)
    placed = dict(
        session.rows(
            "SELECT e.event_id, p.place FROM events e JOIN placed p ON e.row_at = p.row_at"
        )
    )
    found = {}
    for row in rows:
        if not row.bills:
            continue
        if row.id in placed:
            decision = paths.decisions[placed[row.id]]
        else:
            epoch = sum(row.started >= at for at in epochs)
            decision = paths.decision(*paths.alone(_carried(org, row)), epoch)
        found[row.id] = _stand(decision)
    return found, walked


def whom(org: Org, rows: list[Row], elsewhere: list[Row] = (), epochs: tuple[int, ...] = ()):
    """For which customer the engine finds that each call was made."""
    metering = metering_for(org, epochs)
    paths = paths_of(metering, org)
    session = opened(rows, list(elsewhere))
    behalf = Behalf(session, paths, "customer")
    walk(session, metering, paths, behalf)
    return dict(
        session.rows(
            "SELECT e.event_id, COALESCE(b.said, '') FROM events e JOIN placed p"
            " ON e.row_at = p.row_at LEFT JOIN behalf b ON p.behalf = b.number"
        )
    )


def _carried(org: Org, row: Row) -> dict[str, str]:
    said = {"team": row.team, "feature": row.feature, "purpose": row.purpose}
    said |= {"key_id": row.key, "service": row.service, "source": row.source}
    return {name: said.get(name, "") for name in carried_fields(org)}


def _stand(decision) -> Stand:
    owner = decision.owner
    origin = owner.started_by
    weights = sum(payer.weight for payer in decision.payers)
    parts = {(owner.team, owner.feature): Fraction(1)}
    if decision.payers:
        parts = {}
        for payer in decision.payers:
            who = (payer.team, payer.feature)
            parts[who] = parts.get(who, 0) + Fraction(payer.weight, weights)
    return Stand(
        origin,
        owner.purpose,
        owner.executor,
        tuple(sorted((*who, part) for who, part in parts.items())),
        decision.joint.service if decision.joint else "",
    )


def naively(org: Org, rows: list[Row], elsewhere: list[Row] = ()) -> dict[str, Stand]:
    """The rules of docs/call_graph.md, call by call, with fractions; of a chart that never changes."""
    return {row.id: _paid(org, path) for row, path in paths_down_to(rows, elsewhere)}


def paths_down_to(rows: list[Row], elsewhere: list[Row] = ()) -> Iterator[tuple[Row, list[Row]]]:
    """Each call with the path from the root down to it."""
    for trace in {row.trace for row in rows}:
        mine = [row for row in (*rows, *elsewhere) if row.trace == trace]
        parents = _parents(mine) if trace else dict.fromkeys(mine)
        for row in mine:
            if row.bills and row in rows:
                path = [row]
                while parents[path[0]] is not None:
                    path.insert(0, parents[path[0]])
                yield row, path


def _parents(rows: list[Row]) -> dict[Row, Row | None]:
    rank = {"sdk": 2, "otel": 3}
    first: dict[str, Row] = {}
    for row in sorted(
        rows,
        key=lambda row: (not row.bills, rank.get(row.source, 1), row.started, row.parent, row.id),
    ):
        if row.span:
            first.setdefault(row.span, row)
    rows = [row for row in rows if row.bills or first.get(row.span) is row]
    parents: dict[Row, Row | None] = {}
    for row in rows:
        parents[row] = first.get(row.parent) if row.parent and row.parent != row.span else None
    roots = {
        row for row in rows
        if first.get(row.span) is row and (not row.parent or row.parent == row.span)
    }  # fmt: skip
    for row in rows:
        path = [row]
        while (above := parents[path[-1]]) is not None and above not in path:
            path.append(above)
        if above is not None:
            cycle = path[path.index(above) :]
            top = min(cycle, key=lambda one: (one.started, one.span))
            parents[top] = None
            roots.add(top)
    orphans = [r for r in rows if r.parent and r.parent != r.span and r.parent not in first]
    adrift = [r for r in rows if not r.parent and not r.span]
    if len(roots) == 1:
        parents |= dict.fromkeys((*orphans, *adrift), next(iter(roots)))
    elif not roots and len(orphans) == 1:
        parents |= dict.fromkeys(adrift, orphans[0])
    return parents


def _paid(org: Org, path: list[Row]) -> Stand:
    teams = {team.id for team in org.teams}
    features = {feature.id: feature.team for feature in org.features}
    keys = {key.id: key for key in org.keys}
    services = {service.id: service for service in org.services}

    def named(row: Row) -> tuple[str, str, str]:
        key = keys.get(row.key)
        claims = [
            (features.get(row.feature, row.team if row.team in teams else ""),
             row.feature if row.feature in features else "", row.purpose),
            (features.get(key.feature, key.team), key.feature, key.purpose) if key else ("", "", ""),
        ]  # fmt: skip
        team = next((claim[0] for claim in claims if claim[0]), "")
        feature = next((claim[1] for claim in claims if claim[0] == team and claim[1]), "")
        return team, feature, next((claim[2] for claim in claims if claim[2]), "")

    said = [named(row) for row in path]
    known = [services[row.service] for row in path if row.service in services]
    invoked = [s for i, s in enumerate(known) if i == 0 or known[i - 1].id != s.id]
    starter = next((one for one in said if one[0]), None)
    team, feature, purpose = starter or ("", "", "")
    if not starter:
        team = invoked[0].team if invoked else org.unowned_team
    purpose = purpose or next((one[2] for one in said if one[2]), "untagged")
    executor = invoked[-1].team if invoked else team
    last = invoked[-1] if invoked else None
    if last and last.joint and last.team == team and purpose in last.joint.purposes:
        return Stand((team, feature), purpose, executor, ((team, feature, Fraction(1)),), last.id)
    parts: dict[tuple[str, str], Fraction] = {}
    left = Fraction(1)
    for i in reversed(range(len(invoked))):
        service, caller = invoked[i], invoked[i - 1].team if i else team
        if service.team == caller or service.transfer == "caller_pays":
            continue
        share = Fraction(1)
        if service.transfer == "split":
            share = Fraction(service.callee_weight, service.callee_weight + service.caller_weight)
        who = (service.team, service.feature)
        parts[who] = parts.get(who, Fraction(0)) + left * share
        left -= left * share
    parts[team, feature] = parts.get((team, feature), Fraction(0)) + left
    held = tuple(sorted((*who, part) for who, part in parts.items() if part))
    return Stand((team, feature), purpose, executor, held)
