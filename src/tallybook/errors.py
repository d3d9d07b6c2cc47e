"""Every way in which Tallybook says no, as one tree.

    TallybookError                 exit 1: the books refuse
    ├── MoneyError                 amounts that cannot be mixed, parsed, rounded (also ValueError)
    ├── ClockError                 an instant without zone, no such period (also ValueError)
    ├── BooksError                 a policy file is wrong; carries every fault, with file and line
    ├── EventError                 one usage record cannot be read; it is rejected, the rest goes in
    ├── PriceError                 a price that cannot be published or found
    ├── AllocationError            a policy that cannot be carried out
    ├── InvoiceError               a provider invoice that cannot be read, added up or taken in
    ├── LedgerError                an entry that the ledger refuses
    ├── PeriodError                the state of a period forbids the act
    ├── BudgetError                an act on a budget that nobody may do, or that is too late
    ├── HandoffError               what another system would refuse; nothing was written
    ├── StoreError                 the store cannot be opened, read or written
    │   ├── RangeError             a number is larger than what keeps it holds
    │   └── CorruptedError         bytes are not what was written
    ├── DeliveryError              events could not be delivered; they wait where they are
    ├── PullError                  an API of usage refuses, or does not answer
    └── WrongUsageError            exit 2: the command line is wrong

An error says what happened with its figures, where, and what to do next. Problems in data are
raised or returned as these; a broken assumption of our own code is an ``AssertionError``.
"""

from __future__ import annotations

from typing import ClassVar


class TallybookError(Exception):
    """The books refuse.

    Args:
        what: what is wrong, with the exact figures.
        where: file and line, table and row, or period; empty when there is no place.
        next_step: what the reader should do now.
    """

    code: ClassVar[str] = "refused"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        self.what = what
        self.where = where
        self.next_step = next_step
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        step = f"\n  next: {self.next_step}" if self.next_step else ""
        return f"{place}{self.what}{step}"


class MoneyError(TallybookError, ValueError):
    """Amounts that cannot be mixed, parsed or rounded."""

    code = "money"


class ClockError(TallybookError, ValueError):
    """An instant without a zone, or a period that is none."""

    code = "clock"


class BooksError(TallybookError):
    """A policy file is wrong; it is refused whole.

    Args:
        faults: one line per fault: ``file:line: what; expected ...; do ...``.
    """

    code = "books"

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        count = f"{len(faults)} fault" + ("" if len(faults) == 1 else "s")
        super().__init__(
            f"books refused, {count}, nothing applied:\n  " + "\n  ".join(faults),
            next_step="correct the files and apply again",
        )


class EventError(TallybookError, ValueError):
    """One usage record cannot be read; the line is rejected and kept, the rest goes in."""

    code = "event"


class PriceError(TallybookError):
    """A price that cannot be published or found."""

    code = "price"


class AllocationError(TallybookError):
    """A policy that cannot be carried out as written."""

    code = "allocation"


class InvoiceError(TallybookError):
    """A provider invoice that cannot be read, does not add up, or contradicts what is in."""

    code = "invoice"


class LedgerError(TallybookError):
    """An entry that the ledger refuses: unbalanced, empty, a second reversal."""

    code = "ledger"


class PeriodError(TallybookError):
    """The state of a period forbids the act."""

    code = "period"


class BudgetError(TallybookError):
    """An act on a budget that its approvers alone may do, or that there is nothing to do on."""

    code = "budget"


class HandoffError(TallybookError):
    """What another system would refuse, or would book twice; nothing was written."""

    code = "handoff"


class StoreError(TallybookError):
    """The store cannot be opened, read or written."""

    code = "store"


class RangeError(StoreError):
    """A number is larger than what keeps it holds; asking again does not help."""

    code = "range"


class CorruptedError(StoreError):
    """Bytes are not what was written."""

    code = "corrupted"


class DeliveryError(TallybookError):
    """Events could not be delivered; they wait where they are."""

    code = "delivery"


class PullError(TallybookError):
    """An API of usage refuses, or does not answer; what came before is in."""

    code = "pull"


class WrongUsageError(TallybookError):
    """The command line is wrong."""

    code = "usage"
    exit_code = 2
