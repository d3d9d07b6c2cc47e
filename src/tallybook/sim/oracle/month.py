"""What a month posts: the cost layer, the same under every model, and the charge layer by model.

Driver bases hold every call of every team by its payer, pooled evaluation included, and leave out
the central team. What no driver, team or feature can take stays where it is, and is central.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from tallybook.sim.oracle.books import TICK, budgets_in_force, by_id, percent, terms
from tallybook.sim.oracle.capacity import cost_of_capacity
from tallybook.sim.oracle.ledger import Posting
from tallybook.sim.oracle.lines import ZERO, Line, Month
from tallybook.sim.oracle.pools import has_flows, pool_flows, pool_parts, pool_shares


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
    for row in month.books.prices.get("capacity", []):
        bills = f"Accrued:{row['provider']}" if "provider" in row else f"Source:{row['id']}"
        amount = cost_of_capacity(month.books, row)
        posted += moved(f"capacity {row['id']}", bills, f"Pool:{row['pool']}", amount)
    for way, flow in pool_flows(month).items():
        giver, taker = (f"Pool:{name}" for name in way)
        posted += beneath(month, moved("flows", giver, taker, flow, way))
    return posted


def beneath(month: Month, posted: list[Posting], pool: str = "") -> list[Posting]:
    """Postings of what stands on pools, told which entries' rounded amounts it is made of.

    A step of pools passes on what the steps before it rounded, so flows are their own base too.
    """
    bases = ["evaluated"] if pool == month.evaluation_pool else []
    if has_flows(month):
        bases = ["evaluated", "flows"]
    first, *more = bases or [""]
    told = [replace(posting, base=first) for posting in posted]
    return told + [replace(one, amount=ZERO, base=base) for base in more for one in posted]


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
    return posted + charge_prices(month) + charge_pools(month)


def charge_prices(month: Month) -> list[Posting]:
    """Transfer prices from team to team; the leg of a team that is central is central too."""
    posted = []
    for price in month.prices:
        teams = (price.payer, price.callee)
        debit, credit = (price_account(month, team) for team in teams)
        if debit != credit:
            owner = price.owner
            cell = (*teams, price.service, price.feature, *owner.origin, owner.purpose)
            posted += moved("transfer", credit, debit, price.amount, cell)
        for team, amount in zip(teams, (price.amount, -price.amount), strict=True):
            if team != month.books.unowned_team and is_shown(month, team):
                account = f"Memo:Shown:{team}"
                posted += moved("memo price", "Memo:Contra", account, amount, (*teams, team))
    return posted


def price_account(month: Month, team: str) -> str:
    """Where a team's leg of a transfer price is booked."""
    is_central = team == month.books.unowned_team or is_shown(month, team)
    return "Absorption:transfer" if is_central else f"Charge:{team}:transfer"


def is_shown(month: Month, team: str) -> bool:
    """Whether a team is shown its cost and charged nothing."""
    return bool(terms(month.books, team)["model"] == "showback")


def show(month: Month, team: str, lines: Iterable[Line]) -> list[Posting]:
    """What showback shows: usage at rate card and the driver share of every pool."""
    account, contra = f"Memo:Shown:{team}", "Memo:Contra"
    posted = []
    for x in lines:
        posted += moved("memo", contra, account, x.cost.card, x.cell, "meter")
    for pool in month.books.policy.get("pools", []):
        share = pool_shares(month, pool).get(team, ZERO)
        shown = moved("memo", contra, account, share, (team, pool["id"]))
        posted += beneath(month, shown, month.evaluation_pool)
    return posted


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
        kind = "evaluation" if name == month.evaluation_pool else "pool"
        for (part, team), share in pool_parts(month, pool).items():
            model = terms(month.books, team)["model"]
            markup = model == "real_cost" and pool.get("recovered_by") == "markup"
            # What pays for evaluation is charged as such, whatever the pool says of its recovery.
            markup = markup and kind == "pool"
            debit = "Absorption:markup" if markup else f"Charge:{team}:{kind}"
            if model != "showback":
                entry = f"pool {name}"
                charged = moved(entry, f"Pool:{name}", debit, share, (team, part))
                posted += beneath(month, charged, name)
    return posted


def fair_share(month: Month, team: str) -> Fraction:
    """A team's usage at rate card, its driver share of every pool and its transfer prices."""
    owed = sum((price.amount for price in month.prices if price.payer == team), ZERO)
    owed -= sum((price.amount for price in month.prices if price.callee == team), ZERO)
    used = owed + sum((line.cost.card for line in month.usage(team)), ZERO)
    pools = month.books.policy.get("pools", [])
    return used + sum((pool_shares(month, pool).get(team, ZERO) for pool in pools), ZERO)
