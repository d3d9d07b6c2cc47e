"""The one crossing of a month's lines to cents, for statements and for comparisons alike."""

from __future__ import annotations

from collections.abc import Mapping

from tallybook.money import cents_of_lines
from tallybook.report.central import CentralKey
from tallybook.report.lines import LineFigures, LineKey


def to_cents(
    period: str, figures: Mapping[LineKey, LineFigures], central: Mapping[CentralKey, int]
) -> tuple[dict[LineKey, int], dict[CentralKey, int]]:
    """Cross every line to cents together, so that charged + central = ledger cost, to the cent.

    A showback team's central line is the sum of the lines that it is shown: they cross instead.

    Args:
        period: salts the tie-break.
        figures: the lines of all teams, charged and shown.
        central: the central lines in nano.

    Returns:
        cents by line, and by central line.
    """
    others = [key for key in central if key.kind != "showback"]
    nanos = [line.nano for line in figures.values()] + [central[key] for key in others]
    names = ["\x1f".join(("line", *key.identity)) for key in figures]
    names += ["\x1f".join(("central", *_named(key))) for key in others]
    parts = cents_of_lines(nanos, names, salt=f"statement:{period}")
    cents = dict(zip(figures, parts, strict=False))
    rest = dict(zip(others, parts[len(cents) :], strict=True))
    for key in central:
        if key.kind == "showback":
            rest[key] = sum(
                amount
                for line, amount in cents.items()
                if line.team == key.detail and figures[line].shown
            )
    return cents, {key: rest[key] for key in central}


def _named(key: CentralKey) -> tuple[str, ...]:
    """The key's text, in which a line of the period itself names no service period."""
    return key if key.service_period else key[:2]
