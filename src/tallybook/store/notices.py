"""What gateways did at limits, kept and read: each notice once, however often it is brought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Row

from tallybook.clock import Period
from tallybook.store.engine import Tx, storable

_COLUMNS: Final = (
    "notice_id", "at_us", "period", "budget", "act", "team", "feature", "key_id", "model",
    "instead", "level", "calls", "estimate_nano", "limit_nano", "spent_nano", "reason",
)  # fmt: skip
_INSERT: Final = (
    f"INSERT INTO budget_notice ({', '.join(_COLUMNS)})"
    f" VALUES ({', '.join('?' * len(_COLUMNS))})"
    " ON CONFLICT (notice_id) DO NOTHING"
)


class Noticed(Protocol):
    """What can be kept: `tallybook.budget.model.Notice` has these, and the other columns."""

    @property
    def notice_id(self) -> str:
        """Made once."""


def put_notices(tx: Tx, notices: Iterable[Noticed]) -> int:
    """Keep those that are not kept yet; how many they were."""
    rows = [tuple(_value(one, name) for name in _COLUMNS) for one in notices]
    return tx.run_tuples(_INSERT, rows)


def _value(one: Noticed, name: str) -> object:
    """What a gateway noted of a call is what the caller wrote: a model's name may be anything."""
    value = getattr(one, name)
    return storable(value) if isinstance(value, str) else value


def notices_of(tx: Tx, period: Period, upto: int | None = None) -> Sequence[Row[Any]]:
    """The notices of a month in the order in which they were kept: ``seq`` and all columns.

    Args:
        tx: a transaction.
        period: which month.
        upto: only those that are numbered up to it; None means all.
    """
    return tx.rows(
        f"SELECT seq, {', '.join(_COLUMNS)} FROM budget_notice WHERE period = :period"
        " AND (:every = 1 OR seq <= :upto) ORDER BY seq",
        period=str(period),
        every=int(upto is None),
        upto=upto or 0,
    )


def notices_upto(tx: Tx, period: Period) -> int:
    """The number of the last notice of a month; 0 without any."""
    last = tx.scalar(
        "SELECT MAX(seq) FROM budget_notice WHERE period = :period", period=str(period)
    )
    return int(last or 0)
