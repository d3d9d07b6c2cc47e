"""The recharge: what teams are charged, as their issued statements say, in the same cents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tallybook.clock import Period
from tallybook.money import apportion
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.model import Statement, StatementLine, StatementSet

EVALUATION = "evaluation"
_SERVICE_PERIOD = re.compile(r"\d{4}-\d{2}(?= |$)")


class RechargeKey(NamedTuple):
    """What is added up to one line: account, cost center and feature; calls stay in the books."""

    team: str
    cost_class: str
    feature: str
    service_period: str


def recharged(issue: StatementSet, accounts: Accounts) -> dict[RechargeKey, int]:
    """What each charged team owes, in cents; each team's lines add up to its statement.

    A line without a purpose, such as markup or a pool, follows the cost classes of the team's own
    usage; a team without usage takes the class of production.
    """
    found: dict[RechargeKey, int] = {}
    for each in issue.statements:
        if each.charged:
            found |= _of_team(each, issue.period, accounts)
    return found


def _of_team(each: Statement, period: str, accounts: Accounts) -> dict[RechargeKey, int]:
    cents: dict[RechargeKey, int] = defaultdict(int)
    weights: dict[str, int] = defaultdict(int)
    mixed: list[StatementLine] = []
    for line in each.lines:
        purpose = EVALUATION if line.kind == EVALUATION else line.purpose
        if not purpose:
            mixed.append(line)
            continue
        name = accounts.class_of(purpose)
        cents[RechargeKey(each.team, name, line.feature, service_period(line, period))] += (
            line.amount_cents
        )
        if line.kind != EVALUATION:
            weights[name] += line.amount_cents
    own = {name: amount for name, amount in sorted(weights.items()) if amount > 0}
    for line in mixed:
        for name, amount in _split(line, own or {accounts.class_of("production"): 1}):
            cents[RechargeKey(each.team, name, line.feature, service_period(line, period))] += (
                amount
            )
    return {key: amount for key, amount in sorted(cents.items()) if amount}


def _split(line: StatementLine, weights: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    parts = apportion(line.amount_cents, list(weights.values()), list(weights), salt=line.id)
    return zip(weights, parts, strict=True)


def service_period(line: StatementLine, period: str) -> str:
    """The month that a line is about: an adjustment names it first in its detail."""
    found = _SERVICE_PERIOD.match(line.detail)
    return str(Period.parse(found[0])) if found else period
