"""A rival figure out of a file: a spreadsheet, a dashboard's export, or one figure as JSON.

Columns are known by their names, in the words that dashboards and people use. A table may stand
below a title, and a row of totals below it: that row is compared with the rows and not added.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tallybook.clock import Period
from tallybook.clock.instant import datetime_of
from tallybook.clock.period import parse_date
from tallybook.errors import ClockError, InvoiceError, MoneyError, WrongUsageError
from tallybook.meter.providers import provider_of
from tallybook.meter.sources.source import BROKEN, open_bytes
from tallybook.reconcile.read.rows import figure, first, plain, plain_name, rows_of
from tallybook.reconcile.read.sku import model_of, token_class_of
from tallybook.reconcile.read.told import amount_of, instant_of, quantity_of
from tallybook.report.why.model import ClaimRow
from tallybook.report.why.sheet import SIGNATURE, sheet_rows

AMOUNT: Final = (
    *("amountvalue", "amount", "cost", "totalcost", "spend", "spendusd", "costusd", "amountusd"),
    *("usd", "charge", "charges", "billedcost", "effectivecost", "totalspend", "estimatedcost"),
    *("costinusd", "total"),
)
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": (
        *("date", "day", "usagedate", "starttime", "startdate", "start", "timestamp", "startedat"),
        *("chargeperiodstart", "usagestarttime", "month", "period"),
    ),
    "provider": ("provider", "providername", "vendor", "provideroforigin", "serviceprovidername"),
    "model": ("model", "modelname", "modelid", "modelversion"),
    "key": ("key", "keyid", "apikey", "apikeyid", "apikeyalias", "apikeyname", "virtualkey"),
    "team": ("team", "teamid", "teamname", "teamalias", "department", "costcenter"),
    "feature": ("feature", "featureid", "featurename", "usecase", "app", "application"),
    "purpose": ("purpose",),
    "class": ("tokenclass", "tokentype", "class", "meter"),
}
"""The names of each dimension's column, without case and marks; the first that is there counts."""
COUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "calls": ("calls", "requests", "nummodelrequests", "apirequests", "numrequests"),
    "tokens": ("tokens", "totaltokens"),
    "input": ("inputtokens", "prompttokens"),
    "input_uncached": ("inputuncachedtokens", "uncachedinputtokens"),
    "cache_read": ("inputcachedtokens", "cachedtokens", "cachereadtokens", "cachereadinputtokens"),
    "cache_write": ("cachewritetokens", "cachecreationtokens", "cachecreationinputtokens"),
    "output": ("outputtokens", "completiontokens"),
}
_QUANTITY: Final = ("quantity", "usagequantity", "consumedquantity", "usage")
_PRODUCT: Final = ("lineitem", "product", "sku", "description", "chargedescription")
_CURRENCY: Final = ("currency", "amountcurrency", "billingcurrency")
_KIND: Final = ("kind", "type", "category", "chargecategory")
_TOTALS: Final = re.compile(r"(grand |sub)?total|sum|all|overall", re.IGNORECASE)
_KINDS: Final = (
    ("tax", re.compile(r"\b(tax|vat|gst)\b", re.IGNORECASE)),
    ("credit", re.compile(r"\b(credits?|discounts?|refunds?|promotion\w*)\b", re.IGNORECASE)),
    ("other", re.compile(r"\b(fees?|support|subscription|seats?)\b", re.IGNORECASE)),
)
_MONEY: Final = re.compile(
    r"(\()?\s*(-)?\s*(?:[A-Z]{3}|[$€£])?\s*(-)?([\d.,]+)\s*(?:[A-Z]{3}|[$€£])?\s*\)?"
)
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")
_MONTH: Final = re.compile(r"\d{4}-\d{2}")
_ROWS_ABOVE: Final = 30


@dataclass(frozen=True, slots=True)
class RivalFile:
    """What a file says.

    Args:
        rows: with days as dates, or as months.
        currency: if it says one.
        in_utc: whether its rows name instants, so that its days are those of UTC.
        said: what a figure in JSON says beside its rows: scope, zone, days.
        notes: what a reader should know.
    """

    rows: tuple[ClaimRow, ...]
    currency: str
    in_utc: bool
    said: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def read_rival(path: Path) -> RivalFile:
    """Read a file.

    Raises:
        WrongUsageError: there is no amount in it, or a row cannot be read; with the place.
    """
    try:
        return _read(list(_rows(path)), path)
    except (InvoiceError, ClockError, MoneyError) as error:
        raise WrongUsageError(error.what, where=error.where or str(path), next_step=(
            "name the columns as docs/why.md lists them, amounts as plain decimal numbers"
        )) from error  # fmt: skip
    except (*BROKEN, UnicodeDecodeError, csv.Error) as error:
        raise WrongUsageError(f"cannot be read: {error}", where=str(path)) from error


