"""Pages about figures that differ: provider invoices against metered usage, rivals against ours."""

from __future__ import annotations

from tallybook.clock import Period
from tallybook.reconcile.classify import day_text
from tallybook.reconcile.model import Reconciliation
from tallybook.reconcile.text import CAUSES, LABELS
from tallybook.report.html import page
from tallybook.report.why.model import Bridge
from tallybook.report.why.view import KINDS


def bridge_html(found: Bridge) -> str:
    """The bridge from our total to a rival figure as a page."""
    title = f"Why {found.name} differs, {found.period_label}"
    return page("why.html", found=found, kinds=KINDS, running_title=title)


def reconcile_html(found: Reconciliation, company: str, *, simulated: bool) -> str:
    """A reconciliation as a page: each provider's identity, its variances and their parts.

    Args:
        found: the period.
        company: whose books these are.
        simulated: whether the company is made up.
    """
    label = Period.parse(found.period).label()
    return page(
        "reconcile.html",
        found=found,
        label=label,
        company=company,
        simulated=simulated,
        kinds=LABELS,
        causes=CAUSES,
        day_text=day_text,
        running_title=f"{company}  Reconciliation {label}",
    )
