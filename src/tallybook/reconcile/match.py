"""Which metered usage a line of an invoice is about: slots, from the most exact to the least.

Lines say more or less: a day and a model and a token class, or a day alone. Lines that say the same
are one *slot*. Slots that say more claim their usage first; what they leave goes to slots that say
less; what nobody claims was metered and is not on an invoice. Each cell is claimed once.

A model is the same by name, else by its mark (`tallybook.reconcile.read.sku`): then a slot takes
every model with this mark that no exact slot took. Cache writes whose time to live nobody states
take those of every time to live.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tallybook.rate.resolve import tier_name
from tallybook.reconcile.model import DAY_US, Cell, InvoiceLine
from tallybook.reconcile.read.sku import model_mark

ANY: Final = ("", "")
EXACT: Final = "="
ALIKE: Final = "~"
CACHE_WRITE: Final = "cache_write"
_CENTS: Final = 2
_LAST_DECIMAL: Final = {places: 10 ** (12 - max(places, _CENTS)) for places in range(12)}
"""Zeros at the end of a figure are not kept, and a bill is in cents at least: ``5`` is 5.00."""


class SlotKey(NamedTuple):
    """What lines say. ``model`` and ``token_class`` come with how they compare; ANY is unsaid."""

    start_us: int
    end_us: int
    model: tuple[str, str]
    token_class: tuple[str, str]
    tier: str
    key_id: str

    @property
    def form(self) -> Form:
        """Which of these it says."""
        return Form(
            self.end_us - self.start_us == DAY_US,
            self.model[0],
            self.token_class[0],
            bool(self.tier),
            bool(self.key_id),
        )

    @property
    def series(self) -> Series:
        """The same without the days."""
        return (self.model, self.token_class, self.tier, self.key_id)


class Form(NamedTuple):
    """What a slot key says: one day, how it compares model and class, tier, key."""

    one_day: bool
    model: str
    token_class: str
    tier: bool
    key: bool

    @property
    def says(self) -> int:
        """How much that is; what is compared by likeness says less than a name."""
        weight = {EXACT: 4, ALIKE: 3, "": 0}
        return (
            2 * weight[self.model]
            + 2 * weight[self.token_class]
            + 4 * self.key
            + 2 * self.tier
            + self.one_day
        )


Series = tuple[tuple[str, str], tuple[str, str], str, str]


@dataclass(slots=True)
class Slot:
    """Lines that say the same, and the usage that they claim.

    ``amount_pico`` is without exchange differences. ``slack_pico`` is the sum of one unit of the
    last decimal that each line was written with: twice the most that rounding can be.
    ``quantity`` is None unless every line states one.
    """

    key: SlotKey
    lines: list[InvoiceLine] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    amount_pico: int = 0
    quantity: int | None = 0
    slack_pico: int = 0
    covered: bool = False
    other_tier: bool = False

    def add(self, line: InvoiceLine) -> None:
        """Take in a line."""
        self.lines.append(line)
        self.amount_pico += line.amount_pico - line.fx_pico
        self.slack_pico += _LAST_DECIMAL.get(line.places, 1)
        self.covered = self.covered or line.covered
        if self.quantity is not None:
            self.quantity = None if line.quantity is None else self.quantity + line.quantity

    @property
    def model(self) -> str:
        """The model for people: as metered if that is one, else as the invoice names it.

        Empty where the lines name none: what was metered on those days need not be what was billed.
        """
        if self.key.model == ANY:
            return ""
        metered = {cell.model for cell in self.cells}
        if len(metered) == 1:
            return metered.pop()
        return self.lines[0].model if self.lines else self.key.model[1]

    @property
    def metered_pico(self) -> int:
        """What the claimed usage costs at contract."""
        return sum(cell.amount_pico for cell in self.cells)

    @property
    def metered_quantity(self) -> int:
        """How much was claimed."""
        return sum(cell.quantity for cell in self.cells)

    @property
    def price(self) -> int | None:
        """Pico per unit, if all claimed usage has one price."""
        prices = {cell.price for cell in self.cells}
        return prices.pop() if len(prices) == 1 else None

    @property
    def open_calls(self) -> int:
        """Claimed calls that were cut off or whose usage is not fully known."""
        return max((cell.open_calls for cell in self.cells), default=0)

    @property
    def refs(self) -> tuple[str, ...]:
        """The lines by name."""
        return tuple(line.ref for line in self.lines)


@dataclass(frozen=True, slots=True)
class Match:
    """Slots with what they claimed, and the cells that nobody claimed. One provider."""

    slots: tuple[Slot, ...]
    unclaimed: tuple[Cell, ...]


def match(lines: Iterable[InvoiceLine], cells: Sequence[Cell]) -> Match:
    """Give each cell to the slot that says most of it.

    Args:
        lines: usage lines of one provider.
        cells: metered usage of the same provider.
    """
    names = _Names(cells)
    slots: dict[SlotKey, Slot] = {}
    for line in lines:
        key = _key(line, names)
        slots.setdefault(key, Slot(key)).add(line)
    by_form: dict[Form, list[Slot]] = defaultdict(list)
    for slot in slots.values():
        by_form[slot.key.form].append(slot)
    left: Sequence[Cell] = cells
    for form in sorted(by_form, key=lambda form: (-form.says, form)):
        left = _claim(form, by_form[form], left)
    left = _claim_other_tiers(slots.values(), left)
    ordered = sorted(slots.values(), key=lambda slot: slot.key)
    return Match(tuple(ordered), tuple(left))


class _Names:
    """The metered models, by name and by mark, and whether cache writes state their time."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._names = {cell.model.lower(): cell.model for cell in cells}
        self._marks = {model_mark(model) for model in self._names.values()}
        self._memo: dict[str, tuple[str, str]] = {"": ANY}

    def of(self, told: str) -> tuple[str, str]:
        """A told model, and how it compares."""
        found = self._memo.get(told)
        if found is None:
            found = self._memo[told] = self._found(told)
        return found

    def _found(self, told: str) -> tuple[str, str]:
        if told.lower() in self._names:
            return (EXACT, self._names[told.lower()])
        mark = model_mark(told)
        return (ALIKE, mark) if mark in self._marks else (EXACT, told)


