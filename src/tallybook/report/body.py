"""The machine form of a statement set, its digest, and the way back from stored JSON.

The body is what an issued statement *is*: canonical JSON without status, digest and seal. It holds
no entry id, no path and no time of running, so the same books give the same bytes anywhere. Names
and remarks that only a reader needs stand under ``company`` and ``notes``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tallybook.money import format_cents, parse_units
from tallybook.report.budget_body import budget_values, read_budget
from tallybook.report.model import (
    CentralLine,
    Counterpart,
    Difference,
    Quantity,
    State,
    Statement,
    StatementLine,
    StatementSet,
    Versions,
)
from tallybook.store import canonical_json

NOT_IN_DIGEST = ("status", "body_sha256", "seal")
CENTS_SCALE = 2


def body(issue: StatementSet) -> dict[str, Any]:
    """The JSON object of a set: what ``statement --format json`` prints.

    Amounts are strings with two decimals in the set's currency.
    """
    return {
        "company": _names(issue),
        "period": issue.period,
        "version": issue.version,
        "status": issue.status,
        "currency": issue.currency,
        "charged_total": format_cents(issue.charged_total_cents),
        "shown_total": format_cents(issue.shown_total_cents),
        "central": {
            "lines": [_central(line) for line in issue.central],
            "total": format_cents(issue.central_total_cents),
        },
        "ledger_cost": format_cents(issue.ledger_cost_cents),
        "statements": [_statement(each) for each in issue.statements],
        "unallocated": _state(issue.unallocated),
        "unpriced": _state(issue.unpriced),
        "estimated": _state(issue.estimated),
        "unknown": _state(issue.unknown),
        "versions": {
            "events": issue.versions.events,
            "prices": issue.versions.prices,
            "policy": issue.versions.policy,
            "org": issue.versions.org,
            "code": issue.versions.code,
        },
        "notes": {
            "period_label": issue.period_label,
            "dispute_until": issue.dispute_until,
            "simulated": issue.simulated,
            **_differences(issue),
            **({"soft_closed": True} if issue.soft_closed else {}),
        },
        "body_sha256": issue.body_sha256,
        "seal": issue.seal,
    }


def body_digest(issue: StatementSet) -> str:
    """SHA-256 (hex) of the canonical JSON of the body without status, digest and seal."""
    kept = {key: value for key, value in body(issue).items() if key not in NOT_IN_DIGEST}
    return hashlib.sha256(canonical_json(kept).encode()).hexdigest()


def sealed(issue: StatementSet, seal: str) -> StatementSet:
    """The same set with its digest and the chain's head at close."""
    return replace(issue, seal=seal, body_sha256=body_digest(issue))


def json_text(issue: StatementSet) -> str:
    """The body as canonical JSON: the text that is stored when a statement is issued."""
    return canonical_json(body(issue))


def from_body(stored: Mapping[str, Any]) -> StatementSet:
    """Make the set again from its stored body, so that it renders as it was issued.

    Raises:
        LedgerError: the stored figures do not tie.
        MoneyError: a stored amount is no decimal text with at most two decimals.
    """
    company, notes = stored["company"], stored["notes"]
    return StatementSet(
        company=company["name"],
        period=stored["period"],
        period_label=notes["period_label"],
        version=stored["version"],
        status=stored["status"],
        currency=stored["currency"],
        charged_total_cents=_cents(stored["charged_total"]),
        shown_total_cents=_cents(stored["shown_total"]),
        central=tuple(
            CentralLine(line["kind"], line["detail"], line["label"], _cents(line["amount"]))
            for line in stored["central"]["lines"]
        ),
        central_total_cents=_cents(stored["central"]["total"]),
        ledger_cost_cents=_cents(stored["ledger_cost"]),
        statements=tuple(_read_statement(each, company) for each in stored["statements"]),
        unallocated=_read_state(stored["unallocated"]),
        unpriced=_read_state(stored["unpriced"]),
        estimated=_read_state(stored["estimated"]),
        unknown=_read_state(stored["unknown"]),
        versions=Versions(**stored["versions"]),
        dispute_until=notes["dispute_until"],
        simulated=notes["simulated"],
        differences=tuple(_read_difference(one) for one in notes.get("differences", ())),
        soft_closed=notes.get("soft_closed", False),
        seal=stored["seal"],
        body_sha256=stored["body_sha256"],
    )


