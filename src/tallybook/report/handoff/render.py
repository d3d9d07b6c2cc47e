"""A neutral journal in the form of one ERP: checked first, then spelled, file by file."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from tallybook.clock import Period
from tallybook.errors import HandoffError
from tallybook.money import format_cents
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.chart_file import Chart
from tallybook.report.handoff.mapping import Column, fields_in
from tallybook.report.handoff.mapping import Mapping as Erp
from tallybook.report.handoff.model import JournalLine, NeutralJournal, Voucher
from tallybook.report.handoff.split import parts_of

SHORT_ID_CHARACTERS = 14
FAULTS_SHOWN = 12
CUT = "..."
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The files of an ERP, and the vouchers in them as they went, whole or in parts."""

    files: Mapping[str, bytes]
    vouchers: tuple[Voucher, ...]


def rendered(journal: NeutralJournal, erp: Erp, accounts: Accounts, chart: Chart) -> Rendered:
    """Spell a journal for an ERP.

    A reversing accrual becomes two vouchers; a voucher beyond the limit of lines becomes parts
    that balance.

    Raises:
        HandoffError: an account, dimension or period that the chart does not have or take, a field
            that the accounts file does not state, or a text or amount that does not fit; all at
            once, with their places, and nothing is written.
    """
    lacking = [name for name in erp.asked if name not in accounts.fields]
    if lacking:
        raise HandoffError(
            f"{erp.title} asks for {', '.join(lacking)}",
            where=accounts.file,
            next_step="state them in the accounts file under fields",
        )
    parts = [part for each in _all(journal) for part in _parts(each, erp)]
    speller = _Speller(journal, erp, accounts, chart)
    groups = list(_grouped(parts, erp.file_lines))
    period = Period.parse(journal.period)
    files = {}
    for number, group in enumerate(groups, start=1):
        name = erp.file.format(period=period, number=number)
        files[name] = speller.file([row for each in group for row in speller.rows(each)])
    speller.refuse()
    return Rendered(files, tuple(parts))


def _all(journal: NeutralJournal) -> Iterator[Voucher]:
    """Each voucher, and after it the one that reverses it."""
    for each in journal.vouchers:
        yield replace(each, reverses_on="")
        if each.reverses_on:
            turned = each.reversed(f"{each.external_id}-reverse", each.reverses_on,
                                   f"Automatic reversal. {each.text}")  # fmt: skip
            yield replace(turned, reverses_on="", period=each.reverses_on[:7])


def _parts(voucher: Voucher, erp: Erp) -> list[Voucher]:
    return parts_of(voucher, erp.voucher_lines or len(voucher.lines))


def _grouped(parts: Sequence[Voucher], lines_max: int) -> Iterator[list[Voucher]]:
    """Vouchers by file: none is torn over two."""
    group: list[Voucher] = []
    lines = 0
    for each in parts:
        if group and lines_max and lines + len(each.lines) > lines_max:
            yield group
            group, lines = [], 0
        group.append(each)
        lines += len(each.lines)
    if group:
        yield group


