"""A soft-closed month as its cutoff froze it: usage that came since is not in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tallybook.clock import Period
from tallybook.errors import PeriodError, StoreError
from tallybook.ledger.state import RecordedAct, standing_close, standing_cutoff
from tallybook.post.basis import Basis, basis_at
from tallybook.post.sheet import Sheet, Versions, sheet_at, sheet_number
from tallybook.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Frozen:
    """The basis and the cost sheet that the act of a cutoff names."""

    cutoff: RecordedAct
    basis: Basis
    sheet: Sheet

    def require_standing(self, tx: Tx) -> None:
        """Refuse if the month is not soft-closed by this act any more.

        Raises:
            StoreError: it was closed or reopened meanwhile.
        """
        period = self.cutoff.period
        if standing_cutoff(tx, period) != self.cutoff or standing_close(tx, period):
            raise StoreError(
                f"{period} was closed or reopened meanwhile", next_step="run the command again"
            )


def frozen_sheet(tx: Tx, period: str) -> Sheet | None:
    """The cost sheet that stands in a period: of a shut one as the cutoff froze it, else the last.

    None: nothing is booked in it.
    """
    cutoff = standing_cutoff(tx, period)
    return sheet_at(tx, period, sheet_number(tx, period, cutoff.versions) if cutoff else 0)


def frozen_month(store: Store, period: Period) -> Frozen:
    """Read a month that is shut.

    Raises:
        PeriodError: it is open.
    """
    with store.read() as tx:
        cutoff, sheet = standing_cutoff(tx, str(period)), frozen_sheet(tx, str(period))
    if cutoff is None or sheet is None:
        raise PeriodError(f"{period} is open", next_step=f"tallybook run {period}")
    basis = basis_at(store, period, Versions.of(cutoff.versions))
    return Frozen(cutoff, replace(basis, versions=sheet.versions), sheet)
