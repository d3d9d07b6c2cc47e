"""What became of the mutants, as a table, and what a survivor changed."""

from __future__ import annotations

import ast
import difflib
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from bench.mutants.hunt import ENDLESS, KILLED, SURVIVED, UNCALLED
from bench.mutants.switch import ORIGINAL, SEPARATOR

HEADS = ("room", "mutants", "killed", "never ended", "survived", "killed of all")
TALLY = "## Tally"
SURVIVORS = "## What survives"
_NOISE = ("--", "++", "@@")


def table(fates: Mapping[str, Mapping[str, str]]) -> str:
    """One row a room, as Markdown; what never ends is noticed, so it counts as killed."""
    rows = [_row(room, Counter(found.values())) for room, found in fates.items()]
    lines = [f"| {' | '.join(row)} |" for row in (HEADS, ("---", *["---:"] * 5), *rows)]
    return "\n".join(lines)


def _row(room: str, counts: Counter[str]) -> tuple[str, ...]:
    made, noticed = counts.total(), counts[KILLED] + counts[ENDLESS]
    left = counts[SURVIVED] + counts[UNCALLED]
    share = f"{100 * noticed / made:.1f} %" if made else "-"
    return (room, *(f"{n:,}" for n in (made, counts[KILLED], counts[ENDLESS], left)), share)


def page(old: str, told: str, fates: Mapping[str, Mapping[str, str]]) -> str:
    """The page with a new tally; what people wrote around it stays."""
    head = old.partition(TALLY)[0].rstrip()
    kept = old.partition(SURVIVORS)[2]
    return f"{head}\n\n{TALLY}\n\n{told}\n\n{table(fates)}\n\n{SURVIVORS}{kept}"


def changes(source: Path, mutant: str) -> list[str]:
    """The lines of its function that a mutant takes away and puts in.

    Args:
        source: the folder of the mutated modules.
        mutant: its module and name.
    """
    module, _, name = mutant.rpartition(".")
    path = source.joinpath(*module.split("."))
    file = path.with_suffix(".py")
    functions = _functions(file if file.is_file() else path / "__init__.py")
    original = functions[f"{name.partition(SEPARATOR)[0]}_{ORIGINAL}"]
    compared = difflib.unified_diff(original, functions[name], n=0, lineterm="")
    return [f"{line[0]} {line[1:].strip()}" for line in compared if line[:2] not in _NOISE]


@lru_cache
def _functions(file: Path) -> dict[str, list[str]]:
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    return {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }
