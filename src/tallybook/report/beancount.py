"""The journal as a Beancount file, for a referee that we did not write.

Every entry becomes one transaction, every leg written out at nine decimals: nothing is left for
Beancount to interpolate or to tolerate. Memo postings are outside every export.

Beancount's account names know capitals, letters, digits and hyphens; ours know any printable text.
The spelling is therefore an escape that can be undone (`read_account`), so two accounts of ours
never become one of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tallybook.clock import Period
from tallybook.errors import LedgerError
from tallybook.ledger.chart import PART_SEPARATOR
from tallybook.ledger.journal import JournalEntry
from tallybook.ledger.model import Posting
from tallybook.money import NANO_SCALE, format_units
from tallybook.report.exported import REPLACED, ROOTS, dimensions_of, exported, family_and_parts
from tallybook.store import canonical_json

CURRENCY = re.compile(r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]")
NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")
ESCAPE = re.compile(r"--|-([0-9a-f]+)-")
STRING_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
LOWER_START = re.compile(r"[a-z]")
ESCAPED_START = "0"


def beancount_text(entries: Iterable[JournalEntry], currency: str, title: str) -> str:
    """Entries as a Beancount file: options, the accounts used, one transaction per entry.

    A transaction is dated on the last day of its entry's period; accounts open on the first day
    of the earliest period.

    Raises:
        LedgerError: a currency that Beancount cannot spell, or an entry whose postings outside
            memo do not sum to zero.
    """
    if CURRENCY.fullmatch(currency) is None:
        raise LedgerError(
            f"{currency!r} cannot be a Beancount currency",
            next_step="use the ISO code in capitals, such as USD",
        )
    kept = exported(entries)
    lines = [f'option "title" {_string(title)}', f'option "operating_currency" "{currency}"', ""]
    if kept:
        first_day = min(Period.parse(entry.period) for entry, _ in kept).first_day()
        accounts = sorted({account_name(each.account) for _, ours in kept for each in ours})
        lines += [f"{first_day} open {account} {currency}" for account in accounts]
    for entry, postings in kept:
        lines += ["", *_transaction(entry, postings, currency)]
    return "\n".join(lines) + "\n"


def account_name(account: str) -> str:
    """Our account as Beancount spells it: ``Cost:openai`` is ``Expenses:Cost:Openai``.

    A part that begins with a small letter gets a capital; any other part is led by ``0``. A
    hyphen is doubled and every other sign becomes its code point between hyphens.

    Raises:
        LedgerError: a memo account, or one that the chart does not declare.
    """
    family, parts = family_and_parts(account)
    return PART_SEPARATOR.join([ROOTS[family], family, *map(_spelled, parts)])


def read_account(name: str) -> str:
    """Undo :func:`account_name`."""
    _, family, *parts = name.split(PART_SEPARATOR)
    return PART_SEPARATOR.join([family, *map(_read_part, parts)])


def _spelled(part: str) -> str:
    escaped = NOT_PLAIN.sub(lambda found: "--" if found[0] == "-" else f"-{ord(found[0]):x}-", part)
    if LOWER_START.match(escaped):
        return escaped[0].upper() + escaped[1:]
    return ESCAPED_START + escaped


def _read_part(spelled: str) -> str:
    escaped = spelled.removeprefix(ESCAPED_START)
    if escaped == spelled:
        escaped = spelled[0].lower() + spelled[1:]
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "-", escaped)


def _transaction(entry: JournalEntry, postings: Sequence[Posting], currency: str) -> Iterator[str]:
    day = Period.parse(entry.period).last_day()
    yield f"{day} * {_string(entry.reason)} {_string(entry.text)}"
    yield f"  entry: {_string(entry.id)}"
    yield f"  service_period: {_string(entry.service_period)}"
    if entry.corrects:
        yield f"  corrects: {_string(entry.corrects)}"
    yield f"  versions: {_string(canonical_json(dict(entry.versions)))}"
    for posting in postings:
        amount = format_units(posting.amount_nano, NANO_SCALE)
        yield f"  {account_name(posting.account)}  {amount} {currency}"
        for dimension, value in dimensions_of(posting):
            yield f"    {dimension}: {_string(value)}"


def _string(text: str) -> str:
    """A quoted text; control characters that Beancount cannot escape are shown as replaced."""
    signs = (STRING_ESCAPES.get(sign, sign if sign >= " " else REPLACED) for sign in text)
    return f'"{"".join(signs)}"'
