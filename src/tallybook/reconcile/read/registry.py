"""Which form a file has: its columns say so, whatever it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tallybook.errors import InvoiceError
from tallybook.reconcile.model import Told
from tallybook.reconcile.read import (
    anthropic_costs,
    aws_cur,
    azure_costs,
    focus,
    google_billing,
    openai_costs,
    plain_invoice,
)
from tallybook.reconcile.read.plain_map import MapForm
from tallybook.reconcile.read.rows import Row, first, rows_of
from tallybook.reconcile.read.told import Ask, Reader, read_rows

_NOTES: Final = {
    anthropic_costs.FORM: "usage on the Priority Tier is not in this report",
}
_MORE: Final = "the last page says that there are more: import those too"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of cost report: how its rows are told, read, and what a row costs.

    ``window`` says which span a row speaks for, where a later file replaces only such spans.
    """

    name: str
    is_it: Callable[[Mapping[str, Any]], bool]
    read: Reader
    cost: tuple[str, ...]
    currency: tuple[str, ...]
    unfold: Callable[[Iterator[Row]], Iterator[Row]] | None = None
    window: Callable[[Mapping[str, Any]], tuple[int, int]] | None = None


FORMS: Final = (
    Form(
        openai_costs.FORM,
        lambda row: openai_costs.is_page(row) or openai_costs.is_export(row),
        openai_costs.read,
        ("amountvalue",),
        ("amountcurrency",),
        openai_costs.unfolded,
        openai_costs.window_of,
    ),
    Form(
        anthropic_costs.FORM,
        anthropic_costs.is_page,
        anthropic_costs.read,
        ("amount",),
        ("currency",),
        anthropic_costs.unfolded,
        anthropic_costs.window_of,
    ),
    Form(
        aws_cur.FORM,
        aws_cur.is_export,
        aws_cur.read,
        ("lineitemunblendedcost",),
        ("lineitemcurrencycode",),
    ),
    Form(focus.FORM, focus.is_export, focus.read, ("billedcost",), ("billingcurrency",)),
    Form(
        azure_costs.FORM,
        azure_costs.is_export,
        azure_costs.read,
        ("costinbillingcurrency",),
        ("billingcurrency", "billingcurrencycode"),
    ),
    Form(
        google_billing.FORM, google_billing.is_export, google_billing.read, ("cost",), ("currency",)
    ),
)


def read_files(paths: Sequence[Path], ask: Ask, mapping: MapForm | None = None) -> Told:
    """What files tell, all of one form.

    Raises:
        InvoiceError: no form, two forms, a row that cannot be read, or nothing in them.
    """
    if mapping:
        every = (row for path in paths for row in rows_of(path))
        read = read_rows(every, ask, partial(plain_invoice.reader, mapping), lambda _: "0 USD")
        return plain_invoice.told(read, mapping, (ask.window,) if ask.window else ())
    opened = [_opened(path) for path in paths]
    forms = {form.name: form for form, _ in opened}
    if len(forms) > 1:
        raise InvoiceError(
            f"the files are of several forms: {', '.join(sorted(forms))}",
            next_step="import each form by itself",
        )
    form = opened[0][0]
    told = list(chain.from_iterable(rows for _, rows in opened))
    more = _has_more(told)
    rows = list(form.unfold(iter(told))) if form.unfold else told
    read = read_rows(rows, ask, form.read, lambda row: _cost(form, row))
    windows = tuple(sorted({form.window(row) for _, row in rows})) if form.window else ()
    notes = [_NOTES[form.name]] if form.name in _NOTES else []
    return Told(
        form=form.name,
        lines=read.lines,
        windows=windows,
        by_day=form.window is not None,
        left_out=read.left_out,
        left_out_pico=read.left_out_pico,
        notes=(*notes, *([_MORE] if more else [])),
    )


def _opened(path: Path) -> tuple[Form, Iterator[Row]]:
    """The form of a file, and its rows."""
    rows = rows_of(path)
    head = next(rows, None)
    if head is None:
        raise InvoiceError("there is nothing in the file", where=str(path))
    form = next((form for form in FORMS if form.is_it(head[1])), None)
    if form is None:
        raise InvoiceError(
            f"no form of cost report has these fields: {', '.join(sorted(head[1])[:8])}",
            where=str(path),
            next_step="describe the columns in a mapping file: --map MAP (docs/invoices.md)",
        )
    return form, chain([head], rows)


def _has_more(rows: Sequence[Row]) -> bool:
    """Whether the page that is last says that another follows."""
    return bool(rows) and rows[-1][1].get("hasmore") is True


def _cost(form: Form, row: Mapping[str, Any]) -> str:
    return f"{first(row, *form.cost) or '0'} {first(row, *form.currency) or 'USD'}"
