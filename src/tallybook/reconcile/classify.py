"""Every difference gets a name. Pure: lines and cells in, items out; the identity is exact.

The order of reasoning, for each provider:

1. A line that is not usage has the name of its kind; what the provider does not explain (``other``)
   is suspense. The part of any line that is there because our rate of exchange is not the
   provider's is ``fx``.
2. A slot that agrees to the last digit is matched. One that is off by no more than the last written
   decimals can hide is ``rounding``.
3. Neighbouring days of opposite sign explain each other: ``timing``. So does usage of days that no
   invoice speaks for yet, and of the last days of the period while the day after is not billed.
4. Where quantities are stated, the difference in quantity at the contract price is ``volume``, and
   what then remains is ``price``, also where the usage was metered under another tier. Billed at
   nothing, it is ``commitment`` where the line says that one covers it, else ``free_quota``.
5. Where none is stated: if every day of a series is off by the same ratio it is ``price``. If
   another day of the series agrees to the last digit, prices are proven and it is ``volume``.
   Nothing metered at all is ``volume``. The rest is suspense: it is not guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tallybook.clock import format_instant
from tallybook.reconcile.days import billing_day
from tallybook.reconcile.match import Form, Match, Series, ghosts, match, widest_form
from tallybook.reconcile.model import DAY_US, Cell, InvoiceLine, Item, LineKind, VarianceKind
from tallybook.reconcile.timing import Difference, Moved, pair_days, take

CUTOFF_DAYS: Final = 1
NOT_IN_REPORT: Final = {"anthropic-costs": "priority"}
"""Tiers that a form of report leaves out, because they are paid by commitment."""

_OWN_NAME: Final = {
    LineKind.CREDIT: VarianceKind.CREDIT,
    LineKind.DISCOUNT: VarianceKind.DISCOUNT,
    LineKind.COMMITMENT: VarianceKind.COMMITMENT,
    LineKind.MINIMUM: VarianceKind.MINIMUM,
    LineKind.FREE_QUOTA: VarianceKind.FREE_QUOTA,
    LineKind.TAX: VarianceKind.TAX,
    LineKind.FEE: VarianceKind.FEE,
    LineKind.FX: VarianceKind.FX,
    LineKind.ROUNDING: VarianceKind.ROUNDING,
    LineKind.OTHER: VarianceKind.SUSPENSE,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: the billing days of a period, and a margin of days around them.

    Args:
        provider: one.
        first_us: the first UTC day of the period; ``last_us`` is the end of its last.
        days_told: the UTC days that some standing invoice speaks for.
        forms: the forms of the provider's invoices.
        cutoff_days: how many days a bill may lag behind.
    """

    provider: str
    first_us: int
    last_us: int
    days_told: Collection[int]
    forms: Collection[str] = ()
    cutoff_days: int = CUTOFF_DAYS

    def holds(self, start_us: int, end_us: int) -> bool:
        """Whether a span belongs to the period: the middle of its UTC days does."""
        return self.first_us <= billing_day(start_us, end_us) < self.last_us


@dataclass(frozen=True, slots=True)
class Classified:
    """The items of a provider and how many lines agree to the last digit."""

    items: tuple[Item, ...]
    matched_lines: int


def classify(scope: Scope, lines: Sequence[InvoiceLine], cells: Sequence[Cell]) -> Classified:
    """Name the differences of one provider in one period.

    Args:
        scope: the period.
        lines: standing lines of the period and its margin.
        cells: metered usage of the same days.

    Returns:
        items that sum to what the period's lines bill, less what its calls cost at contract.
    """
    usage = [line for line in lines if line.kind is LineKind.USAGE]
    mine = [line for line in lines if scope.holds(line.start_us, line.end_us)]
    items = [item for line in mine for item in _own_items(line)]
    found = match(usage, cells)
    work = _Work(scope, found)
    items += work.items()
    items += work.edge_items()
    return Classified(tuple(item for item in items if item.amount_pico), work.matched_lines)


def _own_items(line: InvoiceLine) -> Iterable[Item]:
    """What a line says of itself: its kind, and its part that is exchange."""
    if line.fx_pico:
        rate = f"{line.currency} at {line.rate} of {line.rate_date or 'no date'}"
        yield _line_item(line, VarianceKind.FX, "rate", line.fx_pico, rate)
    if line.kind is not LineKind.USAGE:
        cause = line.product or str(line.kind)
        amount = line.amount_pico - line.fx_pico
        yield _line_item(line, _OWN_NAME[line.kind], cause, amount, line.note or cause)


