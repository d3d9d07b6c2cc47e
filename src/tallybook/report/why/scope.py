"""From our usage to what a rival figure speaks of: whose calls, which, and on which days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallybook.books.model import Org
from tallybook.errors import WrongUsageError
from tallybook.reconcile.read.sku import model_mark
from tallybook.report.model import StatementSet
from tallybook.report.why.compare import by_value
from tallybook.report.why.model import Basis, Claim, Step, UsageCell
from tallybook.report.why.ours import Total
from tallybook.report.why.readings import Reading
from tallybook.report.why.usage import OurUsage

OF_OWNERS: Final = ("team", "feature")
CENT_PICO: Final = 10**10
_WORDS: Final = {
    "provider": "providers",
    "model": "models",
    "key": "keys",
    "team": "teams",
    "feature": "features",
    "purpose": "purposes",
    "class": "token classes",
}
_DONE: Final = {"executor": "ran", "origin": "started"}


@dataclass(frozen=True, slots=True)
class Seen:
    """All that the steps are made from.

    ``evaluation_is_pooled``: our total leaves the evaluation calls of its teams to a pool.
    """

    claim: Claim
    issue: StatementSet
    usage: OurUsage
    total: Total
    tried: tuple[Reading, ...]
    evaluation_is_pooled: bool

    @property
    def base(self) -> Reading:
        """What our total is made with."""
        return self.tried[0]

    def month(self, basis: Basis, *, evaluation: bool = True) -> list[UsageCell]:
        """The calls of the month that are of our total's teams and features.

        Args:
            basis: what makes them theirs.
            evaluation: with those that a pool pays.
        """
        teams, features = owners(self.claim)
        return [
            cell
            for cell in self.usage.cells
            if cell.inside
            and (not teams or cell.value("team", basis) in teams)
            and (not features or cell.feature in features)
            and (evaluation or not self.evaluation_is_pooled or cell.purpose != "evaluation")
        ]


def owners(claim: Claim) -> tuple[frozenset[str], frozenset[str]]:
    """The teams and features that a figure is about; of several in rows, none: all."""
    found = []
    for name in OF_OWNERS:
        chosen = claim.scope.get(name, frozenset())
        if not chosen and name in claim.dimensions:
            named = frozenset(row.values[name] for row in claim.usage)
            chosen = named if len(named) == 1 else frozenset()
        found.append(chosen)
    return found[0], found[1]


def resolved(claim: Claim, org: Org, cells: Iterable[UsageCell]) -> Claim:
    """The figure with our names of teams, features and models.

    Raises:
        WrongUsageError: its scope names a team or a feature that the books do not know.
    """
    names: dict[str, dict[str, str]] = {"team": {}, "feature": {}, "model": {}}
    for team in org.teams:
        names["team"] |= {told.casefold(): team.id for told in (team.cost_center, team.name)}
    for feature in org.features:
        names["feature"][feature.name.casefold()] = feature.id
    names["team"] |= {team.id.casefold(): team.id for team in org.teams}
    names["feature"] |= {feature.id.casefold(): feature.id for feature in org.features}
    cells = list(cells)
    providers = sorted({cell.provider for cell in cells})
    names["provider"] = {provider.casefold(): provider for provider in providers}
    models = sorted({cell.model for cell in cells})
    names["model"] = {model_mark(model): model for model in models}
    names["model"] |= {model.casefold(): model for model in models}

    def ours(name: str, told: str) -> str:
        known = names.get(name, {})
        mark = model_mark(told) if name == "model" else told
        return known.get(told.casefold(), known.get(mark, told))

    for name in OF_OWNERS:
        unknown = [told for told in claim.scope.get(name, ()) if told.casefold() not in names[name]]
        if unknown:
            raise WrongUsageError(
                f"the books know no {name} {', '.join(sorted(unknown))}",
                next_step=f"one of: {', '.join(sorted(set(names[name].values())))}",
            )
    rows = tuple(
        replace(row, values={name: ours(name, told) for name, told in row.values.items()})
        for row in claim.rows
    )
    scope = {k: frozenset(ours(k, told) for told in values) for k, values in claim.scope.items()}
    return replace(claim, rows=rows, scope=scope)


def to_usage(seen: Seen) -> list[Step]:
    """From our total to our calls of the month at its prices, all purposes in."""
    steps = list(seen.total.away)
    pooled = [cell for cell in seen.month("payer") if cell.purpose == "evaluation"]
    if seen.evaluation_is_pooled and pooled:
        amounts = by_value(pooled, "feature", "payer", seen.base)
        words = "evaluation that a pool pays is not in our total"
        told = "the calls are these teams'"
        steps.append(Step.of("usage_only", "pooled_evaluation", words, told, amounts))
    counted = seen.base.amount(seen.month("payer", evaluation=False))
    left = counted - seen.total.usage_pico
    if not left:
        return steps
    lines = 1 + sum(len(each.lines) for each in seen.issue.statements)
    if abs(left) <= lines * CENT_PICO:
        told = f"less than a cent on each of {lines} lines"
        words = "statements are in whole cents"
        steps.append(Step("rounding", "issued_cents", words, left, told))
    else:
        words = "the chargeback model does not charge each call at the rate card"
        told = "usage on the statements against the calls"
        steps.append(Step("model", "chargeback_model", words, left, told))
    return steps


def scoped(seen: Seen, basis: Basis, *, keep: bool = False) -> tuple[list[Step], list[UsageCell]]:
    """From our calls to those that a figure speaks of: the steps, and the calls.

    Args:
        seen: what there is.
        basis: whose calls a team's are to them.
        keep: what is no usage stays in, and what a pool pays stays out.
    """
    steps: list[Step] = []
    cells = seen.month(basis, evaluation=not keep)
    if basis != "payer" and owners(seen.claim)[0]:
        steps += _owner_step(seen, basis, seen.month("payer", evaluation=not keep), cells)
    for name, words in _WORDS.items():
        values = _values(seen.claim, name)
        if values is None:
            continue
        out = [cell for cell in cells if cell.value(name, basis) not in values]
        cells = [cell for cell in cells if cell.value(name, basis) in values]
        amounts = by_value(out, name, basis, seen.base)
        steps += _out("scope", f"{name}_out", f"{words} that are not in their figure", amounts)
    return _dated(seen, basis, cells, steps)


def _dated(
    seen: Seen, basis: Basis, cells: list[UsageCell], steps: list[Step]
) -> tuple[list[Step], list[UsageCell]]:
    """Days of ours that they leave out, and days of theirs that are not of our month."""
    claim = seen.claim
    if not claim.first_day:
        return steps, cells
    off = [cell for cell in cells if not _on(claim, cell)]
    words = "days of our month that are not in their figure"
    steps += _out("period", "days_out", words, by_value(off, "day", basis, seen.base))
    teams, features = owners(claim)
    beyond = [
        cell
        for cell in seen.usage.cells
        if not cell.inside
        and _on(claim, cell)
        and (not teams or cell.value("team", basis) in teams)
        and (not features or cell.feature in features)
        and all(
            cell.value(name, basis) in values
            for name in _WORDS
            if (values := _values(claim, name)) is not None
        )
    ]
    added = by_value(beyond, "day", basis, seen.base)
    words = f"their days in {claim.zone} that are not of our month"
    step = Step.of("period", "days_in", words, f"their days run in {claim.zone}", added)
    return [*steps, *([step] if step.parts else [])], [
        *(cell for cell in cells if _on(claim, cell)),
        *beyond,
    ]


def _on(claim: Claim, cell: UsageCell) -> bool:
    return claim.first_day <= cell.day <= claim.last_day


def _values(claim: Claim, name: str) -> frozenset[str] | None:
    """What a figure is about in a dimension; None: all."""
    if name in claim.scope:
        return claim.scope[name]
    if name in claim.dimensions:
        return frozenset(row.values[name] for row in claim.usage)
    return None


def _out(kind: str, cause: str, words: str, amounts: Mapping[str, int]) -> list[Step]:
    negated = {name: -pico for name, pico in amounts.items()}
    step = Step.of(kind, cause, words, "not in their rows or their scope", negated)
    return [step] if step.parts else []


def _owner_step(
    seen: Seen, basis: Basis, mine: Sequence[UsageCell], theirs: Sequence[UsageCell]
) -> list[Step]:
    """Calls that a team ran or started and another pays for, and the other way round."""
    done = _DONE[basis]
    teams = owners(seen.claim)[0]
    gained = by_value((c for c in theirs if c.payer not in teams), "team", "payer", seen.base)
    lost = by_value(
        (c for c in mine if c.value("team", basis) not in teams), "team", basis, seen.base
    )
    amounts = {f"they {done} it, {team} pays": pico for team, pico in gained.items()}
    amounts |= {f"{team} {done} it, they pay": -pico for team, pico in lost.items()}
    words = f"their figure counts calls by who {done} them, ours by who pays"
    step = Step.of("owner", basis, words, "the reading that agrees best with theirs", amounts)
    return [step] if step.parts else []
