"""The accounts file: what a company's ERP calls our accounts, entities and cost centers.

It is the company's own, in YAML; a mapping (`mapping`) is the ERP's and comes with the program. The
file is right as a whole, or refused with every fault's line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallybook.books.faults import Sheet, one_of, shown
from tallybook.books.model import PURPOSES
from tallybook.books.source import read_source
from tallybook.errors import HandoffError
from tallybook.report.handoff.mapping import fields_in
from tallybook.report.handoff.model import (
    COST_CLASSES,
    NEUTRAL_ACCOUNTS,
    OPERATING,
    PURPOSE_CLASSES,
    AccrualMode,
    JournalLine,
)

KEYS: Final = ("ledger", "accrual", "purposes", "accounts", "entities", "cost_centers", "fields")
MODES: Final[tuple[AccrualMode, ...]] = ("reversing", "standing")
OTHERWISE: Final = "otherwise"
_PURPOSES: Final = (*PURPOSES, OTHERWISE)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the ERP's names are.

    Attributes:
        ledger: the first part of every external id; empty takes the company's name.
        accrual: whether accruals reverse by themselves on the first of the next month, or stand
            until the provider's bill clears them.
        classes: the cost class of a purpose.
        names: by neutral account, and in it by detail or ``otherwise``, the ERP's account.
        fields: other constants that a mapping asks for; they may use the line's fields.
        given: whether there is a file; without one the neutral names stand for themselves.
    """

    ledger: str = ""
    accrual: AccrualMode = "reversing"
    classes: Mapping[str, str] = field(default_factory=lambda: PURPOSE_CLASSES)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)
    cost_centers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    file: str = ""

    def class_of(self, purpose: str) -> str:
        """The cost class of a purpose; what nobody stated is ``otherwise``'s, else operating."""
        return self.classes.get(purpose) or self.classes.get(OTHERWISE, OPERATING)

    def account(self, line: JournalLine) -> str:
        """The ERP's account of a line; without an accounts file ours, with its detail.

        Raises:
            HandoffError: the file names none.
        """
        if not self.file:
            return f"{line.account}:{line.detail}" if line.detail else line.account
        named = self.names.get(line.account, {})
        found = named.get(line.detail) or named.get(OTHERWISE)
        if found is None:
            what = f"{line.account}: {{{line.detail or OTHERWISE}: ...}}"
            raise HandoffError(
                f"no account for {line.account} {line.detail}".rstrip(),
                where=self.file,
                next_step=f"add under accounts: {what}",
            )
        return found


def read_accounts(raw: bytes, file: str) -> Accounts:
    """Read an accounts file.

    Raises:
        HandoffError: naming file and line of every fault.
    """
    first = Sheet(file)
    source = read_source(raw, first)
    if source is None:
        raise _refused(first)
    sheet = Sheet(file, source.lines)
    found = _read(source.data, sheet, file)
    if sheet.faults:
        raise _refused(sheet)
    return found


def _refused(sheet: Sheet) -> HandoffError:
    count = f"{len(sheet.faults)} fault" + ("" if len(sheet.faults) == 1 else "s")
    return HandoffError(
        f"accounts refused, {count}, nothing written:\n  " + "\n  ".join(sheet.faults),
        next_step="correct the file and export again",
    )


def _read(data: Any, sheet: Sheet, file: str) -> Accounts:
    if not isinstance(data, dict):
        _fault(sheet, (), f"{shown(data)} stands here", "a mapping", "write accounts: {...}")
        return Accounts()
    _known(data, KEYS, (), sheet)
    classes = _texts(data, "purposes", sheet, _PURPOSES)
    for purpose, name in classes.items():
        if name not in COST_CLASSES:
            what = f"{shown(name)} is no cost class"
            _fault(sheet, ("purposes", purpose), what, one_of(COST_CLASSES), "name one of them")
    mode = data.get("accrual", "reversing")
    if mode not in MODES:
        _fault(sheet, ("accrual",), f"{shown(mode)} is no setting", one_of(MODES), "name one")
        mode = "reversing"
    return Accounts(
        ledger=_text(data.get("ledger", ""), ("ledger",), sheet),
        accrual=mode,
        classes={**PURPOSE_CLASSES, **classes},
        names=_names(data, sheet),
        entities=_texts(data, "entities", sheet),
        cost_centers=_texts(data, "cost_centers", sheet),
        fields=_fields(data, sheet),
        file=file,
    )


def _fields(data: dict[str, Any], sheet: Sheet) -> dict[str, str]:
    found = _texts(data, "fields", sheet)
    for name, text in found.items():
        try:
            fields_in(text)
        except ValueError as fault:
            what = f"{shown(text)}: {fault}"
            _fault(sheet, ("fields", name), what, "fields in braces", "close the braces")
    return found


def _names(data: dict[str, Any], sheet: Sheet) -> dict[str, dict[str, str]]:
    accounts = data.get("accounts", {})
    if not isinstance(accounts, dict) or not accounts:
        remedy = f"name {one_of(NEUTRAL_ACCOUNTS)}"
        _fault(sheet, (), "accounts is missing", "a mapping", remedy)
        return {}
    _known(accounts, NEUTRAL_ACCOUNTS, ("accounts",), sheet)
    return {
        name: _texts(accounts, name, sheet, above=("accounts",))
        if isinstance(value, dict)
        else {OTHERWISE: _text(value, ("accounts", name), sheet)}
        for name, value in accounts.items()
    }


def _texts(
    data: dict[str, Any],
    key: str,
    sheet: Sheet,
    known: tuple[str, ...] | None = None,
    above: tuple[str, ...] = (),
) -> dict[str, str]:
    section, place = data.get(key, {}), (*above, key)
    if not isinstance(section, dict):
        _fault(sheet, place, f"{shown(section)} stands here", "a mapping", "write name: value")
        return {}
    if known is not None:
        _known(section, known, place, sheet)
    return {name: _text(value, (*place, name), sheet) for name, value in section.items()}


def _known(
    data: dict[str, Any], known: tuple[str, ...], place: tuple[str, ...], sheet: Sheet
) -> None:
    for name in data:
        if name not in known:
            what = f"{name!r} is not known here"
            _fault(sheet, (*place, name), what, one_of(known), "rename it")


def _text(value: Any, place: tuple[str, ...], sheet: Sheet) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        _fault(sheet, place, f"{shown(value)} is no text", "a text or whole number", "quote it")
        return ""
    text = str(value)
    if text != text.strip() or not all(sign.isprintable() for sign in text):
        what = f"{shown(text)} has blanks around it or a control character"
        _fault(sheet, place, what, "the name exactly as the ERP has it", "correct it")
    return text


def _fault(sheet: Sheet, place: tuple[str, ...], what: str, expected: str, remedy: str) -> None:
    sheet.refuse(place, what, expected=expected, remedy=remedy)
