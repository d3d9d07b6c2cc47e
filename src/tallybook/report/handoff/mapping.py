"""A mapping says declaratively what one ERP wants of a journal: columns, signs, dates, limits.

The mappings are YAML beside this module. A column's value is a text with fields in braces, taken
from ``FIELDS`` or from what the company's accounts file states under ``fields``.
"""

from __future__ import annotations

from collections.abc import Mapping as Named
from dataclasses import dataclass
from importlib.resources import files
from string import Formatter
from typing import Any, Final, Literal

from tallybook.books.faults import Sheet
from tallybook.books.source import read_source

State = Literal["proven", "template"]

ERPS: Final = (
    "netsuite", "oracle-fusion", "xero", "sap-s4hana", "workday", "quickbooks-online",
    "dynamics-365",
)  # fmt: skip

FIELDS: Final = (
    "external_id", "short_id", "narration", "text", "description", "kind", "line", "ledger",
    "entity", "account", "cost_center", "feature", "team", "service_period", "date", "period",
    "month", "year", "currency", "debit", "credit", "amount", "group",
)  # fmt: skip
"""What a column may ask for; anything else must be among the accounts file's ``fields``."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        value: text with fields in braces.
        characters_max: 0 means no limit; a longer value is cut if ``cut``, else refused.
        check: the kind of row in the chart that the value must have; empty means none.
        required: an empty value is refused.
    """

    name: str
    value: str
    characters_max: int
    cut: bool
    check: str
    required: bool

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the value asks for."""
        return fields_in(self.value)


@dataclass(frozen=True, slots=True)
class Mapping:
    """What one ERP wants.

    Attributes:
        state: proven to its documented rules, or a template that ``unverified`` speaks of.
        rules: the documented rules, each with its source.
        date: such as ``MM/DD/YYYY``; ``period`` such as ``Mon YYYY``.
        whole_digits: the digits before the point that an amount may have.
        voucher_lines, file_lines: the most lines of one journal and of one file; 0 is no limit.
        file: the name of a file, with ``{number}`` if there may be several; ``archive`` is the
            name inside a zip, empty for a plain file.
        defaults: values of fields that the accounts file need not state.
        comment: a mark before lines that say what is unverified; empty for none.
    """

    id: str
    title: str
    state: State
    rules: tuple[str, ...]
    unverified: tuple[str, ...]
    date: str
    period: str
    whole_digits: int
    voucher_lines: int
    file_lines: int
    file: str
    archive: str
    header: bool
    delimiter: str
    newline: str
    encoding: str
    comment: str
    columns: tuple[Column, ...]
    defaults: Named[str, str]

    @property
    def asked(self) -> tuple[str, ...]:
        """The fields that the accounts file must state."""
        wanted = {name for column in self.columns for name in column.fields}
        return tuple(sorted(wanted - set(FIELDS) - set(self.defaults)))


def fields_in(value: str) -> tuple[str, ...]:
    """The fields in braces of a value."""
    return tuple(name for _, name, _, _ in Formatter().parse(value) if name)


def load_mapping(erp: str) -> Mapping:
    """The mapping of an ERP, one of ``ERPS``."""
    path = files(__package__) / "mappings" / f"{erp}.yaml"
    sheet = Sheet(path.name)
    source = read_source(path.read_bytes(), sheet)
    assert source is not None, sheet.faults
    return read_mapping(source.data)


def read_mapping(data: dict[str, Any]) -> Mapping:
    """A mapping from plain data."""
    newline = {"lf": "\n", "crlf": "\r\n"}[data.get("newline", "crlf")]
    return Mapping(
        id=data["id"],
        title=data["title"],
        state=data["state"],
        rules=tuple(data["rules"]),
        unverified=tuple(data.get("unverified", ())),
        date=data["date"],
        period=data.get("period", "YYYY-MM"),
        whole_digits=int(data.get("whole_digits", 0)),
        voucher_lines=int(data.get("voucher_lines", 0)),
        file_lines=int(data.get("file_lines", 0)),
        file=data["file"],
        archive=data.get("archive", ""),
        header=bool(data.get("header", True)),
        delimiter=data.get("delimiter", ","),
        newline=newline,
        encoding=data.get("encoding", "utf-8"),
        comment=data.get("comment", ""),
        columns=tuple(_column(each) for each in data["columns"]),
        defaults={name: str(value) for name, value in data.get("defaults", {}).items()},
    )


def _column(each: dict[str, Any]) -> Column:
    return Column(
        name=each["name"],
        value=str(each.get("value", "")),
        characters_max=int(each.get("max", 0)),
        cut=bool(each.get("cut", False)),
        check=each.get("check", ""),
        required=bool(each.get("required", False)),
    )