class _Speller:
    """Spells rows and gathers what the ERP would refuse."""

    def __init__(self, journal: NeutralJournal, erp: Erp, accounts: Accounts, chart: Chart) -> None:
        self._journal, self._erp, self._accounts, self._chart = journal, erp, accounts, chart
        self._faults: dict[str, list[str]] = {}

    def refuse(self) -> None:
        """Raise what was found wrong, if anything was."""
        faults = [
            f"{places[0]}, {what}" + (f", and {len(places) - 1} more" if len(places) > 1 else "")
            for what, places in self._faults.items()
        ]
        if not faults:
            return
        rest = len(faults) - FAULTS_SHOWN
        shown = "\n  ".join(faults[:FAULTS_SHOWN] + ([f"and {rest} more"] if rest > 0 else []))
        raise HandoffError(
            f"{self._erp.title} would refuse this, nothing written:\n  {shown}",
            where=self._chart.file or self._erp.id,
            next_step="correct the accounts file or the chart, and export again",
        )

    def rows(self, voucher: Voucher) -> Iterator[list[str]]:
        """The lines of a voucher."""
        for number, line in enumerate(voucher.lines, start=1):
            values = self._values(voucher, line, number)
            where = f"{voucher.external_id} line {number}"
            yield [self._cell(column, values, where) for column in self._erp.columns]

    def file(self, rows: Iterable[Sequence[str]]) -> bytes:
        """The bytes of one file."""
        erp = self._erp
        page = io.StringIO()
        writer = csv.writer(page, delimiter=erp.delimiter, lineterminator=erp.newline)
        if erp.comment:
            for said in (f"TEMPLATE for {erp.title}. Not verified:", *erp.unverified):
                page.write(f"{erp.comment} {said}{erp.newline}")
        if erp.header:
            writer.writerow([column.name for column in erp.columns])
        writer.writerows(rows)
        raw = page.getvalue().encode(erp.encoding)
        return _zipped(erp.archive, raw) if erp.archive else raw

    def _values(self, voucher: Voucher, line: JournalLine, number: int) -> dict[str, str]:
        erp, period, amount = self._erp, Period.parse(voucher.period), line.amount_cents
        figure = format_cents(abs(amount))
        self._check_digits(figure, voucher, number)
        values = {
            "external_id": voucher.external_id,
            "short_id": f"TB{sha256(voucher.external_id.encode()).hexdigest()}"[
                :SHORT_ID_CHARACTERS
            ].upper(),
            "narration": f"{voucher.text} [{voucher.external_id}]",
            "text": voucher.text,
            "description": line.text,
            "kind": voucher.kind,
            "line": str(number),
            "ledger": self._journal.ledger,
            "entity": self._accounts.entities.get(voucher.entity, voucher.entity),
            "account": self._accounts.account(line),
            "cost_center": self._accounts.cost_centers.get(line.cost_center, line.cost_center),
            "feature": line.feature,
            "team": line.team,
            "service_period": line.service_period,
            "date": date_text(voucher.date, erp.date),
            "period": period_text(period, erp.period),
            "month": f"{period.month:02}",
            "year": f"{period.year:04}",
            "currency": voucher.currency,
            "debit": figure if amount > 0 else "",
            "credit": figure if amount < 0 else "",
            "amount": format_cents(amount),
            "group": f"{self._journal.period.replace('-', '')}{self._journal.version:03}",
        }
        stated = {**erp.defaults, **self._accounts.fields}
        return {**{name: _filled(text, values) for name, text in stated.items()}, **values}

    def _cell(self, column: Column, values: Mapping[str, str], where: str) -> str:
        text = _filled(column.value, values)
        if column.required and not text:
            self._fault(where, f"{column.name}: empty, and {self._erp.id} requires it")
        if column.characters_max and len(text) > column.characters_max:
            if column.cut:
                text = text[: column.characters_max - len(CUT)] + CUT
            else:
                what = f"{text!r} has {len(text)} characters, {column.characters_max} fit"
                self._fault(where, f"{column.name}: {what}")
        if column.check and text:
            code = values["year"] + "-" + values["month"] if column.check == "period" else text
            if why := self._chart.missing(column.check, code):
                self._fault(where, f"{column.name}: {why}")
        return text

    def _check_digits(self, figure: str, voucher: Voucher, number: int) -> None:
        digits = len(figure.partition(".")[0])
        if self._erp.whole_digits and digits > self._erp.whole_digits:
            what = f"{figure} has {digits} digits before the point, {self._erp.whole_digits} fit"
            self._fault(f"{voucher.external_id} line {number}", what)

    def _fault(self, where: str, what: str) -> None:
        self._faults.setdefault(what, []).append(where)


def _filled(text: str, values: Mapping[str, str]) -> str:
    unknown = [name for name in fields_in(text) if name not in values]
    if unknown:
        raise HandoffError(
            f"the field {unknown[0]!r} in {text!r} is not known",
            next_step="use the fields of docs/handoff.md, or state it under fields",
        )
    return text.format(**values)


def date_text(iso: str, form: str) -> str:
    """An ISO date in a form such as ``MM/DD/YYYY``."""
    year, month, day = iso.split("-")
    return form.replace("YYYY", year).replace("MM", month).replace("DD", day)


def period_text(period: Period, form: str) -> str:
    """A period in a form such as ``Mon YYYY`` or ``Mon-YY``; month names are English."""
    year = f"{period.year:04}"
    text = form.replace("YYYY", year).replace("YY", year[2:]).replace("MM", f"{period.month:02}")
    return text.replace("Mon", MONTHS[period.month - 1])


def _zipped(name: str, raw: bytes) -> bytes:
    """A zip with one file and no date of making, so the same journal has the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), raw, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
