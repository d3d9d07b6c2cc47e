"""Provider invoices in the store: versions that only grow, and which of their lines stand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tallybook.errors import InvoiceError
from tallybook.reconcile.model import InvoiceLine, LineKind, ProviderInvoice
from tallybook.store import Tx, canonical_json, sql_text

_KINDS: Final = {str(kind): kind for kind in LineKind}
_FIGURES: Final = tuple(
    InvoiceLine._fields.index(name) for name in ("own_pico", "amount_pico", "fx_pico")
)
_KIND: Final = InvoiceLine._fields.index("kind")
_COVERED: Final = InvoiceLine._fields.index("covered")
ALWAYS: Final = (-(1 << 62), 1 << 62)
Window = tuple[int, int]


def held_under(
    tx: Tx, provider: str, form: str, account: str, number: str, period: str
) -> list[ProviderInvoice]:
    """The versions of the invoice that is in under a number, or of a month where it has none.

    An invoice that was withdrawn of one month may have come again for another one. Of several under
    a number at most one stands, and that is the one; else the one of the month, else the last.
    """
    rows = tx.rows(
        "SELECT id FROM provider_invoice WHERE provider = :provider AND form = :form"
        " AND account = :account AND number = :number AND (:number <> '' OR period = :period)"
        " ORDER BY id",
        provider=provider,
        form=form,
        account=account,
        number=number,
        period=period,
    )
    every = [versions(tx, str(row.id)) for row in rows]
    return max(
        every,
        key=lambda held: (not held[-1].is_withdrawn, held[-1].period == period, held[-1].id),
        default=[],
    )


def standing_beside(tx: Tx, asked: ProviderInvoice) -> list[ProviderInvoice]:
    """The invoices that stand of the month, form and account of one, with a number if it has none.

    Of one that has a number, those that have none.
    """
    return [
        one
        for one in latest(versions(tx, provider=asked.provider))
        if (one.form, one.account, one.period) == (asked.form, asked.account, asked.period)
        and bool(one.number) != bool(asked.number)
        and not one.is_withdrawn
    ]


def add_invoice(
    tx: Tx, provider: str, form: str, account: str, number: str, period: str, now_us: int
) -> str:
    """A new invoice without a version; returns its id."""
    count = int(tx.scalar("SELECT COUNT(*) FROM provider_invoice") or 0)
    invoice = f"P-{count + 1:06d}"
    tx.run(
        "INSERT INTO provider_invoice (id, provider, form, account, number, period, at_us)"
        " VALUES (:id, :provider, :form, :account, :number, :period, :at_us)",
        id=invoice,
        provider=provider,
        form=form,
        account=account,
        number=number,
        period=period,
        at_us=now_us,
    )
    return invoice


def add_version(tx: Tx, version: ProviderInvoice) -> None:
    """Keep a version; its lines are added beside it."""
    tx.run(
        "INSERT INTO invoice_version (invoice, version, currency, issued_on, stated_pico,"
        " total_pico, lines, windows, files, digest, by_day, reason, actor, at_us)"
        " VALUES (:invoice, :version, :currency, :issued_on, :stated_pico, :total_pico, :lines,"
        " :windows, :files, :digest, :by_day, :reason, :actor, :at_us)",
        invoice=version.id,
        version=version.version,
        currency=version.currency,
        issued_on=version.issued_on,
        stated_pico="" if version.stated_pico is None else str(version.stated_pico),
        total_pico=str(version.total_pico),
        lines=version.lines,
        windows=canonical_json([list(window) for window in version.windows]),
        files=canonical_json([list(file) for file in version.files]),
        digest=version.digest,
        by_day=int(version.by_day),
        reason=version.reason,
        actor=version.actor,
        at_us=version.at_us,
    )


def add_lines(tx: Tx, lines: Iterable[tuple[InvoiceLine, str, str]]) -> None:
    """Keep the lines of a version, each with its place and its raw form."""
    tx.run_many(
        "INSERT INTO invoice_line (invoice, version, line, kind, start_us, end_us, product, model,"
        " token_class, tier, region, key_id, project, quantity, own_pico, currency, rate,"
        " rate_date, amount_pico, fx_pico, places, covered, note, place, raw)"
        " VALUES (:invoice, :version, :line, :kind, :start_us, :end_us, :product, :model,"
        " :token_class, :tier, :region, :key_id, :project, :quantity, :own_pico, :currency, :rate,"
        " :rate_date, :amount_pico, :fx_pico, :places, :covered, :note, :place, :raw)",
        [_line_values(line, place, raw) for line, place, raw in lines],
    )


def _line_values(line: InvoiceLine, place: str, raw: str) -> dict[str, object]:
    values = {name: value for name, value in line._asdict().items() if name != "provider"}
    exact = {name: str(values[name]) for name in ("own_pico", "amount_pico", "fx_pico", "kind")}
    return {**values, **exact, "covered": int(line.covered), "place": place, "raw": raw}


def versions(tx: Tx, invoice: str = "", provider: str = "") -> list[ProviderInvoice]:
    """Every version, the oldest of each invoice first."""
    rows = tx.rows(sql_text(__package__, "versions"), invoice=invoice, provider=provider)
    return [_version(row) for row in rows]


def speaking(every: Sequence[ProviderInvoice]) -> list[ProviderInvoice]:
    """The versions that came after the last withdrawal of their invoice, the oldest first."""
    withdrawn = {version.id: version.version for version in every if version.is_withdrawn}
    return [version for version in every if version.version > withdrawn.get(version.id, 0)]


def withdrawn_in(tx: Tx, span: Window, provider: str) -> list[ProviderInvoice]:
    """The invoices of a provider that stand withdrawn and had lines that touch a span."""
    gone = [each for each in latest(versions(tx, provider=provider)) if each.is_withdrawn]
    return [each for each in gone if _touches(tx, each.id, span)]


def _touches(tx: Tx, invoice: str, span: Window) -> bool:
    return bool(
        tx.scalar(
            "SELECT COUNT(*) FROM invoice_line"
            " WHERE invoice = :invoice AND start_us < :end_us AND end_us > :start_us",
            invoice=invoice,
            start_us=span[0],
            end_us=span[1],
        )
    )


def latest(every: Sequence[ProviderInvoice]) -> list[ProviderInvoice]:
    """The last version of each invoice."""
    return list({version.id: version for version in every}.values())


def invoice_versions(tx: Tx, invoice: str) -> list[ProviderInvoice]:
    """The versions of one invoice.

    Raises:
        InvoiceError: there is none of this id.
    """
    found = versions(tx, invoice)
    if not found:
        raise InvoiceError(
            f"there is no provider invoice {invoice!r}", next_step="see: tallybook invoice list"
        )
    return found


def standing_lines(
    tx: Tx,
    span: Window = ALWAYS,
    *,
    provider: str = "",
    invoice: str = "",
    version: int = 0,
) -> list[InvoiceLine]:
    """The lines that stand and touch a span.

    Of a report by days, each day is as the last version that speaks for it says; of any other
    invoice the last version stands alone. Of a withdrawn one nothing stands.

    Args:
        tx: a transaction.
        span: half-open, in microseconds.
        provider: only of this one.
        invoice: only of this one.
        version: as of this version of that invoice; 0 is the last.
    """
    every = versions(tx, invoice, provider)
    if version:
        every = [each for each in every if each.version <= version]
    stands = _standing(speaking(every))
    rows = tx.rows(
        sql_text(__package__, "lines_standing"),
        start_us=span[0],
        end_us=span[1],
        provider=provider,
        invoice=invoice,
    )
    lines = (_line(row) for row in rows)
    return [line for line in lines if stands(line)]


class _Standing:
    """Which lines stand, from the windows of the versions that came after theirs."""

    def __init__(self, every: Sequence[ProviderInvoice]) -> None:
        self._last: dict[str, int] = {}
        self._later: dict[tuple[str, int], set[Window]] = {}
        by_invoice: dict[str, list[ProviderInvoice]] = defaultdict(list)
        for version in every:
            by_invoice[version.id].append(version)
        for invoice, held in by_invoice.items():
            later: set[Window] = set()
            self._last[invoice] = held[-1].version if not held[-1].by_day else 0
            for version in reversed(held):
                self._later[invoice, version.version] = set(later)
                later |= set(version.windows)

    def __call__(self, line: InvoiceLine) -> bool:
        last = self._last.get(line.invoice)
        if last is None or (line.invoice, line.version) not in self._later:
            return False
        if last:
            return line.version == last
        later = self._later[line.invoice, line.version]
        return not any(a <= line.start_us < b for a, b in later)


def _standing(every: Sequence[ProviderInvoice]) -> _Standing:
    return _Standing(every)


def raw_lines(tx: Tx, refs: Sequence[tuple[str, int, int]]) -> list[Mapping[str, Any]]:
    """Place and raw form of some lines, by invoice, version and number."""
    found: list[Mapping[str, Any]] = []
    for invoice, version, line in refs:
        row = tx.row(
            "SELECT place, raw FROM invoice_line"
            " WHERE invoice = :invoice AND version = :version AND line = :line",
            invoice=invoice,
            version=version,
            line=line,
        )
        if row:
            found.append({"place": str(row.place), "raw": json.loads(row.raw)})
    return found


def _version(row: Any) -> ProviderInvoice:
    return ProviderInvoice(
        id=str(row.id),
        version=int(row.version),
        provider=row.provider,
        form=row.form,
        account=row.account,
        number=row.number,
        period=row.period,
        currency=row.currency,
        issued_on=row.issued_on,
        stated_pico=int(row.stated_pico) if row.stated_pico else None,
        total_pico=int(row.total_pico),
        lines=int(row.lines),
        windows=tuple((int(a), int(b)) for a, b in json.loads(row.windows)),
        files=tuple((str(name), str(digest)) for name, digest in json.loads(row.files)),
        digest=row.digest,
        by_day=bool(row.by_day),
        reason=row.reason,
        actor=row.actor,
        at_us=int(row.at_us),
    )


def _line(row: Any) -> InvoiceLine:
    values = list(row)
    for place in _FIGURES:
        values[place] = int(values[place])
    values[_KIND] = _KINDS[values[_KIND]]
    values[_COVERED] = bool(values[_COVERED])
    return InvoiceLine._make(values)
