"""A tiny company with budgets, and the people who ask and decide."""

from company import Company, org, usage
from tallybook.budget.approve import approve, deny
from tallybook.budget.ask import ask
from tallybook.clock import FixedClock, Period, parse_instant
from tallybook.store.commands import Command

OCTOBER = Period(2026, 10)
BUDGETS = """
budgets:
  - {feature: bot, from: 2026-10, monthly: "2.00", over: approval, approvers: [boss@acme, cfo@acme]}
  - {feature: find, from: 2026-10, monthly: "5.00"}
  - {team: a, from: 2026-10, monthly: "9.00", approvers: [cfo@acme]}
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: use_case_budget, charge: committed}
    limits: {unallocated: "100%"}
"""
PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: X, model: x-1, per_million_tokens: {input_uncached: "10", output: "50"}}
"""


def company(home, now="2026-10-20T09:00:00Z", events=None, opened=None, **files):
    made = Company(home, now, opened)
    made.apply(**{"org": org(), "policy": POLICY, "prices": PRICES, "budgets": BUDGETS, **files})
    made.ingest(*([usage()] if events is None else events))
    return made


def at(made, text):
    made.clock = FixedClock(parse_instant(text))


def asked(made, amount="1.00", budget="feature:bot", who="dana@acme", period=OCTOBER, **more):
    command = Command("budget request", {}, who)
    more = {"reason": "launch", **more}
    return ask(
        made.store, budget, period, amount, command=command, now_us=made.clock.now_us(), **more
    )


def approved(made, request, who="boss@acme", **more):
    command = Command("budget approve", {}, who)
    return approve(made.store, request, command=command, now_us=made.clock.now_us(), **more)


def denied(made, request, who="boss@acme", reason="no money"):
    command = Command("budget deny", {}, who)
    return deny(made.store, request, reason=reason, command=command, now_us=made.clock.now_us())
