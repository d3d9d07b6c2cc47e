"""A mapping file for plain invoices: which column holds what, in YAML.

All scalars are read as text, so that no amount becomes a float on its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import yaml

from tallybook.errors import InvoiceError
from tallybook.reconcile.model import LineKind
from tallybook.reconcile.read.rows import plain_name

COLUMNS: Final = (
    "amount", "currency", "kind", "day", "start", "end", "model", "token_class", "tier", "region",
    "key_id", "project", "product", "quantity", "unit", "number", "account", "rate", "rate_date",
    "priced_amount", "priced_currency", "note",
)  # fmt: skip


class InvoiceForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is true of the whole invoice. A total is checked against the lines."""

    number: str = ""
    account: str = ""
    currency: str = ""
    total: str = ""
    issued_on: str = ""


class MapForm(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping of a plain invoice.

    ``columns`` says where a field stands, ``constants`` what it is on every row, ``values``
    translates what stands there. ``amounts_in`` is ``units`` or ``cents``; ``per`` is how many
    tokens one of the stated quantity is.
    """

    invoice: InvoiceForm = msgspec.field(default_factory=InvoiceForm)
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    amounts_in: str = "units"
    per: str = "1"


def load_map(path: Path) -> MapForm:
    """Read a mapping file.

    Raises:
        InvoiceError: it is none: a key or field that does not exist, no column of amounts.
    """
    try:
        held = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - text only
        form = msgspec.convert(held, MapForm)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise InvoiceError(
            f"this is no mapping of an invoice: {error}",
            where=str(path),
            next_step="write invoice, columns, constants, values, amounts_in and per as"
            " docs/invoices.md shows",
        ) from error
    for name in (*form.columns, *form.constants, *form.values):
        if name not in COLUMNS:
            raise InvoiceError(
                f"there is no field {name!r}; fields are {', '.join(COLUMNS)}", where=str(path)
            )
    if "amount" not in form.columns:
        raise InvoiceError("columns name no amount", where=str(path))
    if form.amounts_in not in ("units", "cents") or not form.per.isdecimal() or form.per == "0":
        raise InvoiceError("amounts_in is units or cents, per a whole number", where=str(path))
    return form


def fields_of(row: Mapping[str, object], form: MapForm) -> dict[str, str]:
    """The fields of a row, by the mapping.

    Raises:
        InvoiceError: a column that the mapping names is not in the file.
    """
    found = dict(form.constants)
    for name, column in form.columns.items():
        key = plain_name(column)
        if key not in row:
            raise InvoiceError(f"the mapping names column {column!r}, which the file lacks")
        told = str("" if row[key] is None else row[key]).strip()
        if told:
            found[name] = form.values.get(name, {}).get(told, told)
    return found


def kind_of(told: str) -> LineKind:
    """The kind of a line by its name.

    Raises:
        InvoiceError: there is no such kind.
    """
    try:
        return LineKind(told or LineKind.USAGE)
    except ValueError as fault:
        raise InvoiceError(
            f"there is no kind of line {told!r}; kinds are {', '.join(LineKind)}",
            next_step="translate it in the mapping under values: kind:",
        ) from fault
