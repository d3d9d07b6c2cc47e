"""Notes of a statement: what informs a team and is not added.

Evaluation that a pool pays, what a team ran that others pay, what it caused that others pay; and
under models that split tokens or burn a budget, the transfers that stand within its usage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tallybook.attribute.model import JOINT, AttributedLine
from tallybook.report.lines import LineFigures, LineKey, Terms, line_id, transfer_key
from tallybook.report.model import Counterpart
from tallybook.report.sides import CALLER_PAYS, Side, rule_words


@dataclass(frozen=True, slots=True)
class Note:
    """One note: what usage has in common that stands on it. ``transfer`` is the other team.

    ``at_list`` says that its amount is the list price: the shadow of what runs on capacity.
    """

    team: str
    feature: str
    purpose: str
    kind: str
    label: str
    transfer: Counterpart | None = None
    at_list: bool = False

    def id(self, period: str) -> str:
        """The stable id of the note."""
        about = f"note:{self.label}"
        return line_id(period, LineKey(self.team, self.feature, self.purpose, self.kind, about))


def notes_of(line: AttributedLine, terms: Terms, sides: Mapping[LineKey, Side]) -> Iterator[Note]:
    """The notes on which this usage stands.

    Args:
        line: usage of one payer.
        terms: how usage comes onto lines.
        sides: of every line that is about a transfer.
    """
    o, pooled = line.owner, terms.is_pooled(line)
    if line.capacity and o.team != terms.unowned:
        label = f"on capacity {line.capacity}, at list price"
        yield Note(o.team, o.feature, "", "usage", label, at_list=True)
    rule = o.transfer or CALLER_PAYS
    if pooled:
        label = f"paid by the {terms.policy.evaluation.pool} pool"
        yield Note(o.team, o.feature, "evaluation", "evaluation", label)
    elif (key := transfer_key(line)) and terms.is_merged(line) and o.team != terms.unowned:
        told = sides[key].counterpart
        yield Note(o.team, "", "", "transfer", _within(told), told)
    if o.kind == "transfer":
        label = f"run for {o.team}: {o.service}"
        yield Note(
            o.executor, "", "", "transfer", label, Counterpart("run_for", o.team, o.service, rule)
        )
    if o.origin not in ("", o.team) and o.transfer != JOINT and not pooled:
        label = f"caused by you, paid by {o.team}: {o.service} ({rule_words(rule)})"
        yield Note(
            o.origin, "", "", "transfer", label, Counterpart("paid_by", o.team, o.service, rule)
        )


def note_figures(
    lines: Iterable[AttributedLine], terms: Terms, sides: Mapping[LineKey, Side]
) -> dict[str, dict[Note, tuple[LineFigures, list[AttributedLine]]]]:
    """By team its notes, sorted, with what they add up and the usage on them."""
    behind: dict[tuple[object, ...], list[tuple[Note, AttributedLine]]] = defaultdict(list)
    for line in lines:
        for note in notes_of(line, terms, sides):
            behind[note.team, note.kind, note.feature, note.label].append((note, line))
    found: dict[str, dict[Note, tuple[LineFigures, list[AttributedLine]]]] = defaultdict(dict)
    for _, each in sorted(behind.items()):
        figures = LineFigures()
        for _, line in each:
            figures.add_usage(line)
        note = _with_every_rule([note for note, _ in each])
        found[note.team][note] = (figures, [line for _, line in each])
    return found


def _within(told: Counterpart) -> str:
    """What a note says of a transfer that stands within usage."""
    service, rule = told.service, rule_words(told.rule)
    if told.role == "joint":
        return f"joint cost of {told.team}: {service}, within usage"
    if told.role == "paid_for":
        return f"caused by {told.team}, paid by you: {service} ({rule}), within usage"
    return f"caused by you, run by {told.team}: {service} ({rule}), within usage"


def _with_every_rule(notes: list[Note]) -> Note:
    """One note of several that differ in the rule alone."""
    first = notes[0]
    if first.transfer is None:
        return first
    rules = sorted({note.transfer.rule for note in notes if note.transfer})
    return replace(first, transfer=replace(first.transfer, rule=", ".join(rules)))