def _key(line: InvoiceLine, names: _Names) -> SlotKey:
    start = line.start_us - line.start_us % DAY_US
    end = line.end_us + -line.end_us % DAY_US
    how = ALIKE if line.token_class == CACHE_WRITE else EXACT
    return SlotKey(
        start,
        end,
        names.of(line.model),
        (how, line.token_class) if line.token_class else ANY,
        tier_name(line.tier) if line.tier else "",
        line.key_id,
    )


def cell_key(cell: Cell, form: Form, span: tuple[int, int]) -> SlotKey:
    """What a slot of a form must say to be about a cell."""
    token_class = cell.token_class
    if form.token_class == ALIKE and token_class.startswith(CACHE_WRITE):
        token_class = CACHE_WRITE
    return SlotKey(
        *span,
        _compared(form.model, cell.model if form.model == EXACT else model_mark(cell.model)),
        _compared(form.token_class, token_class),
        cell.tier if form.tier else "",
        cell.key_id if form.key else "",
    )


def _compared(how: str, told: str) -> tuple[str, str]:
    return (how, told) if how else ANY


def _claim(form: Form, slots: Sequence[Slot], cells: Sequence[Cell]) -> list[Cell]:
    """Fill slots of one form; returns the cells that none of them is about."""
    index = {slot.key: slot for slot in slots}
    spans = _Spans({(slot.key.start_us, slot.key.end_us) for slot in slots})
    left: list[Cell] = []
    for cell in cells:
        found = None
        for span in spans.of(cell.day_us):
            found = index.get(cell_key(cell, form, span))
            if found:
                break
        if found:
            found.cells.append(cell)
        else:
            left.append(cell)
    return left


class _Spans:
    """The spans that hold a day, the shortest first."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._days: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for span in sorted(spans, key=lambda span: (span[1] - span[0], span)):
            for day in range(span[0], span[1], DAY_US):
                self._days[day].append(span)

    def of(self, day_us: int) -> Sequence[tuple[int, int]]:
        return self._days.get(day_us, ())


def _claim_other_tiers(slots: Iterable[Slot], cells: Sequence[Cell]) -> list[Cell]:
    """Slots that found nothing take unclaimed usage that differs in the tier alone."""
    waiting = [slot for slot in slots if slot.key.tier and not slot.cells]
    if not waiting or not cells:
        return list(cells)
    index: dict[SlotKey, Slot] = {}
    for slot in waiting:
        index.setdefault(slot.key._replace(tier=""), slot)
    left: Sequence[Cell] = cells
    for form in sorted({key.form for key in index}, key=lambda form: (-form.says, form)):
        mine = [key for key in index if key.form == form]
        spans = _Spans({(key.start_us, key.end_us) for key in mine})
        rest: list[Cell] = []
        for cell in left:
            keys = (cell_key(cell, form, span) for span in spans.of(cell.day_us))
            found = next((index[key] for key in keys if key in index), None)
            if found:
                found.cells.append(cell)
                found.other_tier = True
            else:
                rest.append(cell)
        left = rest
    return list(left)


def ghosts(cells: Iterable[Cell], form: Form, *, counted: bool) -> list[Slot]:
    """Cells that nobody claimed, as slots of single days without lines, in the grain of a form.

    They were billed in a quantity of zero, if the invoice is one that states quantities.
    """
    found: dict[SlotKey, Slot] = {}
    for cell in cells:
        key = cell_key(cell, form, (cell.day_us, cell.day_us + DAY_US))
        found.setdefault(key, Slot(key, quantity=0 if counted else None)).cells.append(cell)
    return [found[key] for key in sorted(found)]


def widest_form(slots: Iterable[Slot]) -> Form:
    """The form that most slots have, as of single days; with model and class where none has."""
    counts: dict[Form, int] = defaultdict(int)
    for slot in slots:
        counts[slot.key.form._replace(one_day=True)] += 1
    if not counts:
        return Form(one_day=True, model=EXACT, token_class=EXACT, tier=True, key=True)
    return max(counts, key=lambda form: (counts[form], form.says, form))


Slots = Sequence[Slot]
BySeries = Mapping[Series, Slots]
