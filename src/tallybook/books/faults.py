"""Where a fault stands and how it is told: ``file:line: what is wrong; expected ...; do: ...``."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]

_SHOWN_CHARACTERS = 60
_PREFIX_CHARACTERS = 3
_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file under reading: its name, its lines as far as known, and the faults found so far.

    Stored documents have no lines; their faults name the row in words alone.
    """

    file: str
    lines: Mapping[Place, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def line_of(self, path: Place) -> int | None:
        """The line of the path, or of the nearest thing around it; None without lines."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def refuse(self, path: Place, what: str, *, expected: str, remedy: str) -> None:
        """Note a fault at a place in the data."""
        place = label(path)
        said = f"{place}: {what}" if place else what
        line = self.line_of(path)
        self._add(self.file if line is None else f"{self.file}:{line}", said, expected, remedy)

    def refuse_line(self, line: int, what: str, *, expected: str, remedy: str) -> None:
        """Note a fault at a line."""
        self._add(f"{self.file}:{line}", what, expected, remedy)

    def at(self, path: Place) -> str:
        """Another place of this file, to be named in a fault: ``line 12``, or the row in words."""
        line = self.line_of(path)
        return label(path) if line is None else f"line {line}"

    def _add(self, where: str, what: str, expected: str, remedy: str) -> None:
        text = f"{where}: {what}; expected {expected}; do: {remedy}"
        # YAML escapes can make lone surrogates, which no terminal and no file can take.
        self.faults.append(text.encode("utf-8", "backslashreplace").decode())


def label(path: Place) -> str:
    """A path in words: ``("teams", 2, "unit")`` is ``teams 3, unit``."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f" {part + 1}"
        else:
            words += f", {part}" if words else part
    return words


def shown(value: object) -> str:
    """A figure as a message shows it: short, and text in quotes."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
    return f'"{cut}"' if isinstance(value, str) else cut


def one_of(names: Iterable[str]) -> str:
    """The names that would do, cut to a readable number."""
    known = sorted(set(names))
    more = f" and {len(known) - _SHOWN_NAMES} more" if len(known) > _SHOWN_NAMES else ""
    return "one of " + ", ".join(known[:_SHOWN_NAMES]) + more if known else "nothing here"


def nearest(name: str, names: Iterable[str]) -> str:
    """``, did you mean X`` when one name is close or begins so, else nothing."""
    known = sorted(set(names))
    begun = [text for text in known if len(name) >= _PREFIX_CHARACTERS and text.startswith(name)]
    close = begun if len(begun) == 1 else difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def refuse_form(error: ValidationError, form: type[BaseModel], sheet: Sheet) -> None:
    """Tell everything that the schema found wrong in one file."""
    for detail in error.errors(include_url=False):
        loc = tuple(part for part in detail["loc"] if part != "[key]")
        what, expected, remedy = _told(detail, form, loc)
        missing = detail["type"] == "missing"
        sheet.refuse(loc[:-1] if missing else loc, what, expected=expected, remedy=remedy)


def _told(detail: ErrorDetails, form: type[BaseModel], loc: Place) -> tuple[str, str, str]:
    kind, found = detail["type"], shown(detail["input"])
    last = str(loc[-1]) if loc else ""
    if kind == "books":
        said = detail["ctx"]
        return said["what"], said["expected"], said["remedy"]
    if kind == "missing":
        return f"{last} is missing", f"a value for {last}", f"add {last}: ..."
    if kind == "extra_forbidden":
        known = _keys_beside(form, loc)
        return f"unknown key{nearest(last, known)}", one_of(known), "correct or remove it"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{found} stands here", "a mapping (key: value)", "write the keys of the example"
    if kind == "list_type":
        return f"{found} stands here", "a list (- row)", "write one row per line"
    # Every scalar has its own reader, which says what it wanted; this is the net below them.
    return f"{found} is refused: {detail['msg']}", "the form of the example file", "correct it"


def _keys_beside(form: type[BaseModel], loc: Place) -> list[str]:
    """The keys that the schema knows at the place of an unknown one."""
    kind: Any = form
    for part in loc[:-1]:
        kind = _inner(kind, part)
    fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
    return [known.alias or name for name, known in fields.items()]


def _inner(kind: Any, part: str | int) -> Any:
    """The type of a member: of a model's field, a list's row or a mapping's value."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, known in kind.model_fields.items():
            if (known.alias or name) == part:
                return _without_none(known.annotation)
        return None
    members = typing.get_args(kind)
    return _without_none(members[-1]) if members else None


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) is typing.Annotated:
        return _without_none(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(arm for arm in typing.get_args(kind) if arm is not type(None))
    return kind
