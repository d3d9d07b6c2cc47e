"""The law of leases: of one amount, who drew how much, who used how much, and what is free.

A holder draws a part of what is free and spends from it without asking again. What it drew counts
as taken until it gives it back, tells that it was used, or is closed; a holder that is lost keeps
what it drew, because nobody knows what it spent. So ``taken`` never passes the ceiling by a draw,
whoever draws at once and whoever dies. Amounts are whole nano.

The same law holds between the processes of a node (`tallybook.budget.book`) and between nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(slots=True)
class Lease:
    """What one holder drew in all, less what it gave back, and what it used of it."""

    drawn_nano: int = 0
    used_nano: int = 0

    @property
    def taken_nano(self) -> int:
        """What nobody else may have: a call that cost more than was held for it is used too."""
        return max(self.drawn_nano, self.used_nano)


@dataclass(slots=True)
class Account:
    """One budget and month: what closed holders used, the leases of the others, warnings given."""

    closed_nano: int = 0
    leases: dict[str, Lease] = field(default_factory=dict)
    warned: set[str] = field(default_factory=set)

    @property
    def taken_nano(self) -> int:
        """What is used or may still be used by somebody who drew it."""
        return self.closed_nano + sum(one.taken_nano for one in self.leases.values())

    @property
    def spent_nano(self) -> int:
        """What is known to be used."""
        return self.closed_nano + sum(one.used_nano for one in self.leases.values())

    def granting(self, ceiling_nano: int, need_nano: int, halvings: int) -> int:
        """What may be drawn: at least what is needed, or nothing.

        Args:
            ceiling_nano: what may be taken in all.
            need_nano: the least that is of use.
            halvings: how often what is free is halved for the slice: slices shrink as the rest
                does, so that little is left with a holder that needs it no longer.
        """
        free_nano = ceiling_nano - self.taken_nano
        if free_nano < need_nano or need_nano <= 0:
            return 0
        return max(need_nano, free_nano >> halvings)

    def draw(self, holder: str, ceiling_nano: int, need_nano: int, halvings: int) -> int:
        """Draw what may be drawn; see `granting`. Returns how much it was."""
        granted_nano = self.granting(ceiling_nano, need_nano, halvings)
        if granted_nano:
            self.lease_of(holder).drawn_nano += granted_nano
        return granted_nano

    def give_back(self, holder: str, nano: int) -> int:
        """Give back what was drawn and is not used; returns how much it was."""
        lease = self.lease_of(holder)
        back_nano = max(0, min(nano, lease.drawn_nano - lease.used_nano))
        lease.drawn_nano -= back_nano
        return back_nano

    def tell(self, holder: str, used_nano: int) -> None:
        """What a holder has used in all; told late or twice it changes nothing."""
        lease = self.lease_of(holder)
        lease.used_nano = max(lease.used_nano, used_nano)

    def announce(self, holder: str, drawn_nano: int, used_nano: int) -> None:
        """What a holder knows of itself, where this account may have forgotten it."""
        lease = self.lease_of(holder)
        lease.drawn_nano = max(lease.drawn_nano, drawn_nano)
        lease.used_nano = max(lease.used_nano, used_nano)

    def close(self, holder: str, used_nano: int) -> None:
        """A holder is gone and this is what it used in all; the rest of its lease is free."""
        lease = self.leases.pop(holder, None) or Lease()
        self.closed_nano += max(lease.used_nano, used_nano)

    def lease_of(self, holder: str) -> Lease:
        """The lease of a holder, made if there is none."""
        found = self.leases.get(holder)
        if found is None:
            found = self.leases[holder] = Lease()
        return found


def level_of(share: Fraction, limit_nano: int) -> str:
    """What a warning is known by: the level, and the amount that it is a share of.

    An amount that is raised has its levels before it again.
    """
    return f"{share.numerator}:{share.denominator}@{limit_nano}"


def levels_passed(
    spent_nano: int, limit_nano: int, levels: Iterable[Fraction], given: Iterable[str]
) -> list[Fraction]:
    """The levels that were passed and not given yet."""
    known = set(given)
    return [
        share
        for share in levels
        if spent_nano * share.denominator >= limit_nano * share.numerator
        and level_of(share, limit_nano) not in known
    ]
