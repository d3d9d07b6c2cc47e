"""``/v1/budgets``: what is in force and used, and asking for more and deciding on it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request, Response

from tallybook.api.acting import acted, answered
from tallybook.api.guard import Guard
from tallybook.budget.approve import approve, deny
from tallybook.budget.ask import ask, parse_budget, request_of, request_values, requests
from tallybook.budget.burn import burn, burn_values
from tallybook.budget.overview import state_values
from tallybook.budget.propose import Proposal, propose
from tallybook.cli.app import parse_period
from tallybook.cli.budget_state import BudgetMonth, month_of_budgets
from tallybook.clock import Clock, Period
from tallybook.errors import BudgetError
from tallybook.store import Store
from tallybook.store.commands import Command

_Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""Of a request: as many as the store may give."""


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """More of a budget in one month."""

    budget: str
    period: str
    amount: str
    reason: str
    expires: str = ""


class Approval(msgspec.Struct, forbid_unknown_fields=True):
    """What is approved of a request; what is left out is as it was asked for."""

    amount: str = ""
    expires: str = ""
    reason: str = ""


class Denial(msgspec.Struct, forbid_unknown_fields=True):
    """Why not."""

    reason: str


class Proposed(msgspec.Struct, forbid_unknown_fields=True):
    """A use case that somebody wants to begin."""

    feature: str
    team: str
    provider: str
    model: str
    calls: int
    tokens: dict[str, int]
    name: str = ""
    purpose: str = "production"
    limit: str = ""
    approvers: list[str] = []
    every_provider: bool = False


def budgets_router(store: Store, clock: Clock, guard: Guard) -> APIRouter:
    """The routes that only tell.

    Args:
        store: open books.
        clock: what now is.
        guard: who may.
    """
    router = APIRouter()

    @router.get("/v1/budgets")
    async def listed(request: Request) -> Response:
        period = request.query_params.get("period", "")
        return await answered(request, guard, "read", lambda: _listed(_month(store, clock, period)))

    @router.get("/v1/budgets/burn")
    async def burning(request: Request) -> Response:
        return await answered(request, guard, "read", lambda: _burning(_month(store, clock, "")))

    @router.get("/v1/budgets/requests")
    async def waiting(request: Request) -> Response:
        period = request.query_params.get("period", "")
        every = request.query_params.get("all", "") in ("1", "true")
        return await answered(request, guard, "read", lambda: _waiting(store, period, every=every))

    @router.get("/v1/budgets/requests/{number}")
    async def one_request(request: Request, number: _Number) -> Response:
        return await answered(request, guard, "read", lambda: _one_request(store, number))

    @router.get("/v1/budgets/{name}")
    async def shown(request: Request, name: str) -> Response:
        period = request.query_params.get("period", "")
        return await answered(
            request, guard, "read", lambda: _shown(_month(store, clock, period), name)
        )

    return router


def requests_router(store: Store, clock: Clock, guard: Guard) -> APIRouter:
    """The routes that ask and decide; see `budgets_router`."""
    router = APIRouter()

    @router.post("/v1/budgets/requests")
    async def asked(request: Request) -> Response:
        def work(actor: str, told: Asked) -> Any:
            made = ask(
                store,
                told.budget,
                parse_period(told.period),
                told.amount,
                expires=told.expires,
                reason=told.reason,
                command=Command("budget request", msgspec.to_builtins(told), actor),
                now_us=clock.now_us(),
            )
            return request_values(made)

        return await acted(request, guard, "ask", Asked, work, HTTPStatus.CREATED)

    @router.post("/v1/budgets/requests/{number}/approve")
    async def approved(request: Request, number: _Number) -> Response:
        def work(actor: str, told: Approval) -> Any:
            args = {"request": number, **msgspec.to_builtins(told)}
            command = Command("budget approve", args, actor)
            more = {"amount": told.amount, "expires": told.expires, "reason": told.reason}
            now_us = clock.now_us()
            return request_values(approve(store, number, **more, command=command, now_us=now_us))

        return await acted(request, guard, "approve", Approval, work)

    @router.post("/v1/budgets/requests/{number}/deny")
    async def denied(request: Request, number: _Number) -> Response:
        def work(actor: str, told: Denial) -> Any:
            command = Command("budget deny", {"request": number, "reason": told.reason}, actor)
            now_us = clock.now_us()
            done = deny(store, number, reason=told.reason, command=command, now_us=now_us)
            return request_values(done)

        return await acted(request, guard, "approve", Denial, work)

    @router.post("/v1/budgets/proposals")
    async def proposed(request: Request) -> Response:
        def work(actor: str, told: Proposed) -> Any:
            values = msgspec.to_builtins(told)
            command = Command("budget propose", values, actor)
            made = propose(store, Proposal(**values), command=command, now_us=clock.now_us())
            return request_values(made)

        return await acted(request, guard, "ask", Proposed, work, HTTPStatus.CREATED)

    return router


def _month(store: Store, clock: Clock, period: str) -> BudgetMonth:
    asked: Period | None = parse_period(period) if period else None
    return month_of_budgets(store, clock, asked)


def _listed(month: BudgetMonth) -> dict[str, Any]:
    values = [state_values(state) for state in month.states]
    return {"period": str(month.period), "currency": month.currency, "budgets": values}


def _burning(month: BudgetMonth) -> list[dict[str, Any]]:
    return [burn_values(one) for one in burn(month.books, month.states, *month.series)]


def _waiting(store: Store, period: str, *, every: bool) -> list[dict[str, Any]]:
    asked = parse_period(period) if period else None
    with store.read() as tx:
        return [request_values(one) for one in requests(tx, asked, every=every)]


def _one_request(store: Store, number: int) -> dict[str, Any]:
    with store.read() as tx:
        return request_values(request_of(tx, number))


def _shown(month: BudgetMonth, name: str) -> dict[str, Any]:
    scope, subject = parse_budget(name)
    for state in month.states:
        if (state.scope, state.subject) == (scope, subject):
            burns = burn(month.books, [state], *month.series)
            mine = [one for one in month.requests if one.budget == state.budget]
            told = {"requests": [request_values(one) for one in mine]}
            return {**state_values(state), **told, "burn": burn_values(burns[0]) if burns else None}
    raise BudgetError(
        f"{scope} {subject!r} has no budget in {month.period}",
        next_step="GET /v1/budgets lists those that have",
    )
