"""The cost sheet: a period's attributed lines as one frozen record.

The ledger keeps summed amounts; the sheet keeps the quantities and states behind them. It is made
again from sealed events and the versions that it names, and `explain` proves that it agrees.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from tallybook.allocate.model import CostCell
from tallybook.attribute.model import (
    AttributedLine,
    Attribution,
    Invocation,
    Joint,
    Owner,
    Payer,
    TransferUse,
)
from tallybook.attribute.transfer import transferred
from tallybook.errors import CorruptedError
from tallybook.money import cumulative_nano
from tallybook.store import Tx, canonical_json

CellKey = tuple[str, str, str, str, str, str, str, bool, str, str]
"""provider, team, feature, purpose, kind, service, executor, fallback, origin, transfer"""

_owner_values = attrgetter("team", "feature", "purpose", "kind", "service", "executor", "rule")
_payer_values = attrgetter("team", "feature", "service", "transfer", "weight")
_joint_values = attrgetter("service", "team", "purposes", "users_of", "by")
_PLAIN: Final = 16
"""The values of a line in which nothing was transferred."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What a run was made from; an entry names them all.

    ``pools`` is the number of the last amount that was entered for a cost pool of the period.
    ``late`` says which late usage of closed periods was posted into the period, as
    `tallybook.post.late.Ranges` spells it; empty means none.
    ``decisions`` is the number of the last decision about a budget of the period that the run knew,
    0 if there was none; -1 means that the period has no budget, or that the run knew of no
    decisions. ``notices`` is the same of what was refused, throttled or warned of.
    """

    manifest: int
    events: str
    prices: str
    policy: int
    org: int
    budgets: int
    pools: int
    code: str
    late: str = ""
    decisions: int = -1
    notices: int = -1

    def as_dict(self) -> dict[str, str | int]:
        """Plain values by name, without those that say that there is nothing to say."""
        nothing = {"late": "", "decisions": -1, "notices": -1}
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value != nothing.get(name)}

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Versions:
        """The versions that an entry, an act or a sheet names."""
        names = cls.__slots__
        return cls(**{k: v for k, v in values.items() if k in names})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The attributed lines of a period, as the latest run saw them.

    ``lines`` have one payer each and ``uses`` is what is owed at transfer prices; both are made of
    ``sums``, which is what the sheet keeps.
    """

    period: str
    number: int
    versions: Versions
    lines: tuple[AttributedLine, ...]
    uses: tuple[TransferUse, ...] = ()
    sums: Attribution = field(default=Attribution(()), repr=False)

    @classmethod
    def of(cls, period: str, number: int, versions: Versions, sums: Attribution) -> Sheet:
        """The sheet of a month as it adds up."""
        made = transferred(sums)
        return cls(period, number, versions, made.lines, made.uses, sums)


def cost_cells(lines: Iterable[AttributedLine]) -> tuple[CostCell, ...]:
    """Sum lines to the ledger's grain and cross from pico to nano, once.

    Amounts round cumulatively along the sorted cells of each provider, for the card and for the
    variance, so that each account's total is off its exact value by half a nano at most.
    """
    sums: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for line in lines:
        held = sums[cell_key(line)]
        held[0] += line.calls
        held[1] += line.tokens
        held[2] += line.card_pico
        held[3] += line.contract_pico
    cells: list[CostCell] = []
    for _, group in groupby(sorted(sums.items()), key=lambda cell: cell[0][0]):
        of_provider = list(group)
        card_nano = cumulative_nano([card for _, (_, _, card, _) in of_provider])
        variance_nano = cumulative_nano(
            [contract - card for _, (_, _, card, contract) in of_provider]
        )
        cells += [
            CostCell(*key[:8], calls, tokens, card, debit, variance, *key[8:])
            for (key, (calls, tokens, card, _)), debit, variance in zip(
                of_provider, card_nano, variance_nano, strict=True
            )
        ]
    return tuple(cells)


def cell_key(line: AttributedLine) -> CellKey:
    """The grain of the ledger that a line belongs to."""
    o = line.owner
    return (
        line.provider, o.team, o.feature, o.purpose, o.kind, o.service, o.executor, o.is_fallback,
        o.origin, o.transfer,
    )  # fmt: skip


def body_of(sums: Attribution) -> str:
    """The canonical text of a month as it adds up."""
    lines = [_line_values(line) for line in sums.lines]
    if not sums.invocations:
        return canonical_json(lines)
    invocations = [_invocation_values(one) for one in sums.invocations]
    return canonical_json({"lines": lines, "invocations": invocations})


def sums_of(body: str) -> Attribution:
    """What a canonical text says, also one of a sheet from before there were transfers."""
    held = json.loads(body)
    if isinstance(held, list):
        held = {"lines": held, "invocations": []}
    return Attribution(
        tuple(_line_of(values) for values in held["lines"]),
        tuple(_invocation_of(values) for values in held["invocations"]),
    )


def _line_values(line: AttributedLine) -> list[object]:
    """A line as a list; what came with transfers stands at its end, where it says something."""
    o = line.owner
    values: list[object] = [
        line.provider,
        *_owner_values(o),
        line.state,
        line.unpriced,
        line.calls,
        line.tokens,
        line.list_pico,
        line.contract_pico,
        line.card_pico,
        dict(line.units),
    ]
    joint = _joint_values(line.joint) if line.joint else None
    payers = [_payer_values(payer) for payer in line.payers]
    graph = [o.origin, o.origin_feature, o.transfer, payers, joint]
    if line.capacity:
        return [*values, *graph, line.capacity]
    return [*values, *graph] if any(graph) else values


