"""From calls to lines: each call with who pays for it, and what several bear divided to the unit.

What several teams bear is added up over the month, for all calls that are alike in who started, ran
and pays for them, and then divided: every amount, count and token goes to somebody as a whole unit.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import blake2b

from tallybook.sim.oracle.books import Books, instant
from tallybook.sim.oracle.graph import Path
from tallybook.sim.oracle.joint import joint_terms, spread_over_users
from tallybook.sim.oracle.lines import Line
from tallybook.sim.oracle.owner import Owner, started_by
from tallybook.sim.oracle.payer import Part, payers_of
from tallybook.sim.oracle.price import PICO, Cost, ListPrices, cost_of
from tallybook.sim.oracle.told import is_step
from tallybook.sim.oracle.usage import doubt, tokens_of


@dataclass(frozen=True, slots=True)
class Alike:
    """What calls must share to be divided together."""

    provider: str
    owner: Owner
    parts: tuple[Part, ...]
    state: str
    unpriced: bool


def lines_of(books: Books, list_prices: ListPrices, paths: Sequence[Path]) -> list[Line]:
    """The lines of the calls of the month."""
    lines: list[Line] = []
    divided: defaultdict[Alike, list[Line]] = defaultdict(list)
    for path in paths:
        call = path[0]
        at = instant(call["started_at"])
        if is_step(call) or not books.start <= at < books.end:
            continue
        owner = started_by(books, path, at)
        cost = cost_of(books, list_prices, call)
        line = Line(call["provider"], owner, cost, tokens_of(call), doubt(call))
        parts = tuple(payers_of(books, path, at, owner))
        if terms := joint_terms(books, path, at, owner):
            parts = tuple(spread_over_users(books, paths, terms, Part(*owner.origin, Fraction(1))))
        if len(parts) == 1:
            lines.append(borne(line, parts[0]))
        else:
            whose = replace(owner, service="", executor="")
            same = Alike(line.provider, whose, parts, line.state, cost.unpriced)
            divided[same].append(line)
    return lines + [part for same, whole in divided.items() for part in parted(same, whole)]


def borne(line: Line, part: Part) -> Line:
    """A line that one payer bears whole."""
    owner = line.owner.paid_by(part.team, part.feature)
    return Line(line.provider, owner, line.cost, line.tokens, line.state, line.calls)


def parted(same: Alike, whole: Sequence[Line]) -> list[Line]:
    """The sum of some lines, divided among their payers."""
    owner = same.owner
    salt = [same.provider, *owner.origin, owner.purpose, owner.ran_by, same.state]

    def divided_up(total: int) -> list[int]:
        return apportioned(total, same.parts, salt)

    calls = divided_up(len(whole))
    tokens = divided_up(sum(line.tokens for line in whole))
    contract = divided_up(picos(line.cost.contract for line in whole))
    card = divided_up(picos(line.cost.card for line in whole))
    return [
        Line(
            same.provider,
            owner.paid_by(part.team, part.feature),
            Cost(Fraction(paid, PICO), Fraction(listed, PICO), same.unpriced),
            used,
            same.state,
            count,
        )
        for part, count, used, paid, listed in zip(
            same.parts, calls, tokens, contract, card, strict=True
        )
    ]


def picos(amounts: Iterable[Fraction]) -> int:
    """A sum of amounts as a whole number of the smallest unit that a price has."""
    total = sum(amounts, Fraction(0)) * PICO
    assert total.denominator == 1
    return int(total)


def apportioned(total: int, parts: Sequence[Part], salt: Sequence[str]) -> list[int]:
    """A whole number in whole parts by largest remainder; equal remainders by a published hash."""
    exact = [total * part.share for part in parts]
    found = [part.numerator // part.denominator for part in exact]
    lots = [drawn_lot(part, salt) for part in parts]
    order = sorted(range(len(parts)), key=lambda place: (found[place] - exact[place], lots[place]))
    for place in order[: total - sum(found)]:
        found[place] += 1
    return found


def drawn_lot(part: Part, salt: Sequence[str]) -> bytes:
    """BLAKE2b of the payer, keyed by what is divided."""
    key = blake2b("\0".join(salt).encode()).digest()
    names = [part.team, part.feature, part.service, part.rule]
    payer = "\0".join(names)
    return blake2b(payer.encode(), key=key, digest_size=16).digest()
