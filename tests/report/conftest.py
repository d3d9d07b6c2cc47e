"""The worked example as statement sets, made by hand: October under two of its columns."""

import pytest

from tallybook.report.body import sealed
from tallybook.report.model import (
    NO_STATE,
    Advice,
    BreakdownRow,
    BudgetUse,
    CentralLine,
    ComparisonView,
    Counterpart,
    ModelColumn,
    PriceRow,
    Quantity,
    ReasonRow,
    State,
    Statement,
    StatementLine,
    StatementSet,
    Versions,
)

VERSIONS = Versions("5c1e" + "0" * 60, "2026-10-01.3", 7, 12, "0.3.0")
HEAD = "9f0a" + "1" * 56 + "41d7"


def line(kind, amount, *, feature="", name="", purpose="", label="", calls=0, tokens=0, **more):
    identity = f"L-{kind}-{feature}-{purpose}-{more.get('detail', '')}-{label}"
    return StatementLine(
        id=identity,
        feature=feature,
        feature_name=name,
        purpose=purpose,
        kind=kind,
        detail=more.get("detail", ""),
        label=label,
        quantity=Quantity(calls, tokens, more.get("units", {})),
        amount_cents=amount,
        shown_only=more.get("shown_only", False),
        share=more.get("share", ""),
        transfer=more.get("transfer"),
    )


def statement(team, name, lines, **more):
    charged = more.pop("charged", True)
    return Statement(
        team=team,
        team_name=name,
        unit="commerce",
        unit_name="Commerce",
        cost_center={"A": "4711", "B": "4712"}.get(team, ""),
        model="real_cost" if charged else "showback",
        model_label="real cost + 15 %, October rate card" if charged else "showback",
        charged=charged,
        total_cents=sum(each.amount_cents for each in lines),
        lines=tuple(lines),
        **more,
    )


def statement_set(central, statements, **more):
    charged = sum(each.total_cents for each in statements if each.charged)
    kept = sum(each.amount_cents for each in central)
    fields = {
        "company": "Acme",
        "period": "2026-10",
        "period_label": "October 2026",
        "version": 1,
        "status": "final",
        "currency": "USD",
        "charged_total_cents": charged,
        "shown_total_cents": sum(each.total_cents for each in statements if not each.charged),
        "central": tuple(central),
        "central_total_cents": kept,
        "ledger_cost_cents": charged + kept,
        "statements": tuple(statements),
        "unallocated": State(5, 500_000, 50_00, "5.3 %"),
        "unpriced": NO_STATE,
        "estimated": State(2, 40_000, 4_00, "0.4 %"),
        "unknown": NO_STATE,
        "versions": VERSIONS,
        "dispute_until": "2026-11-12",
    }
    return StatementSet(**(fields | more))


def support_lines(evaluation="evaluation"):
    return [
        line("usage", 500_00, feature="refund-bot", name="Refund bot", purpose="production",
             calls=50, tokens=4_000_000, units={"web_search": 3}),
        line("transfer", 100_00, label="Caused by you, run by Search: retrieval",
             detail="retrieval", calls=20, tokens=1_000_000),
        line("markup", 90_00, label="Markup 15 % (gateway)", detail="15%"),
        line(evaluation, 75_00, label="Quality pool", detail="quality", share="75.0 %"),
    ]  # fmt: skip


def paid_by_pool():
    return line("evaluation", 100_00, feature="refund-bot", name="Refund bot",
                purpose="evaluation", label="paid by quality pool", calls=10, tokens=1_000_000,
                shown_only=True)  # fmt: skip


def run_for_support():
    return line("transfer", 100_00, label="Run for Support: retrieval, 20 calls",
                detail="retrieval", calls=20, tokens=1_000_000, shown_only=True)  # fmt: skip


def search_usage():
    return line("usage", 200_00, feature="site-search", name="Site search", purpose="production",
                calls=40, tokens=5_000_000)  # fmt: skip


CENTRAL = [
    CentralLine("unowned", "", "Unowned usage, answered for by Platform", 50_00),
    CentralLine("absorption", "markup", "Under-absorbed by markup", 30_00),
    CentralLine("variance", "rate_card", "Rate-card variance", -40_00),
    CentralLine("variance", "pool", "Pool variance", 10_00),
]


@pytest.fixture
def real_cost():
    support = statement(
        "A", "Support", support_lines(), notes=(paid_by_pool(),),
        previous_total_cents=652_40, budget=BudgetUse(700_00, 600_00),
    )  # fmt: skip
    search = statement(
        "B", "Search",
        [
            search_usage(),
            line("markup", 30_00, label="Markup 15 % (gateway)", detail="15%"),
            line("evaluation", 25_00, label="Quality pool", detail="quality", share="25.0 %"),
        ],
        notes=(run_for_support(),),
    )  # fmt: skip
    return sealed(statement_set(CENTRAL, [support, search]), HEAD)