def _invocation_values(one: Invocation) -> list[object]:
    payers = [_payer_values(payer) for payer in one.payers]
    return [
        one.service, one.executor, one.origin, one.origin_feature, one.purpose, payers,
        one.price_nano, one.per, one.calls, one.outcomes, one.tokens,
    ]  # fmt: skip


def _line_of(values: Sequence[Any]) -> AttributedLine:
    line = AttributedLine(values[0], Owner(*values[1:8]), *values[8:16])
    if len(values) == _PLAIN:
        return line
    origin, origin_feature, transfer, payers, joint, *capacity = values[_PLAIN:]
    return replace(
        line,
        owner=replace(line.owner, origin=origin, origin_feature=origin_feature, transfer=transfer),
        payers=tuple(Payer(*payer) for payer in payers),
        joint=_joint_of(*joint) if joint else None,
        capacity=capacity[0] if capacity else "",
    )


def _joint_of(service: str, team: str, purposes: list[str], users_of: str, by: str) -> Joint:
    return Joint(service, team, tuple(purposes), users_of, by)


def _invocation_of(values: Sequence[Any]) -> Invocation:
    made = Invocation(*values)
    return replace(made, payers=tuple(Payer(*payer) for payer in values[5]))


def latest_sheet(tx: Tx, period: str) -> Sheet | None:
    """The sheet of the latest run of a period."""
    return sheet_at(tx, period, 0)


def sheet_at(tx: Tx, period: str, number: int) -> Sheet | None:
    """A period's sheet of a number; of 0, the latest.

    Raises:
        CorruptedError: it is not what was written.
    """
    row = tx.row(
        "SELECT number, versions, body, sha256 FROM sheet WHERE period = :period"
        " AND (:number = 0 OR number = :number) ORDER BY number DESC",
        period=period,
        number=number,
    )
    if row is None:
        return None
    if sha256(row.body.encode()).hexdigest() != row.sha256:
        raise CorruptedError(
            f"cost sheet {row.number} of {period} is not what was written",
            where="sheet",
            next_step="restore the book from a backup, then run: tallybook verify",
        )
    versions = Versions.of(json.loads(row.versions))
    return Sheet.of(period, int(row.number), versions, sums_of(row.body))


def grounded_sheet(tx: Tx, period: str) -> tuple[Sheet, str] | None:
    """The latest sheet with the digest of its ground; None without either.

    Raises:
        CorruptedError: it is not what was written.
    """
    sheet = latest_sheet(tx, period)
    if sheet is None:
        return None
    digest = tx.scalar(
        "SELECT digest FROM ground WHERE period = :period AND number = :number",
        period=period,
        number=sheet.number,
    )
    return (sheet, str(digest)) if digest else None


def sheet_versions(tx: Tx, period: str) -> tuple[int, Versions] | None:
    """Number and versions of the latest sheet, without its lines."""
    row = tx.row(
        "SELECT number, versions FROM sheet WHERE period = :period ORDER BY number DESC",
        period=period,
    )
    return (int(row.number), Versions.of(json.loads(row.versions))) if row else None


def versions_as_of(tx: Tx, period: str, at_us: int) -> Versions | None:
    """The versions of the sheet that was a period's latest at an instant."""
    found = tx.scalar(
        "SELECT versions FROM sheet WHERE period = :period AND at_us <= :at_us"
        " ORDER BY number DESC LIMIT 1",
        period=period,
        at_us=at_us,
    )
    return Versions.of(json.loads(str(found))) if found else None


def sheet_number(tx: Tx, period: str, versions: Mapping[str, object]) -> int:
    """The number of the sheet that an act's versions name; 0 if there is none."""
    found = tx.scalar(
        "SELECT MAX(number) FROM sheet WHERE period = :period AND versions = :versions",
        period=period,
        versions=canonical_json(dict(versions)),
    )
    return int(found or 0)


def save_sheet(
    tx: Tx,
    period: str,
    versions: Versions,
    sums: Attribution,
    now_us: int,
    ground: str,
) -> int:
    """Keep a sheet, unless the latest says the same under the same versions; returns its number.

    ``ground`` is the digest of what decided the lines but the events; it is no part of the sheet.
    """
    number = _kept(tx, period, versions, body_of(sums), now_us)
    tx.run(
        "INSERT INTO ground (period, number, digest) VALUES (:period, :number, :digest)"
        " ON CONFLICT (period, number) DO UPDATE SET digest = :digest",
        period=period,
        number=number,
        digest=ground,
    )
    return number


def _kept(tx: Tx, period: str, versions: Versions, body: str, now_us: int) -> int:
    digest = sha256(body.encode()).hexdigest()
    text = canonical_json(versions.as_dict())
    held = tx.row(
        "SELECT number, sha256, versions FROM sheet WHERE period = :period ORDER BY number DESC",
        period=period,
    )
    if held and held.sha256 == digest and held.versions == text:
        return int(held.number)
    number = int(held.number) + 1 if held else 1
    tx.run(
        "INSERT INTO sheet (period, number, manifest, versions, body, sha256, at_us)"
        " VALUES (:period, :number, :manifest, :versions, :body, :sha256, :at_us)",
        period=period,
        number=number,
        manifest=versions.manifest,
        versions=text,
        body=body,
        sha256=digest,
        at_us=now_us,
    )
    return number
