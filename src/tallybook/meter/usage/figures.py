"""Figures of a response: whole counts, exact or refused, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.model import COUNT_MAX

Path = tuple[str, ...]
Paths = tuple[Path, ...]
"""Where a figure may stand; the first place that tells it wins, so it is never counted twice."""

FIGURE_MAX: Final = COUNT_MAX // 64  # no sum of the figures of one response is too large
_MS_PER_S: Final = 1000
_TICKS_DIGITS: Final = 10  # a tick is a ten-thousand-millionth of a dollar


def at(value: Any, path: Path) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def count(value: Any, name: str) -> int | None:
    """A count as told, None when it is not.

    Raises:
        EventError: it is told, and is no whole number of 0 or more.
    """
    if type(value) is int and 0 <= value <= FIGURE_MAX:
        return value
    if value is None:
        return None
    # Some send a count as 62.0; an SDK that parsed the response itself hands over binary floats.
    if isinstance(value, Decimal | float) and 0 <= value <= FIGURE_MAX and value == value // 1:
        return int(value)
    raise EventError(
        f"{name} is {shown(value)}; a count is a whole number of 0 or more, at most {FIGURE_MAX}",
        next_step="the usage is unknown; ask the provider for this response",
    )


def first(value: Mapping[str, Any], paths: Paths) -> int | None:
    """The first of several places that tells a count."""
    for path in paths:
        found = value.get(path[0])
        if found is None:
            continue
        if len(path) > 1:
            if not isinstance(found, dict):
                continue
            found = found.get(path[1])  # nearly all have two keys; a reader runs on every answer
            if len(path) > 2:  # noqa: PLR2004 - beyond these two
                found = at(found, path[2:])
            if found is None:
                continue
        if type(found) is int and 0 <= found <= FIGURE_MAX:
            return found
        return count(found, ".".join(path))
    return None


def text(value: Any) -> str:
    """Text as told; '' for anything else."""
    return value if type(value) is str else ""


def items(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def milliseconds(value: Any, name: str) -> int | None:
    """Seconds as told, in whole milliseconds; a fraction of one counts as one.

    Raises:
        EventError: it is told, and is no number of 0 or more.
    """
    if value is None:
        return None
    exact = _decimal(value)
    if exact is None or not 0 <= exact <= FIGURE_MAX // _MS_PER_S:
        raise EventError(f"{name} is {shown(value)}; seconds are a number of 0 or more")
    length = exact * _MS_PER_S
    return int(length) + (length > int(length))


def dollars(value: Any) -> str:
    """An amount as exact decimal text; '' if it is none, or below zero."""
    exact = _decimal(value)
    return _plain(exact) if exact is not None else ""


def dollars_of_ticks(value: Any) -> str:
    """Ticks of 1e-10 dollars as exact decimal text; '' if it is no count."""
    if type(value) is not int or not 0 <= value <= FIGURE_MAX:
        return ""
    return _plain(Decimal(value).scaleb(-_TICKS_DIGITS))


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact if exact.is_finite() else None


def _plain(value: Decimal) -> str:
    """Without an exponent and without zeros that say nothing."""
    if value.is_signed() or not -40 < value.adjusted() < 40:  # noqa: PLR2004 - beyond any cost
        return "0" if value == 0 else ""
    shown_plainly = f"{value:f}"
    if "." in shown_plainly:
        shown_plainly = shown_plainly.rstrip("0").rstrip(".")
    return shown_plainly or "0"
