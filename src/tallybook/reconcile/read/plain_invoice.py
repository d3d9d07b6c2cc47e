"""Plain invoices: any table under a mapping file, or lines that somebody types in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tallybook.errors import InvoiceError
from tallybook.reconcile.model import LineKind, Told, ToldLine
from tallybook.reconcile.read.plain_map import COLUMNS, MapForm, fields_of, kind_of
from tallybook.reconcile.read.rows import Row
from tallybook.reconcile.read.told import (
    CENTS,
    PICO_PLACES,
    Ask,
    Read,
    amount_of,
    asked_window,
    currency_of,
    day_of,
    quantity_of,
    refuse_faults,
    span_of,
    unit_factor,
)

FORM: Final = "plain"
_TYPED = re.compile(r"(?P<kind>\w+)\s+(?P<amount>[-+\d.]+)(?P<rest>(?:\s+\w+=.*)?)")
_FIELD = re.compile(r"(\w+)=(\S+)")


def reader(form: MapForm, row: Row, ask: Ask) -> list[ToldLine]:
    """The line of a row under a mapping.

    Raises:
        InvoiceError: the row cannot be read.
    """
    place, fields = row
    scale = CENTS if form.amounts_in == "cents" else PICO_PLACES
    return [line_of(place, fields_of(fields, form), ask, form, fields, scale)]


def line_of(
    place: str,
    found: Mapping[str, str],
    ask: Ask,
    form: MapForm,
    raw: Mapping[str, object],
    scale: int = PICO_PLACES,
) -> ToldLine:
    """A line from fields under our own names.

    Raises:
        InvoiceError: an amount, a date, a kind or a currency that is none.
    """
    if "amount" not in found:
        raise InvoiceError("the row has no amount")
    pico, places = amount_of(found["amount"], "the amount", scale)
    start_us, end_us = _span(found, ask)
    priced = found.get("priced_amount", "")
    factor = unit_factor(found.get("unit", "")) * int(form.per)
    currency = found.get("currency") or form.invoice.currency
    if not currency:
        raise InvoiceError("the row has no currency", next_step="say it: --currency USD")
    return ToldLine(
        place=place,
        kind=kind_of(found.get("kind", "")),
        start_us=start_us,
        end_us=end_us,
        own_pico=pico,
        places=places,
        currency=currency_of(currency),
        number=found.get("number", form.invoice.number),
        account=found.get("account", form.invoice.account),
        product=found.get("product", ""),
        model=found.get("model", ""),
        token_class=found.get("token_class", ""),
        tier=found.get("tier", ""),
        region=found.get("region", ""),
        key_id=found.get("key_id", ""),
        project=found.get("project", ""),
        quantity=quantity_of(found.get("quantity"), factor, "the quantity"),
        rate=found.get("rate", ""),
        rate_date=found.get("rate_date", ""),
        priced_pico=amount_of(priced, "priced_amount", scale)[0] if priced else None,
        priced_currency=currency_of(found.get("priced_currency", "")) if priced else "",
        note=found.get("note", ""),
        raw=raw,
    )


def _span(found: Mapping[str, str], ask: Ask) -> tuple[int, int]:
    if "start" in found and "end" in found:
        return span_of(found["start"], found["end"], "the line")
    if "day" in found:
        return day_of(found["day"], "the day")
    return asked_window(ask)


def typed(texts: Sequence[str], ask: Ask, form: MapForm) -> Told:
    """An invoice of lines that were typed in.

    Args:
        texts: ``usage 610.00 model=gpt-4o token_class=output quantity=4000000`` and alike.
        ask: provider and period.
        form: number, currency and total.

    Raises:
        InvoiceError: naming each line that cannot be read.
    """
    lines: list[ToldLine] = []
    faults: list[str] = []
    for number, text in enumerate(texts, 1):
        try:
            lines.append(_typed(f"line {number}", text, ask, form))
        except InvoiceError as fault:
            faults.append(f"line {number}: {fault.what}")
    refuse_faults(faults)
    return told(Read(tuple(lines), 0, {}), form, (asked_window(ask),))


def _typed(place: str, text: str, ask: Ask, form: MapForm) -> ToldLine:
    found = _TYPED.fullmatch(text.strip())
    fields = dict(_FIELD.findall(found["rest"])) if found else {}
    if found is None or _FIELD.sub("", found["rest"]).strip():
        raise InvoiceError(
            f"{text!r} is no line; write KIND AMOUNT and fields, such as"
            ' "usage 610.00 model=gpt-4o quantity=4000000"'
        )
    unknown = sorted(set(fields) - set(COLUMNS))
    if unknown:
        raise InvoiceError(f"there is no field {unknown[0]!r}; fields are {', '.join(COLUMNS)}")
    fields |= {"kind": str(LineKind(kind_of(found["kind"]))), "amount": found["amount"]}
    return line_of(place, fields, ask, form, {"typed": text})


def told(read: Read, form: MapForm, windows: tuple[tuple[int, int], ...]) -> Told:
    """The invoice, with the total that it states."""
    total = form.invoice.total
    scale = CENTS if form.amounts_in == "cents" else PICO_PLACES
    return Told(
        form=FORM,
        lines=read.lines,
        windows=windows,
        restates=False,
        total_pico=amount_of(total, "the total", scale)[0] if total else None,
        issued_on=form.invoice.issued_on,
    )
