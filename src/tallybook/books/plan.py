"""What applying a books folder would change, row by row, in words.

Rows are matched by what names them (id, dates, month), not by position, so that a row moved inside
a file is no change of the row; where order decides, as among rules, a new order is told as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tallybook.books.documents import KINDS, Document

Action = Literal["added", "removed", "changed"]

_MARKS: Final[Mapping[str, str]] = {"added": "+", "removed": "-", "changed": "~"}

# What names a row of each section that is a list of rows.
_NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "business_units": ("id",),
    "teams": ("id", "from"),
    "features": ("id", "from"),
    "services": ("id", "from"),
    "keys": ("id", "from"),
    "rules": ("when", "from"),
    "versions": ("effective_from",),
    "pools": ("id",),
    "contracts": ("contract", "provider", "model", "tier", "region", "from"),
    "aliases": ("provider", "model"),
    "rates": ("currency", "date"),
    "commitments": ("id", "from"),
    "credits": ("id",),
    "capacity": ("id", "from"),
    "budgets": ("feature", "team", "unit", "key", "customer", "from"),
    "increases": ("feature", "month", "approved_on"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One row of one file: ``row`` names it, ``detail`` says what it holds or what became what."""

    kind: str
    action: Action
    row: str
    detail: str

    def __str__(self) -> str:
        tail = f": {self.detail}" if self.detail else ""
        return f"{_MARKS[self.action]} {self.kind}: {self.row}{tail}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change, in the order of the files; ``kinds`` are those to record a new version of."""

    changes: tuple[Change, ...]
    kinds: tuple[str, ...]

    def text(self) -> str:
        """The plan as lines for a person."""
        if not self.kinds:
            return "no change"
        count = dict.fromkeys(_MARKS, 0)
        for change in self.changes:
            count[change.action] += 1
        total = ", ".join(f"{number} {action}" for action, number in count.items())
        return "\n".join(
            [*map(str, self.changes), f"{total}; new version of {', '.join(self.kinds)}"]
        )


def plan(current: Mapping[str, Document], wanted: Mapping[str, Document]) -> Plan:
    """Compare documents in force with those of a folder.

    A kind that is absent on one side counts as empty there. A document that is recorded for the
    first time gives all its rows as added.
    """
    changes: list[Change] = []
    kinds: list[str] = []
    for kind in KINDS:
        before, after = current.get(kind), wanted.get(kind)
        if (before.sha256 if before else "") == (after.sha256 if after else ""):
            continue
        kinds.append(kind)
        found = _compare(_data(before), _data(after), kind, "")
        order = Change(kind, "changed", "order of rows", "nothing else")
        changes += found or ([order] if before and after else [])
    return Plan(tuple(changes), tuple(kinds))


def _data(document: Document | None) -> Any:
    return json.loads(document.body) if document else {}


def _compare(before: Any, after: Any, kind: str, label: str) -> list[Change]:
    """The changes between two mappings whose members are sections or single values."""
    changes: list[Change] = []
    for section in sorted(before.keys() | after.keys()):
        old, new = before.get(section), after.get(section)
        name = f"{label} {section}".strip()
        if section == "versions":
            changes += _compare_versions(old or [], new or [], kind)
        elif section in _NAMED_BY and isinstance(old or new, list):
            changes += _compare_rows(old or [], new or [], section, kind, name)
        elif section == "teams":  # entries of a policy version, one per team
            changes += _compare(old or {}, new or {}, kind, name)
        elif old != new:
            changes += _value_change(old, new, kind, name)
    return changes


def _compare_versions(before: list[Any], after: list[Any], kind: str) -> list[Change]:
    """A version of the policy that stays is compared inside; pools and teams have rows too."""
    old, new = _named(before, "versions"), _named(after, "versions")
    changes: list[Change] = []
    for name in sorted(old.keys() | new.keys()):
        row = f"version from {name}"
        if name not in old:
            changes.append(Change(kind, "added", row, _said(new[name], ("effective_from",))))
        elif name not in new:
            changes.append(Change(kind, "removed", row, _said(old[name], ("effective_from",))))
        else:
            changes += _compare(old[name], new[name], kind, row + ",")
    return changes


def _compare_rows(
    before: list[Any], after: list[Any], section: str, kind: str, label: str
) -> list[Change]:
    old, new = _named(before, section), _named(after, section)
    keys = _NAMED_BY[section]
    changes: list[Change] = []
    for name, row in old.items():
        if name not in new:
            changes.append(Change(kind, "removed", f"{label} {name}", _said(row, keys)))
        elif row != new[name]:
            changes.append(Change(kind, "changed", f"{label} {name}", _became(row, new[name])))
    changes += [
        Change(kind, "added", f"{label} {name}", _said(row, keys))
        for name, row in new.items()
        if name not in old
    ]
    stayed = [name for name in old if name in new]
    if section == "rules" and stayed != [name for name in new if name in old]:
        changes.append(Change(kind, "changed", f"{label} order", "the first match decides"))
    return changes


def _named(rows: list[Any], section: str) -> dict[str, Any]:
    """Rows by name; a name that stands several times is numbered."""
    named: dict[str, Any] = {}
    for row in rows:
        words = [_shown(row[key]) for key in _NAMED_BY[section] if key in row]
        name = base = " ".join(words)
        number = 1
        while name in named:
            number += 1
            name = f"{base} ({number})"
        named[name] = row
    return named


def _value_change(old: Any, new: Any, kind: str, name: str) -> list[Change]:
    if old is None:
        return [Change(kind, "added", name, _shown(new))]
    if new is None:
        return [Change(kind, "removed", name, _shown(old))]
    return [Change(kind, "changed", name, _became(old, new))]


def _said(row: Mapping[str, Any], named_by: tuple[str, ...]) -> str:
    """What a row holds beside its name."""
    return ", ".join(f"{key} {_shown(row[key])}" for key in sorted(row) if key not in named_by)


def _became(old: Any, new: Any) -> str:
    """Which members became what, down to the values; text that grew is given before and after."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return f"{_shown(old)} -> {_shown(new)}"
    parts: list[str] = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        inner = _became(was, now)
        nested = isinstance(was, dict) and isinstance(now, dict)
        parts.append(f"{key} ({inner})" if nested else f"{key} {inner}")
    return ", ".join(parts)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return str(value)
