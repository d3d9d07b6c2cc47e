"""The datasets of FOCUS 1.4 beside Cost and Usage: invoices, billing periods, commitments.

Our statements are the invoices of an internal issuer, the company: `invoice_detail`. Our months are
its billing periods. What prices.yaml promises to providers are contract commitments. Columns are
those that 1.4 makes mandatory; conditional ones are left out where their condition does not hold
(FOCUS specification 1.4, datasets Invoice Detail, Billing Period, Contract Commitment).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from tallybook.books.model import Books
from tallybook.books.terms import Commitment
from tallybook.clock import Period, format_instant
from tallybook.errors import PeriodError
from tallybook.ledger.state import CLOSED, period_state
from tallybook.money import NANO_SCALE, format_cents, format_units
from tallybook.post.basis import latest_books
from tallybook.report.current import statements_of
from tallybook.report.handoff.model import short
from tallybook.report.handoff.write import whole_file
from tallybook.report.issued import issued
from tallybook.report.model import Statement, StatementLine, StatementSet
from tallybook.store import Store, Tx

TERMS: Final = "Internal recharge; nothing is payable outside the company"
_CATEGORIES: Final = {
    "usage": "Usage",
    "transfer": "Usage",
    "pool": "Usage",
    "evaluation": "Usage",
    "markup": "Purchase",
    "commitment": "Purchase",
}
"""What a statement line is to FOCUS; every other kind is an adjustment."""
Rows = Iterator[Mapping[str, str]]


def write_dataset(store: Store, name: str, period: Period, path: Path) -> int:
    """Write one of `DATASETS`, whole or not at all.

    Args:
        store: open books.
        name: which.
        period: the month; of billing periods and commitments, up to it.
        path: the file.

    Returns:
        the number of rows.

    Raises:
        PeriodError: there is nothing to write.
    """
    rows = list(DATASETS[name](store, period))
    if not rows:
        raise PeriodError(
            f"there is no {name.replace('-', ' ')} of {period}",
            next_step="name another month; statements are invoices where they are charged",
        )
    page = io.StringIO()
    writer = csv.DictWriter(page, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with whole_file(path) as file:
        file.write(page.getvalue().encode())
    return len(rows)


def invoice_detail(store: Store, period: Period) -> Rows:
    """The lines of each charged statement of a month: every issued version, or the draft.

    A version that a later one took the place of is voided. Showback shows and bills nothing, so it
    is no invoice.
    """
    with store.read() as tx:
        books, _ = latest_books(tx)
        times = {
            int(row.version): int(row.issued_us)
            for row in tx.rows(
                "SELECT version, issued_us FROM statement WHERE period = :period ORDER BY version",
                period=str(period),
            )
        }
        sets = [found for version in times if (found := issued(tx, str(period), version))]
        touched_us = _touched(tx, str(period))[1]
        is_open = period_state(tx, str(period)) != CLOSED
    if is_open:
        draft = statements_of(store, period)
        yield from _lines(draft, books, period, ("Open", touched_us, touched_us))
    ends = {before: times[after] for before, after in pairwise(times)}
    for one in sets:
        last = ends.get(one.version)
        state = "Issued" if last is None else "Voided"
        made_us = times[one.version]
        yield from _lines(one, books, period, (state, made_us, last or made_us))


def _lines(issue: StatementSet, books: Books, period: Period, state: tuple[str, int, int]) -> Rows:
    for statement in issue.statements:
        if statement.charged:
            for line in statement.lines:
                yield _line(issue, statement, line, books, period, state)


def _line(
    issue: StatementSet,
    statement: Statement,
    line: StatementLine,
    books: Books,
    period: Period,
    state: tuple[str, int, int],
) -> Mapping[str, str]:
    status, made_us, changed_us = state
    number = issue.number(statement.team)
    before = f"S-{issue.period}-{statement.team} v{issue.version - 1}"
    start_us, end_us = books.calendar.bounds_us(period)
    words = (line.label, line.feature_name, line.purpose)
    grain = {"x_Team": statement.team, "x_CostCenter": statement.cost_center,
             "x_Feature": line.feature, "x_Purpose": line.purpose, "x_Kind": line.kind,
             "x_Detail": line.detail}  # fmt: skip
    return {
        "BilledCost": format_cents(line.amount_cents),
        "BillingAccountId": short(issue.company),
        "BillingCurrency": issue.currency,
        "BillingPeriodEnd": _instant(end_us),
        "BillingPeriodStart": _instant(start_us),
        "ChargeCategory": _CATEGORIES.get(line.kind, "Adjustment"),
        "InvoiceDetailCreated": _instant(made_us),
        "InvoiceDetailDescription": ", ".join(word for word in words if word) or line.kind,
        "InvoiceDetailGrain": json.dumps(grain, separators=(",", ":"), sort_keys=True),
        "InvoiceDetailId": f"{line.id} v{issue.version}",
        "InvoiceDetailLastUpdated": _instant(changed_us),
        "InvoiceId": number,
        "InvoiceIssueDate": "" if status == "Open" else _instant(made_us),
        "InvoiceIssueStatus": status,
        "InvoiceIssuerName": issue.company,
        "PaymentDueDate": "",
        "PaymentTerms": TERMS,
        "ReferenceInvoiceId": before if issue.version > 1 else number,
    }


def billing_period(store: Store, period: Period) -> Rows:
    """Each month that something was booked in, up to one: open or closed, for each issuer.

    A month is one period of the books, whoever issues the charges in it.
    """
    with store.read() as tx:
        books, _ = latest_books(tx)
        names = tx.rows(
            "SELECT DISTINCT period FROM chain WHERE period <> '' AND period <= :last"
            " ORDER BY period",
            last=str(period),
        )
        for row in names:
            name = str(row.period)
            start_us, end_us = books.calendar.bounds_us(Period.parse(name))
            first_us, last_us = _touched(tx, name)
            for issuer in _issuers(tx, name, books.org.company.name):
                yield {
                    "BillingPeriodCreated": _instant(first_us),
                    "BillingPeriodEnd": _instant(end_us),
                    "BillingPeriodLastUpdated": _instant(last_us),
                    "BillingPeriodStart": _instant(start_us),
                    "BillingPeriodStatus": "Closed" if period_state(tx, name) == CLOSED else "Open",
                    "InvoiceIssuerName": issuer,
                }


def _instant(us: int) -> str:
    """As Cost and Usage spells it, so that both join."""
    return format_instant(us).replace(".000Z", "Z")


def _issuers(tx: Tx, period: str, company: str) -> list[str]:
    """Whose charges are in a month: the company's own, and each provider's."""
    rows = tx.rows(
        "SELECT DISTINCT p.provider FROM posting p JOIN chain c ON c.seq = p.seq"
        " WHERE c.period = :period AND p.provider <> '' ORDER BY p.provider",
        period=period,
    )
    return [company, *(str(row.provider) for row in rows)]


def _touched(tx: Tx, period: str) -> tuple[int, int]:
    """When the first and the last link of a month were recorded."""
    row = tx.row(
        "SELECT MIN(recorded_us) AS first_us, MAX(recorded_us) AS last_us FROM chain"
        " WHERE period = :period",
        period=period,
    )
    assert row is not None, "an aggregate gives a row"
    return int(row.first_us or 0), int(row.last_us or 0)


def contract_commitment(store: Store, period: Period) -> Rows:
    """What was promised to providers, as it stands in a month."""
    with store.read() as tx:
        books, _ = latest_books(tx)
        applied = tx.row(
            "SELECT MIN(applied_us) AS first_us, MAX(applied_us) AS last_us FROM document"
            " WHERE kind = 'prices'"
        )
    assert applied is not None, "an aggregate gives a row"
    times = (int(applied.first_us or 0), int(applied.last_us or 0))
    for one in sorted(books.prices.commitments, key=lambda one: (one.provider, one.id)):
        yield _commitment(one, books, period, times)


def _commitment(
    one: Commitment, books: Books, period: Period, times: tuple[int, int]
) -> Mapping[str, str]:
    start = _instant(books.calendar.bounds_us(one.first)[0])
    end = _instant(books.calendar.bounds_us(one.until)[0])
    months = (one.until.year - one.first.year) * 12 + one.until.month - one.first.month
    scope = {"IsGlobalScope": False, "InclusionOperator": "And", "Inclusions": [
        {"Dimension": "ServiceProviderName", "Operator": "In", "Values": [one.provider]}
    ]}  # fmt: skip
    return {
        "BillingCurrency": books.org.company.currency,
        "ContractCommitmentApplicability": json.dumps(scope, separators=(",", ":")),
        "ContractCommitmentBenefitCategory": "Other",
        "ContractCommitmentCategory": "Spend",
        "ContractCommitmentCost": format_units(one.amount_nano, NANO_SCALE),
        "ContractCommitmentCreated": _instant(times[0]),
        "ContractCommitmentDescription": f"The least that is spent at {one.provider} over the term",
        "ContractCommitmentDiscountPercentage": "",
        "ContractCommitmentDurationType": f"{months} Month{'s' * (months != 1)}",
        "ContractCommitmentFulfillmentInterval": "Full Period",
        "ContractCommitmentId": one.id,
        "ContractCommitmentLastUpdated": _instant(times[1]),
        "ContractCommitmentLifecycleStatus": _status(one, period),
        "ContractCommitmentModel": "Continuous",
        "ContractCommitmentOfferCategory": "Negotiated",
        "ContractCommitmentPaymentInterval": "Custom",
        "ContractCommitmentPaymentModel": "No Upfront",
        "ContractCommitmentPeriodEnd": end,
        "ContractCommitmentPeriodStart": start,
        "ContractCommitmentQuantity": "",
        "ContractCommitmentType": "Spend commitment",
        "ContractCommitmentUnit": "",
        "ContractId": one.id,
        "ContractPeriodEnd": end,
        "ContractPeriodStart": start,
        "InvoiceIssuerName": one.provider,
        "ServiceProviderName": one.provider,
    }


def _status(one: Commitment, period: Period) -> str:
    if period < one.first:
        return "Pending"
    return "Active" if one.holds(period) else "Expired"


DATASETS: Final[Mapping[str, Callable[[Store, Period], Rows]]] = {
    "invoice-detail": invoice_detail,
    "billing-period": billing_period,
    "contract-commitment": contract_commitment,
}
"""The datasets beside Cost and Usage, by the names that validators use."""
