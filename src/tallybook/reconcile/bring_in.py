"""Taking a provider's files in: whole or not at all, once, and again when they were restated."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal

from tallybook.books.model import Books
from tallybook.clock import Calendar
from tallybook.errors import InvoiceError
from tallybook.meter.providers import provider_of
from tallybook.money import AMOUNT_MAX, PICO_PER_UNIT
from tallybook.post.basis import latest_books
from tallybook.reconcile.days import period_of_span
from tallybook.reconcile.exchange import Exchange, Rates
from tallybook.reconcile.invoices import (
    add_invoice,
    add_lines,
    add_version,
    held_under,
    speaking,
    standing_beside,
    standing_lines,
    versions,
)
from tallybook.reconcile.model import InvoiceLine, LineKind, ProviderInvoice, Told, ToldLine
from tallybook.reconcile.read.rows import raw_text
from tallybook.reconcile.read.told import in_units, instant_of
from tallybook.store import Store, Tx, canonical_json
from tallybook.store.commands import Command, log_command

CENT_PICO: Final = 10**10
Became = Literal["new", "unchanged", "superseded"]
Group = tuple[str, str, str]
"""account, number, month"""


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """What became of one invoice: ``version`` is the one that stands now."""

    id: str
    version: int
    became: Became
    period: str
    number: str
    lines: int
    total_pico: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What whoever imports says beside the files.

    ``total_pico`` is what the invoice states, in its own currency. ``restate`` is the reason why
    an issued invoice may come again with other figures; without one it is refused.
    """

    provider: str
    files: tuple[tuple[str, str], ...]
    rates: Rates
    total_pico: int | None = None
    restate: str = ""


def bring_in(
    store: Store, told: Told, terms: Terms, command: Command, now_us: int
) -> tuple[BroughtIn, ...]:
    """Take in what files tell, in one transaction.

    Raises:
        InvoiceError: no provider, a date that is none, lines of before the books, a currency
            without a rate, lines that do not add up to the stated total, an issued invoice that is
            in with other figures or for another month, a report that a later one superseded, or a
            draft beside the issued invoice.
    """
    if not told.lines:
        raise InvoiceError(
            f"no line of inference in {len(terms.files)} files; {told.left_out} rows of other"
            " services were left out",
            next_step="check that this is the report of the right account and month",
        )
    provider = provider_of(terms.provider)
    if not provider:
        raise InvoiceError(
            "the invoice names no provider, and what it bills would be owed to nobody",
            next_step="name the provider as its calls do, such as openai",
        )
    if told.issued_on:
        instant_of(told.issued_on, "the invoice's date")
    with store.write() as tx:
        books, _ = latest_books(tx)
        _require_in_force(told, books)
        told = _with_total(told, terms)
        groups = _grouped(told, books.calendar)
        if told.total_pico is not None and len(groups) > 1:
            raise InvoiceError(
                f"a total was stated, and the files hold {len(groups)} invoices",
                next_step="import each invoice by itself",
            )
        own = books.org.company.currency
        exchange = Exchange(own, terms.rates, books.prices, provider, told.issued_on)
        made = [
            _taken(tx, told, group, lines, terms, _Ground(provider, exchange, books.calendar,
                   command.actor, now_us, frozenset(groups)))
            for group, lines in sorted(groups.items())
        ]  # fmt: skip
        outcome = ", ".join(f"{one.id} version {one.version} {one.became}" for one in made)
        log_command(tx, command, now_us, {}, outcome)
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Ground:
    provider: str
    exchange: Exchange
    calendar: Calendar
    actor: str
    now_us: int
    groups: frozenset[Group]


def _require_in_force(told: Told, books: Books) -> None:
    """Refuse lines of before the first policy: no month could ever book them."""
    first = books.policy.versions[0].effective_from
    dated = [
        (period_of_span(books.calendar, line.start_us, line.end_us), line.place)
        for line in told.lines
    ]
    before = [(period, place) for period, place in dated if period < first]
    if before:
        earliest, place = min(before)
        raise InvoiceError(
            f"{len(before)} of {len(dated)} lines bill months before {first}, in which the books"
            f" begin, the earliest {earliest}",
            where=place,
            next_step=f"import what bills {first} and later; or add a version of policy.yaml with"
            f" effective_from: {earliest} or earlier, and apply",
        )


def _grouped(told: Told, calendar: Calendar) -> dict[Group, list[ToldLine]]:
    """The lines by invoice; an invoice with a number is of the last month that it bills."""
    groups: dict[Group, list[ToldLine]] = defaultdict(list)
    months: dict[tuple[str, str], str] = {}
    periods = [str(period_of_span(calendar, line.start_us, line.end_us)) for line in told.lines]
    for line, period in zip(told.lines, periods, strict=True):
        if line.number:
            held = months.get((line.account, line.number), "")
            months[line.account, line.number] = max(held, period)
    for line, period in zip(told.lines, periods, strict=True):
        month = months.get((line.account, line.number), period) if line.number else period
        groups[line.account, line.number, month].append(line)
    return groups