def one_figure(text: str, place: str = "--amount") -> ClaimRow:
    """A figure that was typed in.

    Raises:
        WrongUsageError: it is no amount.
    """
    try:
        pico, places = _amount(text)
    except (InvoiceError, MoneyError) as error:
        raise WrongUsageError(error.what, where=place, next_step="write it as 1204.18") from error
    return ClaimRow(place, "usage", pico, places, {})


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with open_bytes(path) as file:
        start = file.read(4096)
    if start.startswith(SIGNATURE):
        table = ((f"{path.name}:{number}", cells) for number, cells in sheet_rows(path))
        yield from _below_header(table, path)
    elif start.startswith(b"PAR1") or start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"["):
        yield from rows_of(path)
    else:
        with io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", newline="") as text:
            marks = start.decode("utf-8", "replace")
            mark = max("\t;,", key=marks.count)
            cells = csv.reader(text, delimiter=mark)
            table = ((f"{path.name}:{n}", row) for n, row in enumerate(cells, 1) if any(row))
            yield from _below_header(table, path)


def _below_header(
    table: Iterable[tuple[str, Sequence[str]]], path: Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = iter(table)
    for _, cells in islice(rows, _ROWS_ABOVE):
        names = [plain_name(cell) for cell in cells]
        if set(names) & set(AMOUNT):
            break
    else:
        raise WrongUsageError(
            f"no column of amounts in the first {_ROWS_ABOVE} rows",
            where=str(path),
            next_step=f"name one of them: {', '.join(AMOUNT[:5])}",
        )
    for place, cells in rows:
        yield place, plain(dict(zip(names, (cell.strip() for cell in cells), strict=False)))


def _read(rows: list[tuple[str, dict[str, Any]]], path: Path) -> RivalFile:
    said = rows[0][1] if len(rows) == 1 and "amount" in rows[0][1] else {}
    found: list[ClaimRow] = []
    totals: list[tuple[str, int]] = []
    currencies: set[str] = set()
    in_utc = False
    for place, fields in rows:
        told = first(fields, *AMOUNT)
        if not told:
            continue
        pico, places = _amount(told, place)
        currencies |= {each.upper() for each in [first(fields, *_CURRENCY)] if each}
        if not said and any(
            _TOTALS.fullmatch(str(value).strip()) for value in fields.values() if value
        ):
            totals.append((place, pico))
            continue
        values, is_instant = _values(fields, place)
        in_utc |= is_instant
        found.append(
            ClaimRow(place, _kind(fields), pico, places, values, _counts(fields, values, place))
        )
    return RivalFile(
        tuple(_checked(found, path)), _one(currencies, path), in_utc, said, _totals(found, totals)
    )


def _checked(found: list[ClaimRow], path: Path) -> list[ClaimRow]:
    if not found:
        raise WrongUsageError("no row has an amount", where=str(path), next_step="see docs/why.md")
    return found


def _one(currencies: set[str], path: Path) -> str:
    if len(currencies) > 1:
        raise WrongUsageError(
            f"its rows are in {' and '.join(sorted(currencies))}",
            where=str(path),
            next_step="give the rows of one currency",
        )
    return next(iter(currencies), "")


def _totals(found: Sequence[ClaimRow], totals: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    added = sum(row.amount_pico for row in found)
    return tuple(
        f"{place} is a total and was left out"
        + ("" if pico == added else "; the rows that were read do not add up to it")
        for place, pico in totals
    )


def _amount(told: object, place: str = "") -> tuple[int, int]:
    text = str(told).strip()
    found = _MONEY.fullmatch(text)
    digits = found[4] if found else ""
    if found and "," in digits:
        if not _GROUPED.fullmatch(digits):
            raise InvoiceError(f"the amount {text!r} may be read in two ways", where=place)
        digits = digits.replace(",", "")
    negative = bool(found and (found[1] or found[2] or found[3]))
    spelled = figure(f"{'-' if negative else ''}{digits}" if found else text, "the amount")
    return amount_of(spelled, "the amount")


def _values(fields: Mapping[str, Any], place: str) -> tuple[dict[str, str], bool]:
    values = {name: told for name, columns in COLUMNS.items() if (told := first(fields, *columns))}
    product = first(fields, *_PRODUCT)
    if product and "class" not in values and token_class_of(product):
        values["class"] = product
        values.setdefault("model", model_of(product))
    if "class" in values:
        told = values["class"]
        values["class"] = token_class_of(told) or told
    if "provider" in values:
        values["provider"] = provider_of(values["provider"])
    is_instant = False
    if "day" in values:
        values["day"], is_instant = _day(values["day"], place)
    return values, is_instant


def _day(told: str, place: str) -> tuple[str, bool]:
    """A date or a month as text, and whether an instant was told."""
    if _MONTH.fullmatch(told):
        return str(Period.parse(told)), False
    try:
        return parse_date(told).isoformat(), False
    except ClockError:
        pass
    try:
        moment = datetime_of(instant_of(told, "the day"))
    except (InvoiceError, ClockError) as error:
        raise InvoiceError(error.what, where=place) from error
    return moment.date().isoformat(), ":" in told or told.isdecimal()


def _counts(fields: Mapping[str, Any], values: Mapping[str, str], place: str) -> dict[str, int]:
    counts = {}
    named = dict(COUNTS)
    if "class" in values:
        named = {values["class"]: _QUANTITY + COUNTS["tokens"], "calls": COUNTS["calls"]}
    for name, columns in named.items():
        told = first(fields, *columns)
        if told:
            count = quantity_of(told.replace(",", ""), 1, f"{name} of {place}")
            if count is not None:
                counts[name] = count
    return counts


def _kind(fields: Mapping[str, Any]) -> str:
    words = " ".join(first(fields, name) for name in (*_KIND, *_PRODUCT))
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "usage")
