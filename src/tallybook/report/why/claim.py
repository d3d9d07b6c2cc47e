"""A rival figure from what its file says and what was said beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallybook.clock import Period
from tallybook.clock.period import parse_date
from tallybook.errors import ClockError, WrongUsageError
from tallybook.meter.providers import provider_of
from tallybook.report.why.model import BASES, DIMENSIONS, Basis, Claim, ClaimRow
from tallybook.report.why.read import RivalFile, one_figure, read_rival

SCOPES: Final = tuple(name for name in DIMENSIONS if name not in ("day", "class"))
_MONTH_LENGTH: Final = len("2026-10")


@dataclass(frozen=True, slots=True)
class Beside:
    """What is said beside a figure; empty means that nobody said.

    Args:
        scope: pairs of a dimension and a value.
        zone: the time zone of its days.
        first_day: of its days; ``last_day`` included.
        basis: whose calls a team's are to it: ``payer``, ``executor`` or ``origin``.
    """

    scope: Sequence[tuple[str, str]] = ()
    zone: str = ""
    first_day: str = ""
    last_day: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure, the month that it is held against, and what a reader should know of it."""

    claim: Claim
    period: Period
    notes: tuple[str, ...] = field(default=())


def claim_of(told: str, period: Period | None, beside: Beside, zone: str, currency: str) -> Asked:
    """A figure ready to be explained.

    Args:
        told: a file's path, or an amount.
        period: the month, if it was named.
        beside: what was said beside it.
        zone: the company's time zone.
        currency: the books' currency.

    Raises:
        WrongUsageError: it cannot be read, is in another currency, or says no month.
    """
    path = Path(told)
    if path.is_file():
        found = read_rival(path)
    elif any(letter.isdigit() for letter in told) and "." not in path.suffix[2:]:
        found = RivalFile((_figure_or_file(told),), "", in_utc=False, said={})
    else:
        raise _no_file(told)
    if found.currency and found.currency != currency:
        raise WrongUsageError(
            f"it is in {found.currency}, the books are in {currency}",
            where=told,
            next_step=f"give it in {currency}; one rate for a whole file would hide a difference",
        )
    beside = _with_said(beside, found.said, told)
    zone = beside.zone or ("UTC" if found.in_utc else zone)
    _check_zone(zone)
    rows, scope = _alone(found.rows, beside.scope)
    month = period or _month(found.rows, told)
    first, last = _span(found.rows, beside)
    claim = Claim(
        name=path.name if path.is_file() else told,
        rows=rows,
        dimensions=_dimensions(rows),
        scope=_scope(scope),
        zone=zone,
        first_day=first,
        last_day=last,
        basis=_basis(beside.basis),
    )
    return Asked(claim, month, found.notes)


def _figure_or_file(told: str) -> ClaimRow:
    try:
        return one_figure(told, told)
    except WrongUsageError:
        raise _no_file(told) from None


def _no_file(told: str) -> WrongUsageError:
    return WrongUsageError(
        f"{told} is neither a file nor an amount",
        next_step="name a .csv, .xlsx or .json file, or write an amount such as 1204.18",
    )


def _with_said(beside: Beside, said: Mapping[str, Any], where: str) -> Beside:
    """What a figure in JSON says beside its amount, where nothing was said on the command line."""
    scope = list(beside.scope)
    for name in SCOPES:
        values = said.get(f"scope{name}", [])
        scope += [(name, str(v)) for v in (values if isinstance(values, list) else [values])]
    known = {"amount", "currency", "timezone", "from", "to", "by", "period", "name", "day", "month"}
    unknown = [name for name in said if name not in known and not name.startswith("scope")
               and name not in SCOPES and name != "total"]  # fmt: skip
    if unknown:
        raise WrongUsageError(
            f"{where} says {', '.join(sorted(unknown))}, which nothing is known of",
            next_step=f"it may say {', '.join(sorted(known))}, and scope with {', '.join(SCOPES)}",
        )
    return replace(
        beside,
        scope=scope,
        zone=beside.zone or str(said.get("timezone", "")),
        first_day=beside.first_day or str(said.get("from", "")),
        last_day=beside.last_day or str(said.get("to", "")),
        basis=beside.basis or str(said.get("by", "")),
    )


def _alone(
    rows: tuple[ClaimRow, ...], scope: Sequence[tuple[str, str]]
) -> tuple[tuple[ClaimRow, ...], list[tuple[str, str]]]:
    """Of one row alone, what it names is its scope."""
    if len(rows) != 1:
        return rows, list(scope)
    (row,) = rows
    named = [(name, told) for name, told in row.values.items() if name in SCOPES]
    kept = {name: told for name, told in row.values.items() if name == "class"}
    if "day" in row.values and len(row.values["day"]) > _MONTH_LENGTH:
        kept["day"] = row.values["day"]
    return (replace(row, values=kept),), [*scope, *named]


def _dimensions(rows: Sequence[ClaimRow]) -> tuple[str, ...]:
    usage = [row for row in rows if row.kind == "usage"]
    return tuple(name for name in DIMENSIONS if usage and all(name in row.values for row in usage))


def _scope(pairs: Sequence[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, value in pairs:
        if name not in SCOPES:
            raise WrongUsageError(
                f"there is no scope {name!r}", next_step=f"one of: {', '.join(SCOPES)}"
            )
        found.setdefault(name, set()).add(provider_of(value) if name == "provider" else value)
    return {name: frozenset(values) for name, values in found.items()}


def _month(rows: Sequence[ClaimRow], where: str) -> Period:
    """The month that most rows are of."""
    months = Counter(row.values["day"][:_MONTH_LENGTH] for row in rows if "day" in row.values)
    if not months:
        raise WrongUsageError(
            f"{where} names no days, so which month it is of is not known",
            next_step="name the month: tallybook why-different FILE 2026-10",
        )
    return Period.parse(max(sorted(months), key=lambda name: months[name]))


def _span(rows: Sequence[ClaimRow], beside: Beside) -> tuple[str, str]:
    """The first and last day that it speaks for, as it says or as its rows have them."""
    for text in (beside.first_day, beside.last_day):
        if text:
            _check_date(text)
    told = [row.values["day"] for row in rows if row.kind == "usage" and "day" in row.values]
    firsts = [_edge(day, last=False) for day in told]
    lasts = [_edge(day, last=True) for day in told]
    first = beside.first_day or min(firsts, default="")
    last = beside.last_day or max(lasts, default="")
    if bool(first) != bool(last) or first > last:
        raise WrongUsageError(
            f"its days run from {first or 'nowhere'} to {last or 'nowhere'}",
            next_step="give both: --from 2026-10-01 --to 2026-10-31",
        )
    return first, last


def _edge(day: str, *, last: bool) -> str:
    if len(day) > _MONTH_LENGTH:
        return day
    month = Period.parse(day)
    return month.last_day() if last else month.first_day()


def _check_date(text: str) -> None:
    try:
        parse_date(text)
    except ClockError as error:
        raise WrongUsageError(error.what, next_step="write a day as 2026-10-31") from error


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WrongUsageError(
            f"{zone!r} is not a time zone", next_step="write it as Europe/Berlin or UTC"
        ) from error


def _basis(told: str) -> Basis | None:
    if not told:
        return None
    for basis in BASES:
        if told == basis:
            return basis
    raise WrongUsageError(f"there is no {told!r}", next_step=f"one of: {', '.join(BASES)}")
