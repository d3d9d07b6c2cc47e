"""The same month under each of the four models: who would bear what, and how fairly.

Every figure comes from `tallybook.allocate.allocate.allocate`; only the policy is exchanged. The
fair share of a team is its usage at rate card plus its driver share of every pool, without markup,
plus what it owes and less what it earns at transfer prices: exactly what showback would show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import AllocatedLine, Month
from tallybook.allocate.saving import savings
from tallybook.attribute.model import TransferUse
from tallybook.books.model import Model, PolicyVersion, TeamPolicy

MODELS: tuple[Model, ...] = ("showback", "proportional", "real_cost", "use_case_budget")
CURRENT = "current"
"""The policy as it stands, beside the four."""

_UNNAMED_MARKUP = Fraction(15, 100)
_OUTSIDE = ("Accrued:", "Source:")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One model over the month, in nano.

    Attributes:
        policy: how every team is charged; None for the policy as it stands.
        borne_nano: per team but the central one; with ``central_nano`` it makes the ledger cost.
        shown_nano: what showback shows the teams that are on it.
        unfairness: half of what teams and central bear more or less than their fair share, as a
            share of the ledger cost: how much of the bill sits with someone who did not cause it.
        saving: per team with usage, what it saves when its usage is worth one unit less.
        lines: what the model posts and shows; cents cross from these, as on a statement.
    """

    policy: TeamPolicy | None
    borne_nano: Mapping[str, int]
    shown_nano: Mapping[str, int]
    central_nano: int
    unfairness: Fraction
    saving: Mapping[str, Fraction]
    lines: tuple[AllocatedLine, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcomes by model in the order of `MODELS`, then `CURRENT`.

    ``uses`` are the transfer prices of the month: what teams owe each other under each model alike.
    """

    period: str
    ledger_cost_nano: int
    fair_nano: Mapping[str, int]
    outcomes: Mapping[str, Outcome]
    uses: tuple[TransferUse, ...] = ()

    @property
    def fairest(self) -> str:
        """The model with the least unfairness; of equals, the first in the order of `MODELS`."""
        return min(MODELS, key=lambda model: self.outcomes[model].unfairness)


def compare(month: Month) -> Comparison:
    """Allocate the month under every model for all teams, and as the policy stands.

    Raises:
        AllocationError: the policy cannot be carried out.
    """
    policies = policies_of(month.policy)
    charged = {name: _charged(month, policy) for name, policy in policies.items()}
    saved = savings(month, policies)
    fair = charged["showback"].shown
    cost = charged["showback"].cost
    return Comparison(
        period=month.period,
        ledger_cost_nano=cost,
        fair_nano=fair,
        outcomes={
            name: Outcome(
                policy=None if name == CURRENT else policies[name].default,
                borne_nano=found.borne,
                shown_nano=found.shown,
                central_nano=found.central,
                unfairness=_unfairness(found, fair, cost),
                saving=saved[name],
                lines=found.lines,
            )
            for name, found in charged.items()
        },
        uses=month.uses,
    )


def policies_of(policy: PolicyVersion) -> dict[str, PolicyVersion]:
    """The policy with every team on one model, for each model; and the policy itself.

    The markup is the highest that the policy names under real cost, 15 % if it names none. Use case
    budgets are committed if the default says so or, without a default on budgets, if any team's
    entry does.
    """
    named = (policy.default, *policy.teams.values())
    markups = [each.markup for each in named if each.model == "real_cost"]
    budgeted = [each.charge for each in named if each.model == "use_case_budget"]
    first = policy.default.model == "use_case_budget"
    committed = "committed" in (budgeted[:1] if first else budgeted)
    team_policies = (
        TeamPolicy("showback"),
        TeamPolicy("proportional"),
        TeamPolicy("real_cost", markup=max(markups, default=_UNNAMED_MARKUP)),
        TeamPolicy("use_case_budget", charge="committed" if committed else "actual"),
    )
    alone = {str(each.model): replace(policy, default=each, teams={}) for each in team_policies}
    return {**{model: alone[model] for model in MODELS}, CURRENT: policy}


@dataclass(frozen=True, slots=True)
class _Charged:
    borne: Mapping[str, int]
    shown: Mapping[str, int]
    central: int
    cost: int
    lines: tuple[AllocatedLine, ...]


def _charged(month: Month, policy: PolicyVersion) -> _Charged:
    allocation = allocate(replace(month, policy=policy))
    booked = allocation.cost + allocation.charge
    borne = _by_team(month, booked, "Charge:")
    outside = sum(line.amount_nano for line in booked if line.account.startswith(_OUTSIDE))
    # Every group of lines sums to zero, so what is neither charged nor outside is central.
    return _Charged(
        borne=borne,
        shown=_by_team(month, allocation.memo, "Memo:Shown:"),
        central=sum(
            line.amount_nano
            for line in booked
            if not line.account.startswith(("Charge:", *_OUTSIDE))
        ),
        cost=-outside,
        lines=allocation.lines,
    )


def _by_team(month: Month, lines: tuple[AllocatedLine, ...], family: str) -> dict[str, int]:
    totals = dict.fromkeys(month.payers, 0)
    for line in lines:
        if line.account.startswith(family):
            totals[line.team] += line.amount_nano
    return totals


def _unfairness(found: _Charged, fair: Mapping[str, int], cost_nano: int) -> Fraction:
    if not cost_nano:
        return Fraction(0)  # a bill of nothing sits with nobody
    apart = sum(abs(found.borne[team] - nano) for team, nano in fair.items())
    apart += abs(found.central - (cost_nano - sum(fair.values())))
    return Fraction(apart, 2 * abs(cost_nano))
