"""The neutral journal as CSV, and the control totals beside every hand-off."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from tallybook.money import format_cents
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.model import NeutralJournal, Voucher

HEADER = (
    "external_id", "kind", "entity", "date", "reverses_on", "period", "currency", "line",
    "account", "cost_center", "team", "feature", "service_period", "debit", "credit", "text",
)  # fmt: skip


def neutral_csv(journal: NeutralJournal, accounts: Accounts) -> str:
    """One row per line of every voucher, header first; amounts as text with two decimals."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(HEADER)
    for each in journal.vouchers:
        for number, line in enumerate(each.lines, start=1):
            amount = line.amount_cents
            figure = format_cents(abs(amount))
            writer.writerow(
                (
                    each.external_id, each.kind, each.entity, each.date, each.reverses_on,
                    each.period, each.currency, number, accounts.account(line), line.cost_center,
                    line.team, line.feature, line.service_period,
                    figure if amount > 0 else "", figure if amount < 0 else "", line.text,
                )
            )  # fmt: skip
    return page.getvalue()


def control_totals(
    journal: NeutralJournal,
    vouchers: Sequence[Voucher],
    files: Mapping[str, bytes],
    unverified: Sequence[str] = (),
) -> dict[str, Any]:
    """What was handed over, counted and summed, and the tie of the platform's cost center.

    Args:
        journal: the neutral journal.
        vouchers: as they went into the files.
        files: name and content of each.
        unverified: what a template does not vouch for.
    """
    control = journal.control
    stays = control.central_cents - control.rounding_cents
    debit = format_cents(sum(each.debit_cents for each in vouchers))
    return {
        "company": journal.company,
        "ledger": journal.ledger,
        "period": journal.period,
        "statements": f"S-{journal.period} v{journal.version}",
        "status": "draft" if journal.is_draft else "issued",
        "simulated": journal.simulated,
        "accrual": journal.accrual,
        "vouchers": [_voucher(each) for each in vouchers],
        "totals": {
            "vouchers": len(vouchers),
            "lines": sum(len(each.lines) for each in vouchers),
            "debit": debit,
            "credit": debit,
        },
        "platform": {
            "cost_center": journal.platform,
            "held_by_erp": format_cents(control.held_cents),
            "accrued": format_cents(control.accrued_cents),
            "billed": format_cents(control.billed_cents),
            "recharged": format_cents(-control.recharged_cents),
            "stays": format_cents(stays),
            "rounding": format_cents(control.rounding_cents),
            "central": format_cents(control.central_cents),
        },
        "ledger_cost": format_cents(control.ledger_cost_cents),
        "files": {name: sha256(raw).hexdigest() for name, raw in files.items()},
        "unverified": list(unverified),
    }


def control_text(totals: Mapping[str, Any]) -> str:
    """The totals as they are kept in a file."""
    return json.dumps(totals, indent=2, ensure_ascii=False) + "\n"


def _voucher(each: Voucher) -> dict[str, Any]:
    amount = format_cents(each.debit_cents)
    return {
        "external_id": each.external_id,
        "kind": each.kind,
        "entity": each.entity,
        "date": each.date,
        "reverses_on": each.reverses_on,
        "lines": len(each.lines),
        "debit": amount,
        "credit": amount,
    }