def _with_total(told: Told, terms: Terms) -> Told:
    """The lines with the rounding that a stated total shows, if they add up to it.

    An invoice is in cents and its lines may not be: less than a cent between them is rounding, a
    line of its own. Anything more is a fault.
    """
    total = told.total_pico if terms.total_pico is None else terms.total_pico
    if total is None:
        return told
    currencies = sorted({line.currency for line in told.lines})
    if len(currencies) > 1:
        raise InvoiceError(f"a total was stated, and the lines are in {', '.join(currencies)}")
    found = sum(line.own_pico for line in told.lines)
    if abs(total - found) >= CENT_PICO:
        raise InvoiceError(
            f"{len(told.lines)} lines add up to {in_units(found)} {currencies[0]}, the invoice"
            f" states {in_units(total)}: {in_units(total - found)} is missing",
            next_step="look for a line that was left out or read twice; enter what the invoice"
            " does not explain as a line of kind other, which goes to suspense",
        )
    if total == found:
        return replace(told, total_pico=total)
    last = told.lines[-1]
    rounding = replace(
        last, kind=LineKind.ROUNDING, own_pico=total - found, product="rounding of the total",
        model="", token_class="", tier="", key_id="", quantity=None, rate="", priced_pico=None,
        priced_currency="", covered=False, place=f"{last.place}, total", raw={},
    )  # fmt: skip
    return replace(told, lines=(*told.lines, rounding), total_pico=total)


def _taken(
    tx: Tx, told: Told, group: Group, lines: Sequence[ToldLine], terms: Terms, ground: _Ground
) -> BroughtIn:
    account, number, period = group
    held = held_under(tx, ground.provider, told.form, account, number, period)
    windows = _windows(told, period, lines, ground.calendar)
    invoice, number_next = (held[-1].id, len(held) + 1) if held else ("", 1)
    made = [_line(line, n, number_next, ground, invoice) for n, line in enumerate(lines, 1)]
    digest = _digest(made, windows)
    if held:
        last = held[-1]
        if _still_stands(tx, invoice, made, windows, by_day=told.by_day):
            return BroughtIn(
                invoice, last.version, "unchanged", last.period, number, len(made), last.total_pico
            )
        _check_month(last, period)
        _check_restated(told, terms, held, digest, made)
    if not held or held[-1].period != period:
        held, number_next = [], 1
        invoice = add_invoice(
            tx, ground.provider, told.form, account, number, period, ground.now_us
        )
        made = [line._replace(invoice=invoice, version=number_next) for line in made]
    add_lines(
        tx, ((x, line.place, raw_text(line.raw)) for x, line in zip(made, lines, strict=True))
    )
    version = ProviderInvoice(
        id=invoice, version=number_next, provider=ground.provider, form=told.form,
        account=account, number=number, period=period, currency=made[0].currency,
        issued_on=told.issued_on, stated_pico=told.total_pico, total_pico=0, lines=len(made),
        windows=windows, files=terms.files, digest=digest, by_day=told.by_day,
        reason=terms.restate.strip(), actor=ground.actor, at_us=ground.now_us,
    )  # fmt: skip
    if not held and told.restates and not terms.restate.strip():
        _check_draft(standing_beside(tx, version), version, ground.groups)
    total = sum(line.amount_pico for line in _after(tx, version, made))
    _require_bookable(total, f"{ground.provider} {number or period}")
    add_version(tx, replace(version, total_pico=total))
    became: Became = "superseded" if held else "new"
    return BroughtIn(invoice, number_next, became, period, number, len(made), total)


def _after(tx: Tx, version: ProviderInvoice, made: Sequence[InvoiceLine]) -> list[InvoiceLine]:
    """The lines that stand once a version is in."""
    if not version.by_day or version.version == 1:
        return list(made)
    before = standing_lines(tx, invoice=version.id)
    kept = [line for line in before if line.version != version.version
            and not any(a <= line.start_us < b for a, b in version.windows)]  # fmt: skip
    return [*kept, *made]


def _windows(
    told: Told, period: str, lines: Sequence[ToldLine], calendar: Calendar
) -> tuple[tuple[int, int], ...]:
    if told.windows:
        if not told.by_day:
            return told.windows
        return tuple(
            window for window in told.windows if str(period_of_span(calendar, *window)) == period
        )
    return ((min(x.start_us for x in lines), max(x.end_us for x in lines)),)


def _line(told: ToldLine, number: int, version: int, ground: _Ground, invoice: str) -> InvoiceLine:
    amount, fx, rate, date = ground.exchange.in_books(told)
    _require_bookable(amount, told.place)
    return InvoiceLine(
        invoice=invoice, version=version, line=number, provider=ground.provider, kind=told.kind,
        start_us=told.start_us, end_us=told.end_us, product=told.product, model=told.model,
        token_class=told.token_class, tier=told.tier, region=told.region, key_id=told.key_id,
        project=told.project, quantity=told.quantity, own_pico=told.own_pico,
        currency=told.currency, rate=rate, rate_date=date, amount_pico=amount, fx_pico=fx,
        places=told.places, covered=told.covered, note=told.note,
    )  # fmt: skip


