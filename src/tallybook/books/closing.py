"""What closing a month takes beside its usage: limits of open items, and who may sign for what."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, get_args

Duty = Literal["controller", "approver", "preparer"]
DUTIES: Final[tuple[Duty, ...]] = get_args(Duty)


@dataclass(frozen=True, slots=True)
class OpenItemLimit:
    """From which age in days, and above which amount in nano, an open item stops the close."""

    days: int
    amount_nano: int


@dataclass(frozen=True, slots=True)
class Closing:
    """Limits of a close beside those of usage; what is None is shown and stops nothing.

    ``suspects`` is a share of the month's calls, ``suspense`` of what was invoiced in it,
    ``unreconciled_nano`` what may be invoiced and not booked. A line may be disputed for
    ``dispute_days`` after the month.
    """

    suspects: Fraction | None = None
    suspense: Fraction | None = None
    unreconciled_nano: int | None = None
    open_items: OpenItemLimit | None = None
    dispute_days: int | None = None