@pytest.fixture
def mixed():
    support = statement("A", "Support", support_lines(), notes=(paid_by_pool(),))
    search = statement(
        "B", "Search",
        [
            search_usage(),
            line("pool", 50_00, label="Gateway pool", detail="gateway", share="33.3 %"),
            line("evaluation", 25_00, label="Quality pool", detail="quality", share="25.0 %"),
        ],
        charged=False,
        notes=(run_for_support(),),
    )  # fmt: skip
    central = [
        CENTRAL[0],
        CentralLine("showback", "B", "Shown to Search, not charged", 275_00),
        CentralLine("absorption", "markup", "Under-absorbed by markup", 10_00),
        *CENTRAL[2:],
    ]
    return statement_set(central, [support, search], status="draft", simulated=True)


@pytest.fixture
def priced():
    """The column *real_cost, retrieval at transfer_price 120*."""
    price = "transfer price 6.00 a call"
    support = statement(
        "A", "Support",
        [
            support_lines()[0],
            line("transfer", 120_00, feature="refund-bot", name="Refund bot", purpose="production",
                 label=f"Owed to Search: retrieval, {price}", detail="retrieval", calls=20,
                 transfer=Counterpart("owed", "B", "retrieval", "transfer_price")),
            line("markup", 75_00, label="Markup 15 % (gateway)", detail="15%"),
            line("evaluation", 62_50, label="Quality pool", detail="quality", share="62.5 %"),
        ],
        notes=(
            paid_by_pool(),
            line("transfer", 100_00, label="caused by you, paid by B: retrieval (transfer price)",
                 calls=20, tokens=1_000_000, shown_only=True,
                 transfer=Counterpart("paid_by", "B", "retrieval", "transfer_price")),
        ),
    )  # fmt: skip
    search = statement(
        "B", "Search",
        [
            search_usage(),
            line("usage", 100_00, purpose="production", detail="retrieval", calls=20,
                 tokens=1_000_000,
                 label="Caused by Support, paid by you: retrieval (transfer price)",
                 transfer=Counterpart("paid_for", "A", "retrieval", "transfer_price")),
            line("transfer", -120_00, purpose="production", detail="retrieval", calls=20,
                 label=f"Earned from Support: retrieval, {price}",
                 transfer=Counterpart("earned", "A", "retrieval", "transfer_price")),
            line("markup", 45_00, label="Markup 15 % (gateway)", detail="15%"),
            line("evaluation", 37_50, label="Quality pool", detail="quality", share="37.5 %"),
        ],
    )  # fmt: skip
    return sealed(statement_set(CENTRAL, [support, search]), HEAD)


@pytest.fixture
def comparison():
    def column(model, label, borne, unfairness, saving=("1.00", "1.00"), shown=0):
        support, search, central = borne
        return ModelColumn(
            model,
            label,
            {"A": support, "B": search},
            shown,
            {},
            central,
            unfairness,
            dict(zip("AB", saving, strict=True)),
        )

    none, half, more = ("0.00", "0.00"), ("0.50", "0.50"), ("1.15", "1.15")
    return ComparisonView(
        currency="USD",
        period_label="October 2026",
        ledger_cost_cents=1070_00,
        columns=(
            column("showback", "Showback", (0, 0, 1070_00), "0.9813", none, 1050_00),
            column("proportional", "Proportional", (575_00, 475_00, 20_00), "0.1869", half),
            column("real_cost", "Real cost", (765_00, 255_00, 50_00), "0.0280", more),
            column("use_case_budget", "Budget, committed", (875_00, 275_00, -80_00), "0.0935"),
            column("current", "As applied", (875_00, 275_00, -80_00), "0.0935"),
        ),
        teams=(("A", "Support"), ("B", "Search")),
        breakdown=(
            BreakdownRow("A", -150_00, -30_00, -20_00, 0, -200_00),
            BreakdownRow("B", 150_00, 30_00, 20_00, 0, 200_00),
        ),
        simulated=True,
        recommendation="Real cost: 0.0280 of the bill sits with someone who did not cause it.",
        advice=Advice(
            model="real_cost",
            label="Real cost",
            lead="Real cost is recommended. All 3 reasons point to it.",
            agree=True,
            reasons=(
                ReasonRow("size", "Size", "12 use cases", ("real_cost",), "Real cost", "Many."),
            ),
            moves_cents={"A": -110_00, "B": -20_00},
            central_move_cents=130_00,
        ),
        prices=(PriceRow("A", "B", "retrieval", 20, 120_00),),
    )  # fmt: skip
