"""What the entry page says, as plain rows: figures come from statements, words from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallybook.report.figures import money
from tallybook.report.html import statement_file
from tallybook.report.model import Statement, StatementLine, StatementSet
from tallybook.sim import company

TWINS = ("design", "catalog")
UNBILLED_KINDS = ("markup", "pool", "evaluation", "commitment", "variance", "adjustment")
MODEL_TITLES = {
    "showback": "Showback",
    "proportional": "By tokens",
    "real_cost": "Real cost",
    "use_case_budget": "Budgets",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the books say beside the statements.

    Attributes:
        late: events of the first month that came after its close; all are posted.
        quarantined: records that came with an id that was taken.
    """

    late: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Share:
    """What a row bears under one policy; ``shown_only`` informs and is part of central."""

    cents: int
    shown_only: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """A team's part of the bill: as it was charged, and under each model for all.

    Attributes:
        shares: first as charged, then by model; the parts of all rows that are not only shown
            add up to the ledger cost.
    """

    name: str
    link: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Twin:
    """One of two teams with the same tokens."""

    name: str
    link: str
    uses: str
    calls: int
    tokens: int
    value_cents: int
    charged_cents: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, and the page that shows it."""

    day: str
    what: str
    shows: str
    link: str = ""


def calls_of(issue: StatementSet) -> int:
    """Calls of a month on its statements, with those of nobody and those that a pool pays."""
    on_lines = sum(
        line.quantity.calls
        for s in issue.statements
        for line in s.lines
        if line.kind != "adjustment" and not line.is_price
    )
    pooled = sum(
        note.quantity.calls
        for s in issue.statements
        for note in s.notes
        if note.purpose == "evaluation"
    )
    return on_lines + pooled + issue.unallocated.calls


def ways(issue: StatementSet, supposed: Mapping[str, StatementSet]) -> list[Way]:
    """Each team's part of a month, then the central part, under the policy and each model.

    Late calls of months before are in what was charged; no model supposes anything about them.
    """
    every = [issue, *supposed.values()]
    rows = [
        Way(
            name=each.team_name,
            link=f"{issue.period}/{statement_file(each.team)}",
            shares=tuple(_share(other.statement(each.team)) for other in every),
        )
        for each in issue.statements
    ]
    central = tuple(Share(other.central_total_cents) for other in every)
    rows.append(Way("Central", f"{issue.period}/index.html", central))
    late = [issue.ledger_cost_cents - other.ledger_cost_cents for other in supposed.values()]
    if any(late):
        shares = (Share(0), *map(Share, late))
        rows.append(Way("Late calls of months before", f"{issue.period}/index.html", shares))
    return rows


def _share(statement: Statement) -> Share:
    return Share(statement.total_cents, shown_only=not statement.charged)


def twins(issue: StatementSet, real: StatementSet) -> list[Twin]:
    """The two teams with the same tokens: what they cost, and what tokens alone charge them."""
    words = {"design": "a frontier model", "catalog": "a small model"}
    return [
        Twin(
            name=issue.statement(team).team_name,
            link=f"{issue.period}/{statement_file(team)}",
            uses=words[team],
            calls=sum(line.quantity.calls for line in _of_the_month(issue, team)),
            tokens=sum(line.quantity.tokens for line in _of_the_month(issue, team)),
            value_cents=_usage(real.statement(team)),
            charged_cents=_usage(issue.statement(team)),
        )
        for team in TWINS
    ]


def _of_the_month(issue: StatementSet, team: str) -> list[StatementLine]:
    """A team's lines without what came late about months before."""
    return [line for line in issue.statement(team).lines if line.kind != "adjustment"]


def _usage(statement: Statement) -> int:
    return sum(x.amount_cents for x in statement.lines if x.kind not in UNBILLED_KINDS)


def events(closed: Sequence[StatementSet], opened: StatementSet, facts: Facts) -> list[Event]:
    """What happened in the three months, in order."""
    first, second = closed
    variance = _central(second, ["rate_card_variance"])
    return [
        Event("1 September", "Retrieval gets a price: 0.07 for each search that succeeds. Until "
              "then whoever asked paid for the calls of a search; now Knowledge bears them.",
              "Knowledge and search, September", f"{second.period}/knowledge.html"),
        Event("4 September", "August closes. Its last day is not all there yet, but nobody knows.",
              "August", f"{first.period}/index.html"),
        Event("16 September", "Campaign writer moves from Growth marketing, which is on showback, "
              "to Sales, which pays. Calls before the day stay with Growth.",
              "Sales, September", f"{second.period}/sales.html"),
        Event("17 September", "A lower price for claude-sonnet-4-5. Teams keep the month's card; "
              f"{money(-variance)} less is paid to the provider and stands as variance.",
              "Central lines", f"{second.period}/index.html"),
        Event("20 September", f"{facts.late} calls of 31 August arrive. August is closed and stays "
              "as it was issued: they post into September at August's card, on their own lines.",
              "Summary, September", f"{second.period}/index.html"),
        Event("5 October", f"September cannot close: {second.unallocated.share} of it has no owner "
              f"and the limit is 1 %. {company.CFO} signs a waiver, and it closes.",
              "September", f"{second.period}/index.html"),
        Event("23 October", f"October is open. {opened.unpriced.calls} calls go to a model without "
              "a price: they count as unpriced, never as zero.", "October, draft",
              f"{opened.period}/index.html"),
        Event("All the time", f"Duplicates count once. {facts.quarantined} record came again with "
              "other figures: it is in quarantine, the first one stands. Failed calls cost "
              "nothing, estimates are marked and corrected.", "tallybook worklist quarantine"),
    ]  # fmt: skip


def _central(issue: StatementSet, kinds: Iterable[str]) -> int:
    return sum(line.amount_cents for line in issue.central if line.kind in kinds)


def example_line(issue: StatementSet) -> str:
    """The id of a line worth explaining: the largest that one team caused and another one ran."""
    lines = [x for s in issue.statements for x in s.lines if x.kind == "transfer"]
    return max(lines, key=lambda line: (line.amount_cents, line.id)).id


def commands(home: str, period: str, line: str) -> list[tuple[str, str]]:
    """What to try next: a command, and what it shows."""
    tallybook = f"tallybook --home {home}"
    return [
        (f"{tallybook} statement {period} --team care", "a statement as text"),
        (f"{tallybook} explain {line}", "one line, back to the calls behind it"),
        (f"{tallybook} worklist late", "what came after the close: posted and waiting"),
        (f"{tallybook} compare {period}", "the four models side by side"),
        (f"{tallybook} graph {period}", "who caused it, who ran it, who pays: from team to team"),
        (
            f"{tallybook} apply {home}/books --plan",
            "edit a policy file there first, then see what would change",
        ),
    ]
