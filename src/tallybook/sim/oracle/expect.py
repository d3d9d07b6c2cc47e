"""The whole month at once: what the books of a company must show."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallybook.sim.oracle.books import Books, instant, read_books
from tallybook.sim.oracle.ledger import Posting, balances, parts
from tallybook.sim.oracle.lines import ZERO, Line, Month
from tallybook.sim.oracle.month import charge_layer, cost_layer, fair_share
from tallybook.sim.oracle.owner import owner_of
from tallybook.sim.oracle.price import ListPrices, cost_of
from tallybook.sim.oracle.usage import Event, Intake, state, take_in, tokens_of


@dataclass(frozen=True, slots=True)
class TeamShare:
    """One team's month: calls by feature; `charged` by kind, amounts in currency units."""

    features: Mapping[str, int]
    calls: int
    tokens: int
    charged: Mapping[str, Fraction]
    fair: Fraction

    @property
    def total(self) -> Fraction:
        """What the team bears."""
        return sum(self.charged.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be on the books; amounts in currency units, debit positive, counts in calls.

    `parts` bounds what rounding may do to each account (see `ledger`).
    """

    intake: Intake
    balances: Mapping[str, Fraction]
    parts: Mapping[str, int]
    by_team: Mapping[str, TeamShare]
    calls: int
    tokens: int
    unallocated: int
    unpriced: int
    unknown: int
    estimated: int
    charged: Fraction
    central: Fraction
    ledger_cost: Fraction
    unfairness: Fraction


def expected(
    books: Mapping[str, str],
    list_prices: ListPrices,
    events: Sequence[Event],
    actuals: Mapping[str, str],
    period: str,
) -> Expectation:
    """Model one month.

    Args:
        books: YAML texts by kind: `org`, `policy`, and if there are any `prices`, `budgets`.
        list_prices: by (provider, model), prices as text: per million tokens of a class, per unit.
        events: canonical usage events in the order of their arrival, of any month.
        actuals: what pools really cost, as decimal text; a pool left out cost its policy amount.
        period: the month, `YYYY-MM`.
    """
    files = read_books(books, period)
    intake = take_in(events)
    lines = tuple(
        rated(files, list_prices, event)
        for event in intake.standing
        if files.start <= instant(event["started_at"]) < files.end
    )
    month = Month(files, lines, actuals)
    posted = cost_layer(month) + charge_layer(month)
    return summed(month, intake, posted)


def rated(files: Books, list_prices: ListPrices, event: Event) -> Line:
    """One event with owner and cost."""
    return Line(
        event["provider"],
        owner_of(files, event),
        cost_of(files, list_prices, event),
        tokens_of(event),
        state(event),
    )


def summed(month: Month, intake: Intake, posted: list[Posting]) -> Expectation:
    """Fold lines and postings into what is compared."""
    book = balances(posted)
    lines = month.lines
    teams = {team: team_share(month, book, team) for team in month.teams()}
    charged = family(book, "Charge")
    central = family(book, "Cost", "Pool", "Variance", "Absorption")
    assert sum(book.values()) == 0
    assert charged + central == -family(book, "Accrued", "Source")
    return Expectation(
        intake=intake,
        balances=book,
        parts=parts(posted),
        by_team=teams,
        calls=len(lines),
        tokens=sum(line.tokens for line in lines),
        unallocated=sum(not line.owner.named for line in lines),
        unpriced=sum(line.cost.unpriced for line in lines),
        unknown=sum(line.state == "unknown" for line in lines),
        estimated=sum(line.state == "estimated" for line in lines),
        charged=charged,
        central=central,
        ledger_cost=charged + central,
        unfairness=unfairness(teams.values(), central, charged + central),
    )


def family(book: Mapping[str, Fraction], *names: str) -> Fraction:
    """The balance of all accounts of some families."""
    return sum((x for account, x in book.items() if account.split(":")[0] in names), ZERO)


def team_share(month: Month, book: Mapping[str, Fraction], team: str) -> TeamShare:
    """One team's calls, tokens, charges and fair share."""
    own = [line for line in month.lines if line.owner.team == team]
    prefix = f"Charge:{team}:"
    charged = {key.removeprefix(prefix): x for key, x in book.items() if key.startswith(prefix)}
    tokens = sum(line.tokens for line in own)
    features = Counter(line.owner.feature for line in own)
    return TeamShare(features, len(own), tokens, charged, fair_share(month, team))


def unfairness(teams: Collection[TeamShare], central: Fraction, cost: Fraction) -> Fraction:
    """Half the sum over teams and central of what is borne beyond fair, over the ledger cost."""
    off = [team.total - team.fair for team in teams]
    off.append(central - (cost - sum((team.fair for team in teams), ZERO)))
    return sum(map(abs, off), ZERO) / 2 / cost if cost else ZERO
