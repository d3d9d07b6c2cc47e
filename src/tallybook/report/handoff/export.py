"""A period's journals written for an ERP, or neutrally, with their control totals beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallybook.clock import Period
from tallybook.errors import HandoffError
from tallybook.report.handoff.accounts_file import Accounts, read_accounts
from tallybook.report.handoff.chart_file import read_chart
from tallybook.report.handoff.control import control_text, control_totals, neutral_csv
from tallybook.report.handoff.journal import neutral_journal
from tallybook.report.handoff.mapping import load_mapping
from tallybook.report.handoff.render import Rendered, rendered
from tallybook.report.handoff.write import write_all
from tallybook.store import Store


@dataclass(frozen=True, slots=True)
class Order:
    """What to hand over, and in which form.

    Attributes:
        erp: a mapping's id; empty for the neutral form.
        accounts: the accounts file; an ERP's form needs it, and the chart.
        version: of the statements; None means the newest.
        draft: an open period as it stands.
    """

    period: Period
    erp: str = ""
    accounts: Path | None = None
    chart: Path | None = None
    version: int | None = None
    draft: bool = False


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The files by name, and the control totals, which are one of them."""

    files: dict[str, bytes]
    totals: dict[str, Any]

    def write(self, folder: Path) -> list[Path]:
        """Write all files, or none."""
        return write_all(folder, self.files)


def hand_over(store: Store, order: Order) -> HandedOver:
    """Make the files of an order; nothing is written yet.

    Raises:
        PeriodError: the period is not closed.
        HandoffError: what the ERP would refuse, or a file that an ERP's form needs is not named.
    """
    accounts = _accounts(order)
    unverified: tuple[str, ...] = ()
    if order.erp and (order.accounts is None or order.chart is None):
        raise HandoffError(
            f"{order.erp} needs an accounts file and the chart that it is checked against",
            next_step="name them: --accounts FILE --chart FILE; docs/handoff.md shows both",
        )
    journal = neutral_journal(
        store, order.period, accounts, order.version, draft=order.draft
    )  # fmt: skip
    if order.erp and order.chart is not None:
        mapping = load_mapping(order.erp)
        chart = read_chart(order.chart.read_bytes(), order.chart.name)
        made = rendered(journal, mapping, accounts, chart)
        unverified = mapping.unverified
    else:
        text = neutral_csv(journal, accounts)
        made = Rendered({f"journal-{order.period}.csv": text.encode()}, journal.vouchers)
    totals = control_totals(journal, made.vouchers, made.files, unverified)
    name = f"{order.erp or 'journal'}-{order.period}.control.json"
    return HandedOver({**made.files, name: control_text(totals).encode()}, totals)


def _accounts(order: Order) -> Accounts:
    if order.accounts is None:
        return Accounts()
    return read_accounts(order.accounts.read_bytes(), order.accounts.name)
