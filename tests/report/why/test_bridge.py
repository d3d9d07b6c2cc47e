"""Causes that were injected into a rival figure are found again, each by its name and amount."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from company import usage
from rival_figures import CONTRACT, EVENTS, LIST, X_BEFORE, cost, october
from tallybook.clock import Period
from tallybook.errors import PeriodError, WrongUsageError
from tallybook.report.why.bridge import bridge
from tallybook.report.why.claim import Beside, claim_of


def text(amount):
    """Twelve decimals, as a tool that keeps all of them writes it."""
    pico = amount * 10**12
    assert pico.denominator == 1
    return f"{int(pico) // 10**12}.{int(pico) % 10**12:012}"


def table(rows, *names):
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def by_day(events, **prices):
    days = sorted({event["started_at"][:10] for event in events})
    of = {day: [e for e in events if e["started_at"].startswith(day)] for day in days}
    return table([(day, text(cost(some, **prices))) for day, some in of.items()], "date", "cost")


def by(name, events, **prices):
    values = sorted({event[name] for event in events})
    of = {value: [e for e in events if e[name] == value] for value in values}
    return table([(value, text(cost(some, **prices))) for value, some in of.items()], name, "cost")


ALL = cost(october())


def test_the_same_usage_has_only_what_is_no_usage_between(explain):
    found = explain(by_day(october()))
    assert found.kinds == set()
    assert found.steps["usage_only", "pool"] == -33
    assert found.bridge.subject == "the ledger cost of the company"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_first_month_of_a_policy_is_explained_too(found_company, zone):
    """No policy was in force in the month before, and nothing of it is looked at."""
    company = found_company(effective_from="2026-10")
    company.ingest(usage(started_at="2026-10-01T01:00:00Z"))
    company.run()
    asked = claim_of("31.00", Period.parse("2026-10"), Beside((), zone, "", "", ""), "UTC", "USD")
    found = bridge(company.store, asked.period, asked.claim)
    assert (found.ours_pico, found.unexplained_pico) == (31 * 10**12, 0)


def test_our_own_total_has_nothing_between(explain):
    for figure, scope in ((ALL + 33, {}), (explain.paper("a"), {"team": "a"})):
        found = explain(text(figure), **scope)
        assert found.kinds == set()
        assert abs(sum(found.steps.values())) < Fraction(1, 100)


@pytest.mark.parametrize(
    ("prices", "cause"),
    [
        ({"openai": LIST}, "list_price"),
        ({"openai": {**CONTRACT, "cache_read": CONTRACT["input_uncached"]}}, "cache_as_input_contract"),
        ({"openai": {**LIST, "cache_read": LIST["input_uncached"]}}, "cache_as_input_list"),
        ({"openai": {**CONTRACT, "cache_read": Fraction(0)}}, "cache_unseen_contract"),
        ({"openai": {**LIST, "cache_read": LIST["cache_read"] + LIST["input_uncached"]}}, "cache_twice_list"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("told_by", ["day", "model", "provider", "figure"])
def test_another_price_is_named(explain, prices, cause, told_by):
    events = october(provider="openai")
    moved = cost(events, **prices) - cost(events)
    rows = {
        "day": lambda: by_day(events, **prices),
        "model": lambda: by("model", events, **prices),
        "provider": lambda: by("provider", events, **prices),
        "figure": lambda: text(cost(events, **prices)),
    }[told_by]()
    found = explain(rows, provider="openai")
    assert found.steps["price", cause] == moved
    assert found.steps["scope", "provider_out"] == -cost(october(provider="X"))
    assert found.kinds == {"price", "scope"}


def test_an_old_price_is_named_with_its_date(explain):
    events = october(provider="X")
    found = explain(by_day(events, x=X_BEFORE), provider="X")
    (cause,) = [cause for kind, cause in found.steps if kind == "price"]
    assert cause.startswith("contract_of_")
    assert found.steps["price", cause] == cost(events, x=X_BEFORE) - cost(events)


@pytest.mark.parametrize(
    ("name", "value", "column"),
    [("provider", "X", "provider"), ("key_id", "k-1", "key"), ("purpose", "production", "purpose"),
     ("model", "x-1", "model")],
)  # fmt: skip
def test_what_is_out_of_scope_is_named(explain, name, value, column):
    inside = october(**{name: value})
    for found in (
        explain(table([(value, text(cost(inside)))] * 1, column, "cost")),
        explain(text(cost(inside)), **{column: value}),
    ):
        assert found.steps["scope", f"{column}_out"] == cost(inside) - ALL
        assert found.kinds == {"scope"}


def test_days_that_are_left_out_are_named(explain):
    some = [e for e in october() if "2026-10-05" <= e["started_at"][:10] <= "2026-10-09"]
    found = explain(by_day(some))
    assert found.steps["period", "days_out"] == cost(some) - ALL
    assert found.kinds == {"period"}
    one = explain(text(cost(some)), days=("2026-10-05", "2026-10-09"))
    assert one.steps["period", "days_out"] == cost(some) - ALL


def test_another_time_zone_is_named(explain):
    """October in New York lacks e-8 and has n-1."""
    theirs = [e for e in EVENTS if e["started_at"] != "2026-10-01T02:00:00Z"]
    for figure, days in (
        (text(cost(theirs)), ("2026-10-01", "2026-10-31")),
        (table([("2026-10", text(cost(theirs)))] * 1, "month", "cost"), ("", "")),
    ):
        found = explain(figure, zone="America/New_York", days=days)
        assert found.steps["period", "days_out"] == -cost(EVENTS[7:8])
        assert found.steps["period", "days_in"] == cost(EVENTS[9:])
        assert found.kinds == {"period"}


def test_usage_that_one_side_lacks_is_named(explain):
    more = [*october(), *october(key_id="k-2")]
    rows = by_day(more)
    found = explain(rows)
    assert found.steps["volume", "same_price"] == cost(october(key_id="k-2"))
    assert found.kinds == {"volume"}
    unknown = table([("k-1", text(cost(october(key_id="k-1")))), ("k-9", "5.00")], "key", "cost")
    found = explain(unknown)
    assert found.steps["volume", "not_metered"] == 5


def test_other_counts_are_usage_and_equal_counts_are_price(explain):
    events = october(provider="X")
    tokens = sum(sum(e["tokens"].values()) for e in events)
    odd = cost(events) * 3
    rows = [("X", tokens, text(odd)), ("openai", 1, text(cost(october(provider="openai"))))]
    same = explain(table(rows, "provider", "tokens", "cost"))
    assert same.steps["price", "other_price"] == odd - cost(events)
    rows = [("X", tokens * 3, text(odd)), ("openai", 1, text(cost(october(provider="openai"))))]
    more = explain(table(rows, "provider", "tokens", "cost"))
    assert more.steps["volume", "counts"] == odd - cost(events)


def test_who_ran_it_is_told_from_who_pays(explain):
    """b runs e-4 for a: a pays; a figure by executor has it at b."""
    b_runs = [*october(team="b"), EVENTS[3]]
    for figure in (text(cost(b_runs)), table([("b", text(cost(b_runs)))] * 1, "team", "cost")):
        found = explain(figure, team="b")
        assert found.steps["owner", "executor"] == cost(EVENTS[3:4])
        assert found.kinds == {"owner"}
        assert found.steps["usage_only", "markup"] < 0
    named = explain(text(cost(b_runs)), team="Team B", by="executor")
    assert named.kinds == {"owner"}
    both = [("a", text(cost([e for e in october(team="a") if e is not EVENTS[3]]))),
            ("b", text(cost(b_runs)))]  # fmt: skip
    found = explain(table(both, "team", "cost"))
    assert found.kinds == set()
    assert found.unexplained == 0


def test_tax_and_credits_are_named(explain):
    rows = [("2026-10-05", "usage", text(ALL)), ("2026-10-05", "VAT 19 %", "7.00"),
            ("2026-10-05", "credit", "-2.00")]  # fmt: skip
    found = explain(table(rows, "date", "description", "amount"), days=("2026-10-01", "2026-10-31"))
    assert found.steps["tax", "tax"] == 7
    assert found.steps["credit", "credit"] == -2


def test_hidden_decimals_are_rounding_and_not_more(explain):
    found = explain(f"{float(ALL):.2f}")
    assert found.kinds == set()
    assert abs(found.steps["rounding", "last_decimals"]) <= Fraction(1, 200)


def test_what_nothing_explains_is_said(explain):
    found = explain("123.45")
    assert found.unexplained != 0
    assert found.bridge.nearest
    assert "unexplained" in found.kinds


@given(amount=st.integers(-(10**9), 10**12), places=st.integers(0, 6))
@settings(max_examples=8, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_every_bridge_adds_up(explain, amount, places):
    digits = str(abs(amount)).rjust(places + 1, "0")
    cut = len(digits) - places
    told = f"{'-' if amount < 0 else ''}{digits[:cut]}{'.' if places else ''}{digits[cut:]}"
    found = explain(told).bridge
    assert found.ours_pico + sum(s.amount_pico for s in found.steps) == found.theirs_pico
    assert found.theirs_pico == amount * 10 ** (12 - places)


def test_mixtures_are_taken_apart(explain):
    """List price, one provider only, part of the month, plus tax."""
    some = [e for e in october(provider="openai") if e["started_at"] >= "2026-10-05"]
    days = by_day(some, openai=LIST).splitlines()
    rows = "\n".join(["date,kind,cost", *(f"{d.split(',')[0]},usage,{d.split(',')[1]}" for d in days[1:]),
                      "2026-10-31,tax,1.50"]) + "\n"  # fmt: skip
    found = explain(rows, provider="openai")
    assert found.kinds == {"price", "scope", "period", "tax"}
    assert found.steps["price", "list_price"] == cost(some, openai=LIST) - cost(some)
    assert found.steps["tax", "tax"] == Fraction(3, 2)
    assert found.unexplained == 0


def test_what_cannot_be_explained_is_refused(explain):
    with pytest.raises(PeriodError, match="nothing is booked in 2026-12"):
        explain("1.00", period="2026-12")
    with pytest.raises(WrongUsageError, match="the books know no team zebra"):
        explain("1.00", team="zebra")
