"""What a month posts: the cost layer, the same under every model, and the charge layer by model.

Driver bases hold every call of every team by its payer, pooled evaluation included, and leave out
the central team. What no driver, team or feature can take stays where it is, and is central.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from tallybook.sim.oracle.books import TICK, Books, Row, budgets_in_force, by_id, percent, terms
from tallybook.sim.oracle.ledger import Posting
from tallybook.sim.oracle.owner import Owner
from tallybook.sim.oracle.price import Cost

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One call with its owner and its cost."""

    provider: str
    owner: Owner
    cost: Cost
    tokens: int
    state: str

    @property
    def cell(self) -> tuple[str, ...]:
        """What the ledger keeps apart when it books lines."""
        owner = self.owner
        return (owner.team, owner.feature, owner.purpose, owner.service, self.provider)


@dataclass(frozen=True, slots=True)
class Month:
    """A month's lines, split: pooled evaluation, the central team's, and what models charge."""

    books: Books
    lines: tuple[Line, ...]
    actuals: Mapping[str, str]

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
        return sorted(ids - {self.books.unowned_team})


def cost_layer(month: Month) -> list[Posting]:
    """Metered usage, pools at policy and actual, evaluation moved to its pool."""
    posted = []
    for line in month.lines:
        name, cell, cost = line.provider, line.cell, line.cost
        posted += [
            Posting("meter", f"Cost:{name}", cost.card, cell),
            Posting("meter", "Variance:rate_card", cost.contract - cost.card, cell),
            Posting("meter", f"Accrued:{name}", -cost.contract),
        ]
        if month.is_pooled(line):
            pool = f"Pool:{month.evaluation_pool}"
            posted += moved("evaluated", f"Cost:{name}", pool, cost.card, cell, "meter")
    for pool in month.books.policy.get("pools", []):
        if "monthly" in pool:
            policy = Fraction(pool["monthly"])
            actual = Fraction(month.actuals.get(pool["id"], pool["monthly"]))
            posted += moved("pool", f"Source:{pool['id']}", f"Pool:{pool['id']}", policy)
            posted += moved("pool", f"Source:{pool['id']}", "Variance:pool", actual - policy)
    return posted


def moved(
    entry: str,
    credit: str,
    debit: str,
    amount: Fraction,
    cell: tuple[str, ...] = (),
    base: str = "",
) -> list[Posting]:
    """One amount from an account to another."""
    return [
        Posting(entry, debit, amount, cell, base),
        Posting(entry, credit, -amount, cell, base),
    ]


def pool_amount(month: Month, pool: Row) -> Fraction:
    """What a pool holds: its policy amount, and evaluation if it pays for that."""
    pooled = (x.cost.card for x in month.lines if month.is_pooled(x))
    filled = sum(pooled, ZERO) if pool["id"] == month.evaluation_pool else ZERO
    return Fraction(pool.get("monthly", "0")) + filled


def pool_shares(month: Month, pool: Row) -> dict[str, Fraction]:
    """A pool's driver share of each team; empty when the base is."""
    weights = driver_weights(month, pool)
    return spread(pool_amount(month, pool), weights, Fraction(pool.get("floor", "0")))


def driver_weights(month: Month, pool: Row) -> dict[str, Fraction]:
    """The weight of each team under a pool's driver."""
    if pool["driver"] == "equal":
        return dict.fromkeys(month.teams(), Fraction(1))
    if pool["driver"] == "fixed":
        fixed = {team: Fraction(weight) for team, weight in pool["weights"].items()}
        return {team: fixed.get(team, ZERO) for team in month.teams()}
    measures: dict[str, Callable[[Line], Fraction | int]] = {
        "calls": lambda _: 1,
        "tokens": lambda line: line.tokens,
        "cost": lambda line: line.cost.card,
        "production_cost": lambda line: line.cost.card * (line.owner.purpose == "production"),
    }
    weights: defaultdict[str, Fraction] = defaultdict(Fraction)
    for line in filter(month.is_outside, month.lines):
        weights[line.owner.team] += measures[pool["driver"]](line)
    return weights


def spread(
    total: Fraction, weights: Mapping[str, Fraction], floor: Fraction = ZERO
) -> dict[str, Fraction]:
    """Shares by weight; a weight that is not zero gets the floor at least, by water-filling.

    Floors that cannot all be met shrink to equal shares.
    """
    rest = {name: weight for name, weight in weights.items() if weight}
    floor = min(floor, total / len(rest)) if rest else floor
    shares: dict[str, Fraction] = {}
    low = set(rest)
    while low:
        left = total - floor * len(shares)
        base = sum(rest.values(), ZERO)
        low = {name for name, weight in rest.items() if left * weight < floor * base}
        shares |= dict.fromkeys(low, floor)
        rest = {name: weight for name, weight in rest.items() if name not in low}
    left = total - floor * len(shares)
    base = sum(rest.values(), ZERO)
    return shares | {name: left * weight / base for name, weight in rest.items()}