def _line_item(
    line: InvoiceLine, kind: VarianceKind, cause: str, amount_pico: int, evidence: str
) -> Item:
    start = line.start_us - line.start_us % DAY_US
    return Item(
        kind=kind,
        cause=cause,
        provider=line.provider,
        day_us=start,
        days=_days(start, line.end_us),
        model="",
        token_class="",
        tier="",
        key_id=line.key_id,
        quantity=None,
        amount_pico=amount_pico,
        evidence=evidence,
        lines=(line.ref,),
    )


def _days(start_us: int, end_us: int) -> int:
    return max(1, -((start_us - end_us) // DAY_US))


class _Work:
    """The slots of one provider on their way to items."""

    def __init__(self, scope: Scope, found: Match) -> None:
        self._scope = scope
        self._form: Form = widest_form(found.slots)
        told = any(slot.quantity is not None for slot in found.slots) or not found.slots
        slots = [*found.slots, *ghosts(found.unclaimed, self._form, counted=told)]
        self._differences = [Difference.of(slot) for slot in slots]
        self._models = {cell.model for slot in slots for cell in slot.cells}
        self._keys = {cell.key_id for slot in slots for cell in slot.cells}
        self._proven: set[Series] = set()
        self._proven_here: set[Series] = set()
        self._input_short: set[tuple[int, str, str, str]] = set()
        self.matched_lines = 0

    def items(self) -> list[Item]:
        """Every item of the slots of the period."""
        found: list[Item] = []
        rest: list[Difference] = []
        for one in self._differences:
            if self._is_matched(one):
                self._proven.add(one.slot.key.series)
                if self._mine(one):
                    self._proven_here.add(one.slot.key.series)
                self.matched_lines += len(one.slot.lines) if self._mine(one) else 0
                continue
            named = self._at_once(one)
            if named is None:
                rest.append(one)
            elif self._mine(one):
                found.append(named)
        rest = self._without_uniform(rest, found)
        found += self._timing(rest)
        self._note_short_input(rest)
        for one in rest:
            if self._mine(one):
                found += self._explained(one)
        return found

    def edge_items(self) -> Iterable[Item]:
        """Calls of this month on days that are billed with another, and the other way round.

        A month of another zone begins inside a UTC day, which is billed whole; a line may span the
        turn of a month.
        """
        for one in self._differences:
            mine = self._mine(one)
            for cell in one.slot.cells:
                amount = (cell.amount_pico if mine else 0) - cell.inside_pico
                if amount:
                    other = "metered in another month" if mine else "billed with another month"
                    yield replace(
                        _item(one, VarianceKind.TIMING, "month_edge", None, amount, other),
                        day_us=cell.day_us,
                        days=1,
                        model=cell.model,
                        token_class=cell.token_class,
                    )

    def _mine(self, one: Difference) -> bool:
        return self._scope.holds(one.slot.key.start_us, one.slot.key.end_us)

    def _is_matched(self, one: Difference) -> bool:
        return not one.amount_pico and not one.quantity and bool(one.slot.lines)

    def _at_once(self, one: Difference) -> Item | None:
        """Rounding: so little that the decimals of the lines can hide it."""
        slot = one.slot
        if one.within_rounding() and not one.quantity and slot.cells:
            return _item(one, VarianceKind.ROUNDING, "last_decimals", None, one.amount_pico,
                         "no more than the decimals of the invoice hide")  # fmt: skip
        return None

    def _without_uniform(self, rest: Sequence[Difference], found: list[Item]) -> list[Difference]:
        """Take out series without quantities in which every day is off by one ratio: a price.

        Of the period alone: the days around it may have another price, or no invoice yet.
        """
        series: dict[Series, list[Difference]] = defaultdict(list)
        for one in rest:
            if one.quantity is None and one.slot.lines and self._mine(one):
                series[one.slot.key.series].append(one)
        uniform = {
            name
            for name, ones in series.items()
            if name not in self._proven_here and _has_one_ratio(ones)
        }
        left = []
        for one in rest:
            if one.quantity is None and one.slot.lines and one.slot.key.series in uniform:
                if self._mine(one):
                    evidence = "every day is off by the same ratio"
                    found.append(_item(one, VarianceKind.PRICE, "contract", None,
                                       one.amount_pico, evidence))  # fmt: skip
            else:
                left.append(one)
        return left

    def _timing(self, rest: Sequence[Difference]) -> list[Item]:
        series: dict[Series, list[Difference]] = defaultdict(list)
        for one in rest:
            if one.slot.key.form.one_day:
                series[one.slot.key.series].append(one)
        moves: list[Moved] = []
        for ones in series.values():
            moves += pair_days(ones, self._scope.cutoff_days)
        items = [self._moved(part) for part in moves if self._mine(part.difference)]
        for one in rest:
            if self._mine(one):
                items += self._awaited(one)
        return items

    def _moved(self, part: Moved) -> Item:
        other = day_text(part.other_day_us)
        evidence = f"billed on {other}" if part.amount_pico < 0 else f"metered on {other}"
        return _item(part.difference, VarianceKind.TIMING, "day", part.quantity,
                     part.amount_pico, evidence)  # fmt: skip

    def _awaited(self, one: Difference) -> Iterable[Item]:
        """Usage that the next invoice is to bill: of days nobody spoke for, or at the cut-off."""
        slot, scope = one.slot, self._scope
        if one.amount_pico >= 0:
            return
        if not slot.lines and one.day_us not in scope.days_told:
            quantity, amount = one.quantity, one.amount_pico
            evidence, cause = "no invoice speaks for this day yet", "not_invoiced"
        elif scope.last_us in scope.days_told:
            return
        else:
            since = scope.last_us - scope.cutoff_days * DAY_US
            late = [cell for cell in slot.cells if cell.day_us >= since]
            part = _late_part(one, late)
            if part is None:
                return
            quantity, amount = part
            evidence, cause = "metered in the last days, the next invoice is not in", "cut_off"
        item = _item(one, VarianceKind.TIMING, cause, quantity, amount, evidence)
        take(one, quantity, amount)
        yield item

    def _note_short_input(self, rest: Sequence[Difference]) -> None:
        """Where input is short as well, whole calls are missing, not the ends of streams."""
        for one in rest:
            key = one.slot.key
            if (one.quantity or 0) > 0 and not key.token_class[1].endswith("output"):
                self._input_short.add((one.day_us, key.model[1], key.tier, key.key_id))

    def _explained(self, one: Difference) -> Iterable[Item]:
        """Volume, then price; without quantities what is proven, else suspense."""
        if one.quantity is None:
            yield from self._without_quantities(one)
            return
        slot = one.slot
        if not slot.lines:
            if one.amount_pico:
                yield self._not_billed(one)
            return
        has_metered = slot.metered_quantity > 0
        volume = one.value_of(one.quantity) if has_metered else one.amount_pico
        if volume:
            cause, evidence = self._volume_cause(one)
            yield _item(one, VarianceKind.VOLUME, cause, one.quantity, volume, evidence)
        if one.amount_pico - volume:
            yield self._priced(one, one.amount_pico - volume)

    def _priced(self, one: Difference, amount_pico: int) -> Item:
        """What is not the quantity: billed at nothing, the last decimals, else the price."""
        slot = one.slot
        if slot.amount_pico == 0 and slot.quantity:
            kind = VarianceKind.COMMITMENT if slot.covered else VarianceKind.FREE_QUOTA
            cause = "covered" if slot.covered else "billed_at_nothing"
            evidence = f"{slot.quantity:,} {slot.key.token_class[1]} are billed at nothing"
        elif 2 * abs(amount_pico) <= slot.slack_pico:
            kind, cause = VarianceKind.ROUNDING, "last_decimals"
            evidence = "no more than the decimals of the invoice hide"
        else:
            kind = VarianceKind.PRICE
            cause, evidence = self._price_cause(one)
        return _item(one, kind, cause, None, amount_pico, evidence)

    def _without_quantities(self, one: Difference) -> Iterable[Item]:
        slot = one.slot
        if not one.amount_pico:
            return
        if not slot.lines:
            yield self._not_billed(one)
        elif not slot.cells:
            cause, evidence = self._volume_cause(one)
            yield _item(one, VarianceKind.VOLUME, cause, None, one.amount_pico, evidence)
        elif slot.key.series in self._proven:
            evidence = "other days of it agree to the last digit, so prices hold"
            cause = self._volume_cause(one)[0] if one.amount_pico > 0 else "not_billed"
            yield _item(one, VarianceKind.VOLUME, cause, None, one.amount_pico, evidence)
        else:
            evidence = "without quantities on the invoice a price is not told from a volume"
            yield _item(one, VarianceKind.SUSPENSE, "unexplained", None, one.amount_pico, evidence)

    def _not_billed(self, one: Difference) -> Item:
        tiers = {NOT_IN_REPORT[form] for form in self._scope.forms if form in NOT_IN_REPORT}
        if {cell.tier for cell in one.slot.cells} <= tiers:
            return _item(one, VarianceKind.COMMITMENT, "priority_tier", one.quantity,
                         one.amount_pico, "this report leaves the tier out")  # fmt: skip
        evidence = f"{max(c.calls for c in one.slot.cells):,} calls were metered and not billed"
        return _item(one, VarianceKind.VOLUME, "not_billed", one.quantity, one.amount_pico,
                     evidence)  # fmt: skip

    def _volume_cause(self, one: Difference) -> tuple[str, str]:
        slot, key = one.slot, one.slot.key
        if (one.quantity or 0) < 0:
            return "not_billed", "more was metered than is billed"
        if key.key_id and key.key_id not in self._keys:
            return "unmetered_key", f"nothing was metered under key {key.key_id}"
        whole = (one.day_us, key.model[1], key.tier, key.key_id) in self._input_short
        if slot.open_calls and key.token_class[1].endswith("output") and not whole:
            return "aborted_streams", f"{slot.open_calls:,} calls were cut off or not fully told"
        if slot.cells:
            return "outside_gateway", "more is billed than was metered"
        return "outside_gateway", "nothing of this was metered on these days"

    def _price_cause(self, one: Difference) -> tuple[str, str]:
        slot = one.slot
        if slot.other_tier:
            tiers = ", ".join(sorted({cell.tier for cell in slot.cells}))
            return "tier", f"billed as {slot.key.tier}, metered as {tiers}"
        unpriced = sum(cell.unpriced for cell in slot.cells)
        if unpriced:
            return "unpriced", f"{unpriced:,} of what was metered has no price in the books"
        return "contract", "billed at another price than the contract"


def _late_part(one: Difference, late: Sequence[Cell]) -> tuple[int | None, int] | None:
    """The part of a shortfall that the last days of a slot can hold; None of nothing."""
    if not late:
        return None
    if one.quantity is None:
        held = sum(cell.amount_pico for cell in late)
        return (None, one.amount_pico) if -one.amount_pico <= held else None
    if one.quantity >= 0:
        return None
    held = sum(cell.quantity for cell in late)
    if one.slot.lines and -one.quantity > held:
        return None
    prices = {cell.price for cell in late}
    price = prices.pop() if len(prices) == 1 else None
    amount = one.quantity * price if price is not None else one.value_of(one.quantity)
    return one.quantity, amount


def _has_one_ratio(ones: Sequence[Difference]) -> bool:
    """Whether two days at least, and all, are billed at the same multiple of what was metered."""
    first = ones[0].slot
    if len(ones) < len(("one", "other")) or any(not one.slot.metered_pico for one in ones):
        return False
    return all(
        2 * abs(s.amount_pico * first.metered_pico - first.amount_pico * s.metered_pico)
        <= s.slack_pico * first.metered_pico + first.slack_pico * s.metered_pico
        for s in (one.slot for one in ones)
    )


def _item(
    one: Difference,
    kind: VarianceKind,
    cause: str,
    quantity: int | None,
    amount_pico: int,
    evidence: str,
) -> Item:
    slot = one.slot
    cells = slot.cells
    return Item(
        kind=kind,
        cause=cause,
        provider=slot.lines[0].provider if slot.lines else cells[0].provider,
        day_us=slot.key.start_us,
        days=_days(slot.key.start_us, slot.key.end_us),
        model=slot.model,
        token_class=slot.key.token_class[1],
        tier=slot.key.tier,
        key_id=slot.key.key_id,
        quantity=quantity,
        amount_pico=amount_pico,
        evidence=evidence,
        lines=slot.refs,
    )


def day_text(day_us: int) -> str:
    """A UTC day as a date."""
    return format_instant(day_us)[:10]


def by_kind(items: Iterable[Item]) -> Mapping[VarianceKind, int]:
    """The sum of items by kind."""
    sums: dict[VarianceKind, int] = defaultdict(int)
    for item in items:
        sums[item.kind] += item.amount_pico
    return sums
