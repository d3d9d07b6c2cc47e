"""The calls of a month with owner and cost, and what a month knows of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tallybook.sim.oracle.books import TICK, Books, by_id
from tallybook.sim.oracle.owner import Owner
from tallybook.sim.oracle.payer import Price
from tallybook.sim.oracle.price import Cost

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Line:
    """What a payer bears of one call, or of the calls of a month that are divided alike."""

    provider: str
    owner: Owner
    cost: Cost
    tokens: int
    state: str
    calls: int = 1

    @property
    def cell(self) -> tuple[str, ...]:
        """What the ledger keeps apart when it books lines."""
        owner = self.owner
        paid = (owner.team, owner.feature, owner.purpose, owner.service, self.provider)
        return (*paid, *owner.origin, owner.ran_by)


@dataclass(frozen=True, slots=True)
class Month:
    """A month's lines, split: pooled evaluation, the central team's, and what models charge."""

    books: Books
    lines: tuple[Line, ...]
    actuals: Mapping[str, str]
    prices: tuple[Price, ...] = ()

    @property
    def evaluation_pool(self) -> str:
        """The pool that pays for evaluation, or ""."""
        evaluation = self.books.policy.get("evaluation", {})
        return str(evaluation["pool"]) if evaluation.get("funding") == "pooled" else ""

    def is_pooled(self, line: Line) -> bool:
        """Whether the evaluation pool bears a line; the central team's lines are all central."""
        return bool(self.evaluation_pool) and self.is_charged_as("evaluation", line)

    def is_charged_as(self, purpose: str, line: Line) -> bool:
        """Whether a line of a team that is not central has a purpose."""
        return self.is_outside(line) and line.owner.purpose == purpose

    def is_outside(self, line: Line) -> bool:
        """Whether a line belongs to a team other than the central one."""
        return line.owner.team != self.books.unowned_team

    def usage(self, team: str) -> list[Line]:
        """The lines that a team's model charges, or shows."""
        return [x for x in self.lines if x.owner.team == team and not self.is_pooled(x)]

    def teams(self) -> list[str]:
        """Every team that the org chart has in the month, without the central one."""
        ids = {
            str(row["id"])
            for row in self.books.org["teams"]
            for at in (self.books.start, self.books.end - TICK)
            if row in by_id(self.books, "teams", at).values()
        } | {line.owner.team for line in self.lines}
        ids |= {team for price in self.prices for team in (price.payer, price.callee)}
        return sorted(ids - {self.books.unowned_team})
