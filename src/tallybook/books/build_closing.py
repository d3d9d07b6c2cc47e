"""Limits of a close and roles, from form to model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tallybook.books.closing import DUTIES, Closing, OpenItemLimit
from tallybook.books.faults import Sheet
from tallybook.books.schema import ClosingForm, RolesForm
from tallybook.money import NANO_SCALE, parse_percent, parse_units


def build_closing(form: ClosingForm) -> Closing:
    """Make the limits of their form."""
    limit = form.open_items
    return Closing(
        suspects=parse_percent(form.suspects) if form.suspects else None,
        suspense=parse_percent(form.suspense) if form.suspense else None,
        unreconciled_nano=parse_units(form.unreconciled, NANO_SCALE) if form.unreconciled else None,
        open_items=OpenItemLimit(limit.days, parse_units(limit.amount, NANO_SCALE))
        if limit
        else None,
        dispute_days=form.dispute_days,
    )


def build_roles(form: RolesForm | None, sheet: Sheet) -> Mapping[str, tuple[str, ...]]:
    """Who holds each duty, by its name; empty where the company declares none.

    Noted as a fault: a form in which some duty is nobody's.
    """
    if form is None:
        return MappingProxyType({})
    held: dict[str, tuple[str, ...]] = {
        duty: tuple(dict.fromkeys(getattr(form, duty))) for duty in DUTIES
    }
    for duty, people in held.items():
        if not people:
            sheet.refuse(
                ("roles",),
                f"nobody is {duty}",
                expected=f"somebody for each of {', '.join(DUTIES)}",
                remedy=f"add {duty}: [NAME]; one person may hold several",
            )
    return MappingProxyType(held)
