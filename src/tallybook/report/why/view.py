"""A bridge as text and as plain values: the same steps, the same figures, every digit."""

from __future__ import annotations

from typing import Any, Final

from tallybook.reconcile.read.told import in_units
from tallybook.report.why.model import Bridge, Step

KINDS: Final = {
    "usage_only": "No usage",
    "model": "Chargeback model",
    "owner": "Origin and executor",
    "scope": "Scope",
    "period": "Period and time zone",
    "volume": "Tokens and calls",
    "timing": "Timing",
    "price": "Price",
    "tax": "Tax",
    "credit": "Credits",
    "other": "Other charges",
    "rounding": "Rounding",
    "unexplained": "Unexplained",
}
"""Each kind of step as a heading."""
PARTS_SHOWN: Final = 6
_NAME: Final = 70
_AMOUNT: Final = 20


def bridge_text(found: Bridge, *, every_part: bool = False) -> str:
    """The bridge for a person.

    Args:
        found: the bridge.
        every_part: all parts of each step, not only the largest.
    """
    title = f"{found.company}, {found.period_label}: why {found.name} differs from our books"
    lines = [
        f"{title}, {found.currency}",
        "",
        _line(f"Ours: {found.subject}", found.ours_pico),
    ]
    kind = ""
    for step in found.steps:
        if step.kind != kind:
            kind = step.kind
            lines.append(f"  {KINDS[kind]}")
        lines.append(_line(f"    {step.words}", step.amount_pico))
        lines += _parts(step, every_part=every_part)
    lines += [
        f"{'':<{_NAME}}{'-' * _AMOUNT:>{_AMOUNT}}",
        _line(f"Theirs: {found.name}", found.theirs_pico),
    ]
    if found.unexplained_pico:
        lines.append(f"{in_units(found.unexplained_pico)} {found.currency} has no explanation.")
    if found.nearest:
        lines += ["", "Readings that come nearest, and what they would leave:"]
        lines += [_line(f"  {part.about}", part.amount_pico) for part in found.nearest]
    if found.notes:
        lines += ["", *(f"note: {note}" for note in found.notes)]
    if found.simulated:
        lines.append("note: these figures are of a SIMULATED company")
    return "\n".join(lines)


def _parts(step: Step, *, every_part: bool) -> list[str]:
    parts = sorted(step.parts, key=lambda part: -abs(part.amount_pico))
    shown = parts if every_part else parts[:PARTS_SHOWN]
    lines = [_line(f"      {part.about}", part.amount_pico) for part in shown if len(parts) > 1
             or part.about not in step.words]  # fmt: skip
    left = parts[len(shown) :]
    if left:
        lines.append(_line(f"      and {len(left)} more", sum(part.amount_pico for part in left)))
    return [*lines, f"      because: {step.evidence}"]


def _line(name: str, pico: int) -> str:
    shown = name if len(name) < _NAME else f"{name[: _NAME - 3]}.. "
    return f"{shown:<{_NAME}}{in_units(pico):>{_AMOUNT}}"


def bridge_value(found: Bridge) -> dict[str, Any]:
    """The machine form: ``ours`` + the amounts of ``steps`` = ``theirs``, exactly.

    Returns:
        ``period``, ``currency``, ``subject``, ``ours``, ``theirs``, ``difference``, ``steps``
        (``kind``, ``cause``, ``words``, ``amount``, ``evidence``, ``parts`` of ``about`` and
        ``amount``), ``unexplained``, ``nearest``, ``notes``; amounts are decimal text.
    """
    return {
        "figure": found.name,
        "period": found.period,
        "currency": found.currency,
        "subject": found.subject,
        "ours": in_units(found.ours_pico),
        "theirs": in_units(found.theirs_pico),
        "difference": in_units(found.theirs_pico - found.ours_pico),
        "steps": [
            {
                "kind": step.kind,
                "cause": step.cause,
                "words": step.words,
                "amount": in_units(step.amount_pico),
                "evidence": step.evidence,
                "parts": [
                    {"about": part.about, "amount": in_units(part.amount_pico)}
                    for part in step.parts
                ],
            }
            for step in found.steps
        ],
        "unexplained": in_units(found.unexplained_pico),
        "nearest": [
            {"reading": part.about, "leaves": in_units(part.amount_pico)} for part in found.nearest
        ],
        "notes": list(found.notes),
    }
