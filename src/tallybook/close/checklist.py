"""What must be true before a period closes, each item with its figures as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallybook.attribute.model import AttributedLine
from tallybook.books.model import PolicyVersion
from tallybook.clock import Period, format_instant
from tallybook.money import format_share


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist. ``waivable`` items may be passed by a signed waiver.

    ``evidence`` are its figures, ``look`` is the command that shows them line by line, and
    ``next_step`` what to do about it. ``figure`` is how much there is to waive, in the item's own
    unit: calls, pairs, pico or nano. A waiver covers what it was signed for and no more.
    """

    name: str
    ok: bool
    evidence: str
    next_step: str = ""
    waivable: bool = False
    waived_by: str = ""
    look: str = ""
    figure: int = 0

    @property
    def blocks(self) -> bool:
        """Whether the period cannot close because of it."""
        return not self.ok and not self.waived_by


@dataclass(frozen=True, slots=True)
class Measure:
    """A part of a whole, in one unit: calls, or pico at rate card."""

    part: int
    whole: int
    calls: int

    @property
    def share(self) -> Fraction:
        """The part of the whole; of nothing, everything if there is a part."""
        if not self.whole:
            return Fraction(int(bool(self.part)))
        return Fraction(self.part, self.whole)


def measures(lines: Sequence[AttributedLine]) -> dict[str, Measure]:
    """How much of the period is unallocated, estimated, unknown and unpriced.

    Value at rate card measures what has one; calls measure usage whose value nobody knows.
    """
    value = sum(line.card_pico for line in lines)
    calls = sum(line.calls for line in lines)
    fallback = [line for line in lines if line.owner.is_fallback]
    estimated = [line for line in lines if line.state == "estimated"]
    unknown = [line for line in lines if line.state in ("unknown", "partial")]
    unpriced = [line for line in lines if line.unpriced]
    return {
        "unallocated": _by_value(fallback, value),
        "estimated": _by_value(estimated, value),
        "unknown": _by_calls(unknown, calls),
        "unpriced": _by_calls(unpriced, calls),
    }


def _by_value(lines: Sequence[AttributedLine], value: int) -> Measure:
    return Measure(sum(x.card_pico for x in lines), value, sum(x.calls for x in lines))


def _by_calls(lines: Sequence[AttributedLine], calls: int) -> Measure:
    count = sum(line.calls for line in lines)
    return Measure(count, calls, count)


def state_items(
    period: Period,
    policy: PolicyVersion,
    lines: Sequence[AttributedLine],
) -> list[Item]:
    """The items that the policy limits.

    Args:
        period: which.
        policy: the version in force, with its limits.
        lines: the period's attributed lines.
    """
    items = []
    for name, measure in measures(lines).items():
        limit = policy.limits.get(name, Fraction(0))  # type: ignore[call-overload]
        share = format_share(measure.part, measure.whole)
        allowed = format_share(limit.numerator, limit.denominator)
        items.append(
            Item(
                name=name,
                ok=measure.share <= limit,
                evidence=f"{measure.calls} calls, {share} of {_unit(name)}; the limit is {allowed}",
                next_step=f"{_REMEDIES[name]}, or sign: tallybook waive {period} {name}"
                " --estimate AMOUNT --reason WHY",
                waivable=True,
                figure=measure.part,
                look=f"{_LOOKS[name]} {period}",
            )
        )
    return items


_REMEDIES = {
    "unallocated": "tag the calls, or add rules and keys to org.yaml and apply",
    "estimated": "ingest the reported usage as corrections",
    "unknown": "ingest the reported usage as corrections",
    "unpriced": "see `tallybook worklist unpriced`, add the prices to prices.yaml and apply",
}

_LOOKS = {
    "unallocated": "tallybook worklist unallocated",
    "estimated": "tallybook coverage",
    "unknown": "tallybook coverage",
    "unpriced": "tallybook worklist unpriced",
}


def _unit(name: str) -> str:
    return "the value at rate card" if name in ("unallocated", "estimated") else "all calls"


def ended_item(period: Period, end_us: int, now_us: int) -> Item:
    """A month closes when it is over."""
    return Item(
        "ended",
        ok=now_us >= end_us,
        evidence=f"the period ends at {format_instant(end_us)}; it is {format_instant(now_us)}",
        next_step=f"close {period} after it has ended",
    )


def order_item(earlier_open: Sequence[str]) -> Item:
    """Periods close in order; months in which nothing happened do not count."""
    return Item(
        "order",
        ok=not earlier_open,
        evidence=f"open with usage or postings: {', '.join(earlier_open)}"
        if earlier_open
        else "no earlier period is open",
        next_step=f"close {earlier_open[0]} first" if earlier_open else "",
    )


def posted_item(due: int) -> Item:
    """Everything that is known is booked."""
    return Item(
        "posted",
        ok=due == 0,
        evidence=f"{due} entries are due" if due else "targets equal what is booked",
        next_step="run the period again" if due else "",
    )


def late_item(waiting: Mapping[str, int], landing: str, *, is_shut: bool = False) -> Item:
    """Late usage of closed periods is posted before the next period closes.

    Args:
        waiting: events that wait by closed period; a period whose events were only superseded
            from elsewhere counts none.
        landing: the period whose run posts them.
        is_shut: the period takes no usage any more, so that late usage waits for a later one.
    """
    told = ", ".join(f"{count} of {period}" for period, count in sorted(waiting.items()))
    return Item(
        "late",
        ok=is_shut or not waiting,
        evidence=f"events that came after their close and are not posted: {told}"
        if waiting
        else "no event of a closed period waits",
        next_step=f"post them: tallybook run {landing}" if waiting else "",
        look="tallybook worklist late",
    )


def pools_item(missing: Sequence[str]) -> Item:
    """A pool without an actual amount is accrued at its policy amount, visibly."""
    return Item(
        "pools",
        ok=True,
        evidence=f"accrued at policy amount, no actual entered: {', '.join(missing)}"
        if missing
        else "every pool has its actual amount",
    )


def quarantine_item(count: int) -> Item:
    """Conflicting records are visible; they are not in the books, so they do not block."""
    return Item("quarantine", ok=True, evidence=f"{count} records in quarantine")
