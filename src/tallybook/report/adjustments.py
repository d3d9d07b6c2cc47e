"""Late usage of closed months on the statements of the month that it posted into.

For each team and closed month up to three lines: what the late calls that it pays are worth at that
month's rate card, with their markup; what late calls moved at transfer prices; and what remains of
its adjustment, which is what late calls of anybody moved between teams: shares of pools, tokens
under `proportional`, commitments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallybook.attribute.model import AttributedLine
from tallybook.books.model import PolicyVersion
from tallybook.clock import Period
from tallybook.close.adjust import ADJUSTING, FAMILY
from tallybook.errors import CorruptedError
from tallybook.ledger.model import ActKind, PostingKey
from tallybook.ledger.state import acts
from tallybook.post.basis import books_at
from tallybook.post.late import Ranges, standing_ranges
from tallybook.post.sheet import Sheet, cost_cells, sheet_at
from tallybook.report.central import CentralKey, central_nano
from tallybook.report.lines import LineFigures, LineKey, is_pooled, line_key
from tallybook.store import Tx

CALLS, PRICES, SHARES = "late calls", "transfer prices", "shares"
UNMETERED = "unmetered keys"
_NO_END = 1 << 62

Change = tuple[Sequence[AttributedLine], Sequence[AttributedLine]]
"""the lines of a month before and after late usage was posted"""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is booked in one period about another one, which is closed.

    Attributes:
        period: the closed one; ``version`` is that of its statement that this corrects.
        policy: under which it was closed; ``unowned`` its central team.
        changes: what its lines were and became.
        held: the balances, by posting key.
    """

    period: str
    version: int
    policy: PolicyVersion
    unowned: str
    changes: tuple[Change, ...]
    held: Mapping[PostingKey, int]


def adjustments_of(
    tx: Tx, sheet: Sheet, held: Mapping[PostingKey, int], before_seq: int = _NO_END
) -> list[Adjustment]:
    """The adjustments that stand in a period, by service period.

    Args:
        tx: a transaction.
        sheet: the period's sheet, whose versions say which late usage is in it.
        held: what posted into the period about other ones.
        before_seq: as of which link of the chain.
    """
    ranges = standing_ranges(tx, sheet.versions.late)
    by_period: dict[str, dict[PostingKey, int]] = defaultdict(dict)
    for key, nano in held.items():
        by_period[key.service_period][key] = nano
    return [
        adjustment(tx, period, ranges, by_period.get(period, {}), before_seq)
        for period in sorted({*by_period, *ranges.spans})
    ]


def adjustment(
    tx: Tx, period: str, ranges: Ranges, held: Mapping[PostingKey, int], before_seq: int
) -> Adjustment:
    """The adjustment of one closed period, with its lines from the sheets that the ranges name."""
    spans = ranges.spans.get(period, ())
    sheets = [(_sheet(tx, period, before), _sheet(tx, period, after)) for before, after in spans]
    last = sheets[-1][1] if sheets else _sheet(tx, period, 0)
    books, policy = books_at(tx, Period.parse(period), last.versions)
    return Adjustment(
        period=period,
        version=version_at(tx, period, before_seq),
        policy=policy,
        unowned=books.org.unowned_team,
        changes=tuple((before.lines, after.lines) for before, after in sheets),
        held=held,
    )


def version_at(tx: Tx, period: str, before_seq: int = _NO_END) -> int:
    """The newest statement version of a period as of a link of the chain; 0 without one."""
    issued = [
        int(act.details["statement_version"])
        for act in acts(tx, period)
        if act.kind is ActKind.CLOSE and act.seq < before_seq
    ]
    return issued[-1] if issued else 0


def _sheet(tx: Tx, period: str, number: int) -> Sheet:
    found = sheet_at(tx, period, number)
    if found is None:
        raise CorruptedError(
            f"cost sheet {number} of {period} is gone",
            where="sheet",
            next_step="restore the book from a backup, then run: tallybook verify",
        )
    return found


def adjustment_figures(adjustments: Iterable[Adjustment]) -> dict[LineKey, LineFigures]:
    """The adjustment lines of all teams."""
    found: dict[LineKey, LineFigures] = {}
    for each in adjustments:
        found |= _figures(each)
    return found


def adjustment_central(adjustments: Iterable[Adjustment]) -> dict[CentralKey, int]:
    """The central lines of adjustments, in nano.

    What a team on showback is shown is one central line with that of the period itself.
    """
    found: dict[CentralKey, int] = defaultdict(int)
    for each in adjustments:
        for key, nano in central_nano(each.held, each.unowned).items():
            named = key if key.kind == "showback" else key._replace(service_period=each.period)
            found[named] += nano
    return found


def adjustment_label(each: Adjustment, key: LineKey, calls: int) -> str:
    """The words of an adjustment line: the month, what came late, and the statement it corrects."""
    month = Period.parse(each.period).label().split()[0]
    number = f"S-{each.period}-{key.team} v{each.version}"
    if what := adjusting_words(key.detail.partition(" ")[2]):
        return f"{month}, {what[0].lower()}{what[1:]} ({number})"
    if key.detail.endswith(PRICES):
        return f"{month}, transfer prices of late calls ({number})"
    if key.detail.endswith(UNMETERED):
        return f"{month}, billed and not metered, by key ({number})"
    if key.detail.endswith(SHARES):
        return f"{month}, shares moved by late calls ({number})"
    if calls > 0:
        return f"{month}, {calls:,} late call{'s' * (calls != 1)} ({number})"
    return f"{month}, late corrections ({number})"


