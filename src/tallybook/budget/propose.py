"""A use case begins as a proposal: estimated at today's prices, with cheaper models and a limit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.books.model import Books
from tallybook.budget.approvers import team_approvers
from tallybook.budget.ask import insert_request, request_of, requests
from tallybook.budget.estimate import Candidate, Estimate, estimate
from tallybook.budget.model import Request
from tallybook.errors import BudgetError, WrongUsageError
from tallybook.money import NANO_SCALE, format_units, parse_amount
from tallybook.post.basis import latest_books
from tallybook.rate.model import PriceKey
from tallybook.store import Store
from tallybook.store.commands import Command, log_command

PICO_SCALE: Final = 12
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody wants to begin.

    Attributes:
        feature: the id that it will have; ``name`` says what it is.
        team: that will answer for it.
        provider: and ``model``: which it will call.
        tokens: of one call, by token class.
        calls: a month.
        purpose: of its calls.
        limit: the monthly limit in units of the currency; empty takes what is suggested.
        approvers: who may decide on it and on its budget; none takes the owners of the team.
        every_provider: look for cheaper models with every provider of the list.
    """

    feature: str
    name: str
    team: str
    provider: str
    model: str
    tokens: Mapping[str, int]
    calls: int
    purpose: str = "production"
    limit: str = ""
    approvers: Sequence[str] = ()
    every_provider: bool = False


def propose(store: Store, proposal: Proposal, *, command: Command, now_us: int) -> Request:
    """Estimate a use case and ask for it; nothing begins before it is approved.

    Returns:
        the request; its details hold the estimate, the alternatives, the limit and the approvers.

    Raises:
        BudgetError: it exists already or is asked for, its team does not exist, or nobody may
            approve it.
        PriceError: its model has no price.
        WrongUsageError: an id, a volume or a token class that is none.
    """
    _check(proposal)
    with store.write() as tx:
        books, _ = latest_books(tx)
        _check_new(books, proposal, now_us)
        waiting = [one.id for one in requests(tx, every=False) if _is_of(one, proposal.feature)]
        if waiting:
            raise BudgetError(
                f"use case {proposal.feature!r} is asked for by request {waiting[0]} already",
                next_step=f"decide on it: tallybook budget approve {waiting[0]} --books FOLDER",
            )
        approvers = tuple(proposal.approvers) or team_approvers(books, proposal.team, now_us)
        if not {one.casefold() for one in approvers} - {command.actor.strip().casefold()}:
            raise BudgetError(
                f"nobody but {command.actor or 'you'} may approve {proposal.feature!r}; it takes"
                " two people",
                where=f"team {proposal.team}",
                next_step="name somebody else with --approver, or owners in org.yaml",
            )
        found = estimate_of(books, proposal, now_us)
        nano = parse_amount(proposal.limit) if proposal.limit else found.suggested_nano
        if nano <= 0:
            raise WrongUsageError(f"a limit of {proposal.limit} lets no call through")
        details = _details(proposal, found, nano, approvers)
        number = insert_request(
            tx, "use_case", "feature", proposal.feature, "", nano, 0,
            f"begin {proposal.name or proposal.feature}", details, command, now_us,
        )  # fmt: skip
        log_command(tx, command, now_us, {}, f"request {number}")
        return request_of(tx, number)


def estimate_of(books: Books, proposal: Proposal, now_us: int) -> Estimate:
    """What the proposal would cost at the prices of the books now; see `estimate`."""
    return estimate(
        books.prices,
        books.org.company.currency,
        PriceKey(proposal.provider, proposal.model, "standard", ""),
        proposal.tokens,
        proposal.calls,
        now_us,
        every_provider=proposal.every_provider,
    )


def key_of(feature: str, purpose: str) -> str:
    """The id of the key that a use case begins with."""
    return f"vk-{feature}-{purpose}"[:64]


def _is_of(request: Request, feature: str) -> bool:
    return request.kind == "use_case" and request.subject == feature


def _check(proposal: Proposal) -> None:
    if not _ID.fullmatch(proposal.feature):
        raise WrongUsageError(
            f"{proposal.feature[:80]!r} is no id of a use case",
            next_step="use letters, digits, dots, dashes and underscores, at most 61",
        )
    if proposal.calls <= 0:
        raise WrongUsageError(
            f"{proposal.calls} calls a month are none", next_step="give --calls above 0"
        )
    unknown = sorted(set(proposal.tokens) - set(TOKEN_CLASSES))
    if unknown:
        raise WrongUsageError(
            f"{unknown[0]!r} is no token class", next_step=f"use one of {', '.join(TOKEN_CLASSES)}"
        )
    if not any(proposal.tokens.values()) or min(proposal.tokens.values()) < 0:
        raise WrongUsageError(
            "a call without tokens cannot be estimated",
            next_step="say what a call takes: --tokens input_uncached=1200 --tokens output=300",
        )


def _check_new(books: Books, proposal: Proposal, now_us: int) -> None:
    if any(feature.id == proposal.feature for feature in books.org.features):
        raise BudgetError(
            f"use case {proposal.feature!r} exists already",
            where="org.yaml",
            next_step="ask for more: tallybook budget request, or choose another id",
        )
    teams = sorted(team.id for team in books.org.teams if team.span.holds(now_us))
    if proposal.team not in teams:
        raise BudgetError(
            f"there is no team {proposal.team!r}",
            where="org.yaml",
            next_step=f"name one of {', '.join(teams)}",
        )


def _details(
    proposal: Proposal, found: Estimate, nano: int, approvers: Sequence[str]
) -> dict[str, Any]:
    asked = found.asked
    return {
        "name": proposal.name or proposal.feature,
        "team": proposal.team,
        "purpose": proposal.purpose,
        "provider": proposal.provider,
        "model": proposal.model,
        "tokens": dict(sorted(proposal.tokens.items())),
        "calls": proposal.calls,
        "estimate": _candidate(asked),
        "alternatives": [
            {
                **_candidate(one),
                "saves": format_units(asked.monthly_pico - one.monthly_pico, PICO_SCALE),
            }
            for one in found.alternatives
        ],
        "suggested": format_units(found.suggested_nano, NANO_SCALE),
        "limit": format_units(nano, NANO_SCALE),
        "approvers": list(approvers),
        "key": key_of(proposal.feature, proposal.purpose),
    }


def _candidate(one: Candidate) -> dict[str, str]:
    return {
        "provider": one.provider,
        "model": one.model,
        "per_call": format_units(one.per_call_pico, PICO_SCALE),
        "monthly": format_units(one.monthly_pico, PICO_SCALE),
    }