def _require_bookable(amount_pico: int, place: str) -> None:
    """Refuse what no posting could hold: once it were in, nothing of its month could be booked."""
    if abs(amount_pico) > AMOUNT_MAX * PICO_PER_UNIT:
        raise InvoiceError(
            f"{in_units(amount_pico)} is too large: an invoice is at most {AMOUNT_MAX:,}",
            where=place,
            next_step="correct the figure, or say with amounts_in whether it is in cents",
        )


Content = tuple[object, ...]


def _content(line: InvoiceLine) -> Content:
    """What makes two lines the same: everything but their number and where they stood."""
    return (
        str(line.kind), line.start_us, line.end_us, line.product, line.model, line.token_class,
        line.tier, line.region, line.key_id, line.project, line.quantity, line.own_pico,
        line.currency, line.rate, line.rate_date, line.amount_pico, line.fx_pico, line.covered,
    )  # fmt: skip


def _digest(lines: Sequence[InvoiceLine], windows: Sequence[tuple[int, int]]) -> str:
    listed = sorted(canonical_json(list(_content(line))) for line in lines)
    body = canonical_json([[list(window) for window in windows], listed])
    return sha256(body.encode()).hexdigest()


def _still_stands(
    tx: Tx,
    invoice: str,
    made: Sequence[InvoiceLine],
    windows: Sequence[tuple[int, int]],
    *,
    by_day: bool,
) -> bool:
    """Whether the books hold exactly these lines already, for what the file speaks for."""
    held = standing_lines(tx, invoice=invoice)
    if by_day:
        spoken = {window for each in speaking(versions(tx, invoice)) for window in each.windows}
        if not set(windows) <= spoken:
            return False
        held = [line for line in held if any(a <= line.start_us < b for a, b in windows)]
    return Counter(map(_content, held)) == Counter(map(_content, made))


def _check_month(last: ProviderInvoice, period: str) -> None:
    """Refuse another month for an invoice that stands: it is settled with the month it came for.

    Withdrawing settles that month first, and leaves the number free for the other one.
    """
    if last.period != period and not last.is_withdrawn:
        raise InvoiceError(
            f"{last.id} ({last.number}) is in for {last.period}; this is of {period}",
            next_step=f"if it bills {period}, withdraw it first: tallybook invoice withdraw"
            f' {last.id} --reason "WHY", then bring it in again with --restate "WHY"; else correct'
            " its dates",
        )


def _check_draft(
    beside: Sequence[ProviderInvoice], new: ProviderInvoice, groups: frozenset[Group]
) -> None:
    """Refuse a report beside one of the same month of which only one has an invoice's number.

    Until an invoice is issued its rows have no number: they are a draft of the same usage. A file
    that holds rows of both kinds says itself what is of which.
    """
    for one in beside:
        if (one.account, one.number, one.period) in groups:
            continue
        draft, issued = (new, one) if one.number else (one, new)
        raise InvoiceError(
            f"{one.id} is in for {one.period} {_numbered(one)}, with {in_units(one.total_pico)};"
            f" this is of {new.period} {_numbered(new)}, and both would be billed",
            next_step=(
                f"if it was the draft of {issued.number}, withdraw it first: tallybook invoice"
                f' withdraw {one.id} --reason "WHY"'
                if draft is one
                else f"import the report in which its rows have the number {issued.number}"
            )
            + '; if both are owed, say why: --restate "WHY"',
        )


def _numbered(one: ProviderInvoice) -> str:
    return f"under the number {one.number}" if one.number else "without a number"


def _check_restated(
    told: Told,
    terms: Terms,
    held: Sequence[ProviderInvoice],
    digest: str,
    made: Sequence[InvoiceLine],
) -> None:
    """Refuse other figures for an issued invoice, and what was superseded or withdrawn."""
    if terms.restate.strip():
        return
    last = held[-1]
    if last.is_withdrawn:
        raise InvoiceError(
            f"{last.id} ({last.number or last.period}) was withdrawn by {last.actor}:"
            f" {last.reason}",
            next_step='if it stands after all, say why: --restate "REASON"',
        )
    if not told.restates:
        now = sum(line.amount_pico for line in made)
        raise InvoiceError(
            f"{last.id} ({last.number or last.period}) is in with {in_units(last.total_pico)} in"
            f" {last.lines} lines; this says {in_units(now)} in {len(made)}",
            next_step="a credit note is an invoice of its own, with its number; to replace what"
            ' is in, say why: --restate "REASON"',
        )
    older = next((one for one in held[:-1] if one.digest == digest), None)
    if older:
        raise InvoiceError(
            f"this is version {older.version} of {older.id}, which version {last.version}"
            " superseded",
            next_step='if it stands again after all, say why: --restate "REASON"',
        )
