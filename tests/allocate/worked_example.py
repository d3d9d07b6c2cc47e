"""The worked example: one October of teams A and B, with every figure that its tables state.

Figures are whole currency units; `Decimal` text where they are not. Rows, policies and expected
balances read like the tables that they come from.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from tallybook.allocate.model import CapacityCost, CostCell, Month, PoolAmount
from tallybook.attribute.model import TransferUse
from tallybook.books.model import CostPool, Evaluation, PolicyVersion, RateCard, TeamPolicy
from tallybook.clock import Period
from tallybook.money import parse_units

UNIT = 10**9


def cell(provider, payer, feature, run_by, purpose, calls, tokens_m, card, contract):
    return CostCell(
        provider=provider,
        team=payer,
        feature=feature,
        purpose=purpose,
        kind="usage" if payer == run_by else "transfer",
        service="" if payer == run_by else "retrieval",
        executor=run_by,
        fallback=payer == "platform",
        calls=calls,
        tokens=int(tokens_m * 10**6),
        card_pico=card * UNIT * 1000,
        card_nano=card * UNIT,
        variance_nano=(contract - card) * UNIT,
    )


ROWS = (
    cell("X", "A", "a-bot", "A", "production", 50, 4, 500, 460),
    cell("X", "A", "a-bot", "A", "evaluation", 10, 1, 100, 100),
    cell("Y", "A", "a-bot", "B", "production", 20, 1, 100, 100),
    cell("Y", "B", "b-find", "B", "production", 40, 5, 200, 200),
    cell("X", "platform", "", "platform", "untagged", 5, 0.5, 50, 50),
)

AT_PRICE = "at_transfer_price"
"""The column *real_cost, retrieval at transfer_price 120*: B bears r3 and A owes 20 x 6.00."""

PRICED_ROWS = tuple(
    replace(row, team="B", feature="", kind="usage", service="retrieval", origin="A",
            transfer="transfer_price")
    if row.kind == "transfer" else row
    for row in ROWS
)  # fmt: skip
USES = (
    TransferUse("A", "a-bot", "production", "", "", "retrieval", "B", 20, 20, 6 * UNIT, "call",
                120 * UNIT),
)  # fmt: skip

MARKUP = Fraction(15, 100)
MODELS = {
    "showback": TeamPolicy("showback"),
    "proportional": TeamPolicy("proportional"),
    "real_cost": TeamPolicy("real_cost", MARKUP),
    "budget_actual": TeamPolicy("use_case_budget", charge="actual"),
    "budget_committed": TeamPolicy("use_case_budget", charge="committed"),
}


def policy(default: TeamPolicy, teams: dict[str, TeamPolicy] | None = None) -> PolicyVersion:
    return PolicyVersion(
        effective_from=Period.parse("2026-10"),
        default=default,
        teams=teams or {},
        rate_card=RateCard(),
        pool_method="direct",
        pools=(
            CostPool("gateway", 150 * UNIT, "calls", {}, 0, "markup"),
            CostPool("quality", None, "production_cost", {}, 0, "driver"),
        ),
        evaluation=Evaluation("pooled", "quality"),
        variance="absorb",
        limits={},
    )


POLICIES = {name: policy(model) for name, model in MODELS.items()} | {
    "mixed": policy(MODELS["real_cost"], {"B": MODELS["showback"]}),
}


def month(column: str) -> Month:
    return Month(
        period="2026-10",
        cells=PRICED_ROWS if column == AT_PRICE else ROWS,
        policy=POLICIES["real_cost" if column == AT_PRICE else column],
        pools=(PoolAmount("gateway", 150 * UNIT, 160 * UNIT),),
        budgets={"a-bot": 700 * UNIT, "b-find": 180 * UNIT},
        teams=("A", "B", "platform"),
        unowned="platform",
        owner_of={"a-bot": "A", "b-find": "B"},
        uses=USES if column == AT_PRICE else (),
    )


def with_capacity(column: str) -> Month:
    """The month with 100 tokens of capacity that A reserved half of, at two costs; B is idle."""
    capacity = CostPool(
        "ptu", None, "capacity", {}, 0, "driver", reserved={"A": Fraction(1, 2)}, idle="B"
    )
    plain = month(column)
    return replace(
        plain,
        policy=replace(plain.policy, pools=(*plain.policy.pools, capacity)),
        capacity=(
            CapacityCost("unit", "ptu", "X:eu", 900 * UNIT, Fraction(100), serves=True),
            CapacityCost("rack", "ptu", "", 100 * UNIT, None, serves=False),
        ),
        capacity_use={"ptu": {"A": 60, "B": 5, "platform": 5}},
    )


COST = {
    "Variance:rate_card": "-40",
    "Variance:pool": "10",
    "Accrued:X": "-610",
    "Accrued:Y": "-300",
    "Source:gateway": "-160",
}

# Section 4, trial balance at 31 October, column by column; the rows of COST are the same in all.
TRIAL_BALANCE = {
    "showback": {
        "Cost:X": "550",
        "Cost:Y": "300",
        "Pool:gateway": "150",
        "Pool:quality": "100",
        "Memo:Shown:A": "775",
        "Memo:Shown:B": "275",
        "Memo:Contra": "-1050",
    },
    "proportional": {
        "Cost:X": "50",
        "Charge:A:usage": "400",
        "Charge:A:pool": "100",
        "Charge:A:evaluation": "75",
        "Charge:B:usage": "400",
        "Charge:B:pool": "50",
        "Charge:B:evaluation": "25",
    },
    "real_cost": {
        "Cost:X": "50",
        "Absorption:markup": "30",
        "Charge:A:usage": "500",
        "Charge:A:transfer": "100",
        "Charge:A:markup": "90",
        "Charge:A:evaluation": "75",
        "Charge:B:usage": "200",
        "Charge:B:markup": "30",
        "Charge:B:evaluation": "25",
    },
    "budget_actual": {
        "Cost:X": "50",
        "Charge:A:usage": "500",
        "Charge:A:transfer": "100",
        "Charge:A:pool": "100",
        "Charge:A:evaluation": "75",
        "Charge:B:usage": "200",
        "Charge:B:pool": "50",
        "Charge:B:evaluation": "25",
    },
    "budget_committed": {
        "Cost:X": "50",
        "Absorption:budget": "-100",
        "Charge:A:usage": "700",
        "Charge:A:pool": "100",
        "Charge:A:evaluation": "75",
        "Charge:B:usage": "200",
        "Charge:B:pool": "50",
        "Charge:B:evaluation": "25",
    },
    "mixed": {
        "Cost:X": "50",
        "Cost:Y": "200",
        "Pool:gateway": "50",
        "Pool:quality": "25",
        "Absorption:markup": "10",
        "Charge:A:usage": "500",
        "Charge:A:transfer": "100",
        "Charge:A:markup": "90",
        "Charge:A:evaluation": "75",
        "Memo:Shown:B": "275",
        "Memo:Contra": "-275",
    },
    AT_PRICE: {
        "Cost:X": "50",
        "Absorption:markup": "30",
        "Charge:A:usage": "500",
        "Charge:A:transfer": "120",
        "Charge:A:markup": "75",
        "Charge:A:evaluation": "62.50",
        "Charge:B:usage": "300",
        "Charge:B:transfer": "-120",
        "Charge:B:markup": "45",
        "Charge:B:evaluation": "37.50",
    },
}

# Section 3: what each team bears, what is central, unfairness.
BORNE = {
    "showback": ({"A": "0", "B": "0"}, "1070", "0.9813"),
    "proportional": ({"A": "575", "B": "475"}, "20", "0.1869"),
    "real_cost": ({"A": "765", "B": "255"}, "50", "0.0280"),
    "budget_actual": ({"A": "775", "B": "275"}, "20", "0.0000"),
    "budget_committed": ({"A": "875", "B": "275"}, "-80", "0.0935"),
    "mixed": ({"A": "765", "B": "0"}, "305", "0.2664"),
    AT_PRICE: ({"A": "757.50", "B": "262.50"}, "50", "0.0280"),
}


def nano(text: str) -> int:
    return parse_units(text, 9)