def _differences(issue: StatementSet) -> dict[str, list[dict[str, str]]]:
    """Only a later version has them, so that a first one reads as ever."""
    if issue.version == 1:
        return {}
    return {
        "differences": [
            {
                "team": one.team,
                "id": one.line,
                "label": one.label,
                "before": format_cents(one.before_cents),
                "after": format_cents(one.after_cents),
            }
            for one in issue.differences
        ]
    }


def _read_difference(stored: Mapping[str, str]) -> Difference:
    return Difference(
        stored["team"],
        stored["id"],
        stored["label"],
        _cents(stored["before"]),
        _cents(stored["after"]),
    )


def _names(issue: StatementSet) -> dict[str, Any]:
    lines = [line for each in issue.statements for line in (*each.lines, *each.notes)]
    return {
        "name": issue.company,
        "teams": {each.team: each.team_name for each in issue.statements},
        "units": {each.team: each.unit_name for each in issue.statements},
        "features": {line.feature: line.feature_name for line in lines},
    }


def _statement(each: Statement) -> dict[str, Any]:
    previous, budget = each.previous_total_cents, each.budget
    return {
        "team": each.team,
        "unit": each.unit,
        "cost_center": each.cost_center,
        "model": each.model,
        "charged": each.charged,
        "total": format_cents(each.total_cents),
        "lines": [_line(line) for line in each.lines],
        "notes": {
            "lines": [{**_line(line), "share": line.share} for line in each.notes],
            "shares": {line.id: line.share for line in each.lines if line.share},
            "model_label": each.model_label,
            "previous_total": None if previous is None else format_cents(previous),
            "budget": None if budget is None else budget_values(budget),
        },
    }


def _line(line: StatementLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "feature": line.feature,
        "purpose": line.purpose,
        "kind": line.kind,
        "detail": line.detail,
        "label": line.label,
        "quantity": {
            "calls": line.quantity.calls,
            "tokens": line.quantity.tokens,
            "units": dict(line.quantity.units),
        },
        "amount": format_cents(line.amount_cents),
        **_transfer(line.transfer),
    }


def _transfer(told: Counterpart | None) -> dict[str, dict[str, str]]:
    """Only a line that is about a transfer has it, so that every other reads as ever."""
    if told is None:
        return {}
    return {"transfer": {name: getattr(told, name) for name in Counterpart.__slots__}}


def _central(line: CentralLine) -> dict[str, str]:
    return {
        "kind": line.kind,
        "detail": line.detail,
        "label": line.label,
        "amount": format_cents(line.amount_cents),
    }


def _state(state: State) -> dict[str, int | str]:
    return {
        "calls": state.calls,
        "tokens": state.tokens,
        "amount": format_cents(state.amount_cents),
        "share": state.share,
    }


def _cents(text: str) -> int:
    return parse_units(text, CENTS_SCALE)


def _read_state(stored: Mapping[str, Any]) -> State:
    return State(stored["calls"], stored["tokens"], _cents(stored["amount"]), stored["share"])


def _read_statement(stored: Mapping[str, Any], company: Mapping[str, Any]) -> Statement:
    notes, features = stored["notes"], company["features"]
    previous, budget = notes["previous_total"], notes["budget"]
    return Statement(
        team=stored["team"],
        team_name=company["teams"][stored["team"]],
        unit=stored["unit"],
        unit_name=company["units"][stored["team"]],
        cost_center=stored["cost_center"],
        model=stored["model"],
        model_label=notes["model_label"],
        charged=stored["charged"],
        total_cents=_cents(stored["total"]),
        lines=tuple(
            _read_line(line, features, notes["shares"].get(line["id"], ""), shown_only=False)
            for line in stored["lines"]
        ),
        notes=tuple(
            _read_line(line, features, line["share"], shown_only=True) for line in notes["lines"]
        ),
        previous_total_cents=None if previous is None else _cents(previous),
        budget=None if budget is None else read_budget(budget),
    )


def _read_line(
    stored: Mapping[str, Any], features: Mapping[str, str], share: str, *, shown_only: bool
) -> StatementLine:
    quantity = stored["quantity"]
    return StatementLine(
        id=stored["id"],
        feature=stored["feature"],
        feature_name=features[stored["feature"]],
        purpose=stored["purpose"],
        kind=stored["kind"],
        detail=stored["detail"],
        label=stored["label"],
        quantity=Quantity(quantity["calls"], quantity["tokens"], quantity["units"]),
        amount_cents=_cents(stored["amount"]),
        shown_only=shown_only,
        share=share,
        transfer=Counterpart(**stored["transfer"]) if "transfer" in stored else None,
    )
