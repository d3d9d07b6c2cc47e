"""Globs of the policy files: ``*`` any text (also none), ``?`` one character, all else itself.

Case counts, and ``[`` has no meaning, unlike in a shell. One definition serves every room: Python
matches with :func:`glob_matches`, an engine with a full match of :func:`glob_regex`.
"""

from __future__ import annotations

import re
from functools import lru_cache


def is_glob(text: str) -> bool:
    """Whether the text holds a wildcard; without one it names exactly itself."""
    return "*" in text or "?" in text


def glob_regex(glob: str) -> str:
    """The regular expression of a glob, to be matched against the whole text.

    Only syntax that Python, RE2 (DuckDB) and Java (Spark) read alike is used.
    """
    wild = {"*": ".*", "?": "."}
    return "(?s)" + "".join(wild.get(char) or re.escape(char) for char in glob)


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(glob_regex(glob))


def glob_matches(glob: str, text: str) -> bool:
    """Whether the whole text matches the glob."""
    return _compiled(glob).fullmatch(text) is not None


def globs_meet(one: str, other: str) -> bool:
    """Whether some text matches both globs; decides if two rows can compete for one call."""
    # row[j]: the rest of `one` from the current character and other[j:] have a text in common.
    row = [all(char == "*" for char in other[j:]) for j in range(len(other) + 1)]
    for char in reversed(one):
        below = row
        row = [char == "*" and below[len(other)]] * (len(other) + 1)
        for j in reversed(range(len(other))):
            if char == "*" or other[j] == "*":
                # The star ends here, or takes one more token of the other side.
                row[j] = below[j] or row[j + 1]
            else:
                row[j] = (char == other[j] or "?" in (char, other[j])) and below[j + 1]
    return row[0]
