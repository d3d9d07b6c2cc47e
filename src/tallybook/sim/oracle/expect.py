"""The whole month at once: what the books of a company must show."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallybook.sim.oracle.books import Books, instant, neighbourhood, read_books
from tallybook.sim.oracle.divide import lines_of
from tallybook.sim.oracle.graph import Path, paths_of
from tallybook.sim.oracle.ledger import Posting, balances, parts
from tallybook.sim.oracle.lines import ZERO, Line, Month
from tallybook.sim.oracle.month import charge_layer, cost_layer, fair_share
from tallybook.sim.oracle.payer import prices_of
from tallybook.sim.oracle.price import ListPrices
from tallybook.sim.oracle.told import nodes_of
from tallybook.sim.oracle.usage import Event, Intake, take_in


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


Cut = Mapping[str, tuple[Fraction, Fraction]]
"""By team, the cost at rate card and at contract."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be on the books; amounts in currency units, debit positive, counts in calls.

    `parts` bounds what rounding may do to each account (see `ledger`). `cuts` are the same cost, at
    rate card and at contract, by who started it, who ran it and who pays.
    """

    intake: Intake
    balances: Mapping[str, Fraction]
    parts: Mapping[str, int]
    by_team: Mapping[str, TeamShare]
    cuts: Mapping[str, Cut]
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
    paths = paths_near(files, intake)
    lines = tuple(lines_of(files, list_prices, paths))
    month = Month(files, lines, actuals, tuple(prices_of(files, paths)))
    posted = cost_layer(month) + charge_layer(month)
    return summed(month, intake, posted)


def paths_near(books: Books, intake: Intake) -> list[Path]:
    """The paths of all calls and steps of the month and of its neighbours."""
    first, after = neighbourhood(books)
    nodes = nodes_of(books, intake)
    return paths_of([node for node in nodes if first <= instant(node["started_at"]) < after])


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
        cuts=cuts_of(lines),
        calls=sum(line.calls for line in lines),
        tokens=sum(line.tokens for line in lines),
        unallocated=sum(line.calls for line in lines if not line.owner.named),
        unpriced=sum(line.calls for line in lines if line.cost.unpriced),
        unknown=sum(line.calls for line in lines if line.state in ("unknown", "partial")),
        estimated=sum(line.calls for line in lines if line.state == "estimated"),
        charged=charged,
        central=central,
        ledger_cost=charged + central,
        unfairness=unfairness(teams.values(), central, charged + central),
    )


def cuts_of(lines: Collection[Line]) -> dict[str, Cut]:
    """The cost of the month by origin, by executor and by payer: one total (INV-11)."""
    cuts = {
        "origin": cut_by(lines, lambda line: line.owner.origin[0]),
        "executor": cut_by(lines, lambda line: line.owner.ran_by),
        "payer": cut_by(lines, lambda line: line.owner.team),
    }
    totals = {tuple(map(sum, zip(*cut.values(), strict=True))) for cut in cuts.values()}
    assert len(totals) == 1
    return cuts


def cut_by(lines: Iterable[Line], team_of: Callable[[Line], str]) -> Cut:
    """The cost of lines by a team of theirs."""
    card: defaultdict[str, Fraction] = defaultdict(Fraction)
    contract: defaultdict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        card[team_of(line)] += line.cost.card
        contract[team_of(line)] += line.cost.contract
    return {team: (card[team], contract[team]) for team in sorted(card)}


def family(book: Mapping[str, Fraction], *names: str) -> Fraction:
    """The balance of all accounts of some families."""
    return sum((x for account, x in book.items() if account.split(":")[0] in names), ZERO)


def team_share(month: Month, book: Mapping[str, Fraction], team: str) -> TeamShare:
    """One team's calls, tokens, charges and fair share."""
    own = [line for line in month.lines if line.owner.team == team]
    prefix = f"Charge:{team}:"
    charged = {key.removeprefix(prefix): x for key, x in book.items() if key.startswith(prefix)}
    tokens, calls = sum(line.tokens for line in own), sum(line.calls for line in own)
    features: Counter[str] = Counter()
    for line in own:
        features[line.owner.feature] += line.calls
    return TeamShare(+features, calls, tokens, charged, fair_share(month, team))


def unfairness(teams: Collection[TeamShare], central: Fraction, cost: Fraction) -> Fraction:
    """Half the sum over teams and central of what is borne beyond fair, over the ledger cost."""
    off = [team.total - team.fair for team in teams]
    off.append(central - (cost - sum((team.fair for team in teams), ZERO)))
    return sum(map(abs, off), ZERO) / 2 / cost if cost else ZERO