def adjusting_words(detail: str) -> str:
    """The words of an adjusting entry by its detail, ``J-0001 text``; empty if it is none."""
    number, _, text = detail.partition(" ")
    return f"Adjustment {number}: {text}" if ADJUSTING.fullmatch(number) else ""


_VARIANCES = {
    "rate_card": "contract prices against the rate card",
    "pool": "cost pools: actual against policy",
    "price": "billed at another price than the contract",
    "markup": "under- or over-absorbed by markup",
    "budget": "unused commitments",
    "credit": "credits of the provider",
    "discount": "discounts of the provider",
    "fee": "fees of the provider",
    "fx": "exchange differences",
    "commitment": "commitments to the provider",
    "minimum": "minimum charges of the provider",
    "expired_credit": "credits that expired",
    "completeness": "expected to be billed and not metered",
}


def is_decided(key: PostingKey) -> bool:
    """Whether a charge is a variance that was recharged or is expected, or an adjusting entry."""
    family = key.source.partition(":")[0]
    return family == FAMILY or (key.kind == "variance" and family in ("dispose", "accrual"))


def decided_key(place: LineKey, period: str) -> LineKey:
    """The line of what was decided about a closed month, in the month that it posted into."""
    return place._replace(detail=f"{period} {place.detail}")


def variance_label(key: LineKey, versions: Mapping[str, int]) -> str:
    """The words of a variance line: what it is, and the statement that it is about.

    Args:
        key: the line; the detail of one about another month begins with that month.
        versions: the newest statement version of each month that adjustments are about.
    """
    period, _, rest = key.detail.partition(" ")
    what = rest if period in versions else key.detail
    words = _VARIANCES.get(what, what)
    if what.startswith("expected, "):
        words = f"{_VARIANCES['completeness']}: {what.removeprefix('expected, ')}"
    if period not in versions:
        return f"Variance: {words}" if what in _VARIANCES else words
    month = Period.parse(period).label().split()[0]
    return f"{month}, variance: {words} (S-{period}-{key.team} v{versions[period]})"


def adjustment_key(team: str, period: str, what: str) -> LineKey:
    """The line of a team's late calls, its transfer prices, its shares, or its unmetered keys."""
    return LineKey(team, "", "", "adjustment", f"{period} {what}")


def _figures(each: Adjustment) -> dict[LineKey, LineFigures]:
    total: dict[str, int] = defaultdict(int)
    markup: dict[str, int] = defaultdict(int)
    prices: dict[str, int] = defaultdict(int)
    unmetered: dict[str, int] = defaultdict(int)
    shown: set[str] = set()
    for key, nano in each.held.items():
        if (place := line_key(key)) and not is_decided(key):
            total[place.team] += nano
            markup[place.team] += nano if place.kind == "markup" else 0
            prices[place.team] += nano if place.is_price else 0
            unmetered[place.team] += nano if place.kind == "variance" else 0
            if key.account.startswith("Memo:"):
                shown.add(place.team)
    used, value = _usage(each), _value(each)
    found: dict[LineKey, LineFigures] = {}
    for team in sorted({*total, *used}):
        figures, own = used.get(team), 0
        if figures and (figures.calls or figures.tokens or value[team]):
            own = value[team] + markup[team]
            figures.nano, figures.shown = own, _is_shown(each, team, shown)
            found[adjustment_key(team, each.period, CALLS)] = figures
        rest = total[team] - own - prices[team] - unmetered[team]
        for what, nano in (
            (PRICES, prices[team]), (SHARES, rest), (UNMETERED, unmetered[team])
        ):  # fmt: skip
            if nano:
                moved = LineFigures(nano=nano, shown=_is_shown(each, team, shown))
                found[adjustment_key(team, each.period, what)] = moved
    return {**found, **_decided(each, shown)}


def _decided(each: Adjustment, shown: set[str]) -> dict[LineKey, LineFigures]:
    """The lines of what people decided about the month, and of what is expected of it."""
    sums: dict[LineKey, int] = defaultdict(int)
    for key, nano in each.held.items():
        if (place := line_key(key)) and is_decided(key):
            sums[decided_key(place, each.period)] += nano
    return {
        place: LineFigures(nano=nano, shown=_is_shown(each, place.team, shown))
        for place, nano in sums.items()
        if nano
    }


def _is_shown(each: Adjustment, team: str, shown: set[str]) -> bool:
    return team in shown or each.policy.policy_for(team).model == "showback"


def _usage(each: Adjustment) -> dict[str, LineFigures]:
    """Late calls and tokens by team, without those that a pool pays or nobody owns."""
    found: dict[str, LineFigures] = defaultdict(LineFigures)
    for before, after in each.changes:
        for sign, lines in ((-1, before), (1, after)):
            for line in lines:
                if line.owner.team == each.unowned or is_pooled(line, each.policy, each.unowned):
                    continue
                figures = found[line.owner.team]
                figures.calls += sign * line.calls
                figures.tokens += sign * line.tokens
                for unit, count in line.units.items():
                    figures.units[unit] += sign * count
    for figures in found.values():
        for unit in [unit for unit, count in figures.units.items() if not count]:
            del figures.units[unit]
    return found


def _value(each: Adjustment) -> dict[str, int]:
    """What the teams' own late calls are worth at the rate card, in nano, as charged directly."""
    found: dict[str, int] = defaultdict(int)
    pooled = each.policy.evaluation.funding == "pooled"
    for before, after in each.changes:
        for sign, lines in ((-1, before), (1, after)):
            for cell in cost_cells(lines):
                if cell.team != each.unowned and not (pooled and cell.purpose == "evaluation"):
                    found[cell.team] += sign * cell.card_nano
    return found
