"""INV-05: original + corrections of a month are what it would have been, had all been on time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from company import PRICES, Company, org, usage
from tallybook.ledger.balance import booked

MONTHS = ("2026-08", "2026-09", "2026-10")
NEXT = "2026-11"
DAY = 86_400 * 1_000_000
BUDGETS = """
budgets:
  - {feature: bot, from: 2026-01, monthly: "3.00", over: none}
  - {feature: find, from: 2026-01, monthly: "50.00", over: none}
"""
MODELS = {
    "real_cost": '{model: real_cost, markup: "12.5%"}',
    "proportional": "{model: proportional}",
    "showback": "{model: showback}",
    "actual": "{model: use_case_budget, charge: actual}",
    "committed": "{model: use_case_budget, charge: committed}",
}
POLICY = """
versions:
  - effective_from: 2026-01
    default: {default}
    teams: {{b: {other}}}
    pools:
      - {{id: gateway, monthly: "30.01", driver: calls, recovered_by: markup}}
      - {{id: ops, monthly: "7.77", driver: cost, recovered_by: driver}}
      - {{id: quality, driver: production_cost}}
    evaluation: {{funding: pooled, pool: quality}}
    limits: {{unallocated: "100%"}}
"""


def founded(folder, models):
    company = Company(folder, "2026-12-05T09:00:00Z")
    default, other = (MODELS[name] for name in models)
    text = POLICY.format(default=default, other=other)
    company.apply(org=org(), policy=text, prices=PRICES, budgets=BUDGETS)
    return company


def about(company):
    """What stands about each month, by posting key; what closes rounded apart."""
    with company.store.read() as tx:
        return {
            month: {k: v for k, v in booked(tx, month).items() if k.source != "rounding"}
            for month in MONTHS
        }


calls = st.lists(
    st.tuples(
        st.sampled_from(MONTHS),
        st.sampled_from([("a", "bot"), ("b", "find"), (None, None)]),
        st.sampled_from(["X", "Y"]),
        st.sampled_from(["production", "evaluation"]),
        st.booleans(),
        st.integers(0, 99_999),
        st.integers(0, 3),  # in which batch it comes: on time, or after so many closes
    ),
    max_size=12,
)


def event(number, call):
    month, (team, feature), provider, purpose, transferred, tokens, _ = call
    return usage(
        f"e-{number}",
        started_at=f"{month}-03T10:00:00Z",
        team=team,
        feature=feature,
        provider=provider,
        model=f"{provider.lower()}-1",
        purpose=purpose,
        service="retrieval" if transferred else None,
        tokens={"input_uncached": tokens, "output": tokens % 97},
    )


@pytest.mark.parametrize(
    "models",
    [("real_cost", "real_cost"), ("proportional", "proportional"), ("showback", "real_cost"),
     ("proportional", "showback"), ("actual", "proportional"), ("committed", "committed")],
    ids="+".join,
)  # fmt: skip
@settings(max_examples=3, deadline=None)
@given(calls=calls)
def test_late_and_on_time_give_the_same_balances(models, calls):
    """Batch n comes after the n-th close; what is late for a month lands in the next open one."""
    events = [event(number, call) for number, call in enumerate(calls)]
    with tempfile.TemporaryDirectory() as folder:
        on_time = founded(Path(folder) / "on-time", models)
        late = founded(Path(folder) / "late", models)
        on_time.ingest(*events)
        for month in MONTHS:
            on_time.close(month)
        for number, month in enumerate(MONTHS):
            batch = [e for e, call in zip(events, calls, strict=True) if call[-1] == number]
            late.ingest(*batch)
            late.close(month)
        late.ingest(*[e for e, call in zip(events, calls, strict=True) if call[-1] == 3])
        late.run(NEXT)
        assert about(late) == about(on_time)
        assert late.failing("INV-05", "INV-09", "INV-10", "INV-12", "INV-15") == {}
        for company in (on_time, late):
            company.store.close()


def test_it_holds_on_lived_in_books(lived):
    assert lived.failing("INV-05") == {}
    lived.ingest(usage("late"))
    lived.run("2026-11")
    assert lived.failing() == {}


def test_an_adjustment_that_names_nothing_is_seen(lived, damage):
    lived.ingest(usage("late"))
    lived.run("2026-11")
    damage("UPDATE chain SET corrects = 'A-000000' WHERE reason = 'adjustment'")
    assert "corrects nothing" in lived.failing("INV-05")["INV-05"]


def test_late_usage_that_is_booked_twice_is_seen(lived, damage):
    lived.ingest(usage("late"))
    lived.run("2026-11")
    damage(
        "UPDATE posting SET amount_nano = 2 * amount_nano WHERE service_period = '2026-10'"
        " AND seq > (SELECT MIN(seq) FROM chain WHERE reason = 'adjustment')"
    )
    assert "with its corrections, on time it would be" in lived.failing("INV-05")["INV-05"]
