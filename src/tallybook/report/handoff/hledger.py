"""The journal as an hledger file, beside the one for Beancount: another referee, other rules.

Every leg is written out at nine decimals and every account and commodity is declared, so that
``hledger check --strict`` has nothing to infer. Memo postings are outside every export.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote

from tallybook.clock import Period
from tallybook.errors import LedgerError
from tallybook.ledger.chart import PART_SEPARATOR
from tallybook.ledger.journal import JournalEntry
from tallybook.ledger.model import Posting
from tallybook.money import NANO_SCALE, format_units
from tallybook.report.exported import REPLACED, ROOTS, dimensions_of, exported, family_and_parts
from tallybook.store import canonical_json

TYPES = {"Assets": "A", "Equity": "E", "Expenses": "X", "Liabilities": "L"}
CURRENCY = re.compile(r"[A-Z]{3}")
_PLAIN = "-_./@+"


def hledger_text(entries: Iterable[JournalEntry], currency: str, title: str) -> str:
    """Entries as an hledger journal: declarations, then one transaction per entry.

    A transaction is dated on the last day of its entry's period; its code is the entry's id.

    Raises:
        LedgerError: a currency that is no ISO code, or an entry whose postings outside memo do not
            sum to zero.
    """
    if CURRENCY.fullmatch(currency) is None:
        raise LedgerError(
            f"{currency!r} cannot be an hledger commodity",
            next_step="use the ISO code in capitals, such as USD",
        )
    kept = exported(entries)
    accounts = sorted({hledger_account(each.account) for _, ours in kept for each in ours})
    roots = sorted({account.partition(PART_SEPARATOR)[0] for account in accounts})
    lines = [f"; {_text(title)}", "", f"commodity 1000.{'0' * NANO_SCALE} {currency}", ""]
    lines += [f"account {root}  ; type: {TYPES[root.capitalize()]}" for root in roots]
    lines += [f"account {account}" for account in accounts]
    for entry, postings in kept:
        lines += ["", *_transaction(entry, postings, currency)]
    return "\n".join(lines) + "\n"


def hledger_account(account: str) -> str:
    """Our account as hledger takes it: ``Cost:openai`` is ``expenses:Cost:openai``.

    Letters, digits and single blanks stay; any other sign becomes percent codes, because two
    blanks end a name.

    Raises:
        LedgerError: a memo account, or one that the chart does not declare.
    """
    family, parts = family_and_parts(account)
    return PART_SEPARATOR.join([ROOTS[family].lower(), family, *map(_spelled, parts)])


def read_hledger_account(name: str) -> str:
    """Undo :func:`hledger_account`."""
    _, family, *parts = name.split(PART_SEPARATOR)
    return PART_SEPARATOR.join([family, *map(unquote, parts)])


def _spelled(part: str) -> str:
    def kept(at: int, sign: str) -> bool:
        if sign == " ":
            return part[at - 1] != " " and part[at + 1] != " "
        return (sign.isascii() and sign.isalnum()) or sign in _PLAIN

    return "".join(
        sign if kept(at, sign) else "".join(f"%{byte:02X}" for byte in sign.encode())
        for at, sign in enumerate(part)
    )


def _transaction(entry: JournalEntry, postings: Sequence[Posting], currency: str) -> Iterator[str]:
    day = Period.parse(entry.period).last_day()
    yield f"{day} * ({entry.id}) {entry.reason} | {_text(entry.text)}".rstrip()
    yield f"    ; service_period: {entry.service_period}"
    if entry.corrects:
        yield f"    ; corrects: {_value(entry.corrects)}"
    yield f"    ; versions: {_value(canonical_json(dict(entry.versions)))}"
    for posting in postings:
        amount = format_units(posting.amount_nano, NANO_SCALE)
        yield f"    {hledger_account(posting.account)}  {amount} {currency}"
        for dimension, value in dimensions_of(posting):
            yield f"    ; {dimension}: {_value(value)}"


def _text(text: str) -> str:
    """One line without what would begin a comment."""
    return "".join(sign if sign.isprintable() else REPLACED for sign in text.replace(";", ","))


def _value(text: str) -> str:
    """A tag's value: it ends at a comma, so a comma is spelled as a semicolon."""
    return "".join(sign if sign.isprintable() else REPLACED for sign in text.replace(",", ";"))
