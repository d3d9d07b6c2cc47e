"""From a variance down to the calls that were metered where it lies."""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.clock import Period
from tallybook.post.breakdown import standing_basis
from tallybook.post.compute import metering_of, price_rows
from tallybook.rate.rating import CORRECTIONS, PRICE_JOIN, event_amount_sql, open_prices
from tallybook.reconcile.model import DAY_US, Variance
from tallybook.store import Store, sql_text

SAMPLE = 10


@dataclass(frozen=True, slots=True)
class VarianceCall:
    """One metered call of the days of a variance; its cost at contract in pico."""

    source: str
    event_id: str
    started_us: int
    model: str
    key_id: str
    tokens: int
    amount_pico: int


def calls_behind(
    store: Store, period: Period, variance: Variance, most: int = SAMPLE
) -> list[VarianceCall]:
    """The dearest calls of the days, model and key of a variance.

    What was never metered has none; then its invoice lines are the evidence.
    """
    basis = standing_basis(store, period)
    metering = metering_of(basis)
    rows = price_rows(basis, {variance.provider})
    days = sorted({(item.day_us, item.day_us + item.days * DAY_US) for item in variance.items})
    with store.lake.session(basis.snapshot, basis.corrections) as session:
        meters = open_prices(session, metering, rows)
        session.table("wanted_days", {"from_us": "whole", "to_us": "whole"}, days)
        found = session.rows(
            sql_text(__package__, "calls").format(
                amount=f"COALESCE({event_amount_sql('contract', meters)}, 0)",
                price_join=PRICE_JOIN,
                corrections=CORRECTIONS if metering.has_corrections else "",
            ),
            {
                "provider": variance.provider,
                "model": variance.model,
                "key": variance.key_id,
                "most": most,
            },
        )
    return [
        VarianceCall(row[0], row[1], int(row[2]), row[3], row[4], int(row[5]), int(row[6]))
        for row in found
    ]