def charge_layer(month: Month) -> list[Posting]:
    """What each team is debited under its model; for showback what it is shown."""
    posted = charge_by_tokens(month)
    for team in month.teams():
        deal = terms(month.books, team)
        lines = month.usage(team)
        if deal["model"] == "real_cost":
            posted += charge_lines(lines) + charge_markup(lines, percent(deal.get("markup", "0%")))
        elif deal["model"] == "use_case_budget" and deal.get("charge", "actual") == "committed":
            posted += charge_committed(month, team, lines)
        elif deal["model"] == "use_case_budget":
            posted += charge_lines(lines)
        elif deal["model"] == "showback":
            posted += show(month, team, lines)
    return posted + charge_pools(month)


def show(month: Month, team: str, lines: Iterable[Line]) -> list[Posting]:
    """What showback shows: usage at rate card and the driver share of every pool."""
    shown = [(line.cost.card, line.cell, "meter") for line in lines]
    for pool in month.books.policy.get("pools", []):
        share = pool_shares(month, pool).get(team, ZERO)
        shown.append((share, (team, pool["id"]), "evaluated"))
    account = f"Memo:Shown:{team}"
    return [x for row in shown for x in moved("memo", "Memo:Contra", account, *row)]


def charge_by_tokens(month: Month) -> list[Posting]:
    """Proportional: what the teams on this model used, at rate card, split by their tokens."""
    members = [x for x in month.teams() if terms(month.books, x)["model"] == "proportional"]
    lines = [line for team in members for line in month.usage(team)]
    tokens = sum(line.tokens for line in lines)
    value = sum((line.cost.card for line in lines), ZERO)
    if not tokens:
        return []
    name = "proportional"
    return [
        posting
        for x in lines
        for posting in (
            Posting(name, usage(x), value * x.tokens / tokens, x.cell, "meter"),
            Posting(name, f"Cost:{x.provider}", -x.cost.card, x.cell, "meter"),
        )
    ]


def usage(line: Line) -> str:
    """The account of a team's usage."""
    return f"Charge:{line.owner.team}:usage"


def charge_lines(lines: Iterable[Line]) -> list[Posting]:
    """Usage at rate card, and apart from it what another team's service ran for the payer."""
    posted = []
    for line in lines:
        account = f"Charge:{line.owner.team}:transfer" if line.owner.executor else usage(line)
        cost = f"Cost:{line.provider}"
        posted += moved("charged", cost, account, line.cost.card, line.cell, "meter")
    return posted


def charge_markup(lines: Iterable[Line], rate: Fraction) -> list[Posting]:
    """The markup on usage and transfers."""
    return [
        posting
        for x in lines
        for posting in moved(
            "markup",
            "Absorption:markup",
            f"Charge:{x.owner.team}:markup",
            x.cost.card * rate,
            x.cell,
            "meter",
        )
    ]


def charge_committed(month: Month, team: str, lines: list[Line]) -> list[Posting]:
    """The larger of budget and burn for features with a budget; the rest as it was used.

    A budget is the commitment of the team that owns the feature at the month's end.
    """
    features = by_id(month.books, "features", month.books.end - TICK)
    budgets = {
        feature: amount
        for feature, amount in budgets_in_force(month.books).items()
        if features.get(feature, {}).get("team") == team
    }
    burning = [line for line in lines if line.owner.feature in budgets]
    posted = charge_lines(line for line in lines if line.owner.feature not in budgets)
    for x in burning:
        posted += moved("committed", f"Cost:{x.provider}", usage(x), x.cost.card, x.cell, "meter")
    for feature, budget in budgets.items():
        burn = sum((x.cost.card for x in burning if x.owner.feature == feature), ZERO)
        account = f"Charge:{team}:usage"
        unused = max(budget - burn, ZERO)
        cell = (team, feature)
        posted += moved("committed", "Absorption:budget", account, unused, cell, "meter")
    return posted


def charge_pools(month: Month) -> list[Posting]:
    """Each pool once: by driver, by markup under real cost if it says so, not under showback."""
    posted = []
    for pool in month.books.policy.get("pools", []):
        name = pool["id"]
        quality = name == month.evaluation_pool
        kind, base = ("evaluation", "evaluated") if quality else ("pool", "")
        for team, share in pool_shares(month, pool).items():
            model = terms(month.books, team)["model"]
            markup = model == "real_cost" and pool.get("recovered_by") == "markup"
            debit = "Absorption:markup" if markup else f"Charge:{team}:{kind}"
            if model != "showback":
                entry = f"pool {name}"
                posted += moved(entry, f"Pool:{name}", debit, share, (team,), base)
    return posted


def fair_share(month: Month, team: str) -> Fraction:
    """A team's usage at rate card and its driver share of every pool, without markup."""
    used = sum((line.cost.card for line in month.usage(team)), ZERO)
    pools = month.books.policy.get("pools", [])
    return used + sum((pool_shares(month, pool).get(team, ZERO) for pool in pools), ZERO)
