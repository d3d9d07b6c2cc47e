"""One more row in a policy file, the rest of the text as it was written, comments and all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from tallybook.errors import BooksError

_TOP: Final = re.compile(r"^[A-Za-z_][\w-]*:")
_ITEM: Final = re.compile(r"^( *)- ")
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_NUMBER: Final = re.compile(r"[0-9][0-9_.eE+-]*")
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def with_row(text: str, section: str, row: Mapping[str, str | Sequence[str]], file: str) -> str:
    """The text of a policy file with a row at the end of one of its lists.

    Args:
        text: of the file.
        section: the list, such as ``features``; a file without it gets one.
        row: keys with their texts, or lists of texts.
        file: its name, for errors.

    Raises:
        BooksError: the list is not written one row a line below its name, so nobody can say where
            the row goes.
    """
    written = "- {" + ", ".join(f"{key}: {_spelled(value)}" for key, value in row.items()) + "}"
    lines = text.split("\n")
    heads = [number for number, line in enumerate(lines) if line.startswith(f"{section}:")]
    if not heads:
        return text.rstrip("\n") + f"\n\n{section}:\n  {written}\n"
    head = heads[0]
    rest = lines[head].removeprefix(f"{section}:").partition(" #")[0].strip()
    if rest == "[]":
        lines[head : head + 1] = [f"{section}:", f"  {written}"]
        return "\n".join(lines)
    last, indent = _end_of(lines, head)
    if rest or (last > head and indent is None):
        fault = (
            f"{file}:{head + 1}: {section} is not written as one row a line; expected rows that"
            f" begin with a dash below {section}:; do: write it so, or add the row yourself:"
            f" {written}"
        )
        raise BooksError([fault])
    lines.insert(last + 1, ("  " if indent is None else indent) + written)
    return "\n".join(lines)


def _end_of(lines: Sequence[str], head: int) -> tuple[int, str | None]:
    """The last line of a list and how far its rows stand in; None where it has no row."""
    last, indent = head, None
    for number in range(head + 1, len(lines)):
        line = lines[number]
        if _TOP.match(line):
            break
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _ITEM.match(line)
        if found and indent is None:
            indent = found[1]
        last = number
    return last, indent


def _spelled(value: str | Sequence[str]) -> str:
    if not isinstance(value, str):
        return "[" + ", ".join(_spelled(one) for one in value) + "]"
    plain = _PLAIN.fullmatch(value) and not _NUMBER.fullmatch(value)
    if plain and value.lower() not in _WORDS:
        return value
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?", value):
        return value  # a month or a day stays what it is
    return json.dumps(value, ensure_ascii=False)
