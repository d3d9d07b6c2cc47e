"""A copy of the project in which every function of a room carries its mutants along.

The mutants are those of mutmut: other operators, numbers, texts, arguments, conditions. Only who
is asked which of them lives is ours (`switch`), because a look at the environment at every call is
dear where a test makes a million calls.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents

from bench.mutants.tally import changes

ROOMS = ("money", "allocate", "ledger", "rate")
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", "out", ".hypothesis", ".*_cache")
THEIRS = "from mutmut.mutation.trampoline import wrap_in_trampoline as _mutmut_mutated, MutantDict"
OURS = "from bench.mutants.switch import switched as _mutmut_mutated, MutantDict"


def copy_project(project: Path, copy: Path) -> None:
    """Copy what tests need into a new folder."""
    shutil.copytree(project, copy, ignore=LEFT_OUT)


def mutate_room(copy: Path, room: str) -> list[str]:
    """Mutate the modules of a room in place.

    What only states that two sequences are of one length (``strict=True``) is left as it is: it
    does nothing as long as the rest is right.

    Returns:
        the mutants, each as module and name.
    """
    names = []
    source = copy / "src"
    for path in sorted((source / "tallybook" / room).rglob("*.py")):
        made = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
        if made.mutant_names:
            assert THEIRS in made.code, f"{path} asks somebody else which mutant lives"
            path.write_text(made.code.replace(THEIRS, OURS), encoding="utf-8")
            module = ".".join(path.relative_to(source).with_suffix("").parts)
            names += [f"{module.removesuffix('.__init__')}.{name}" for name in made.mutant_names]
    return [name for name in names if not _only_states(changes(source, name))]


def _only_states(changed: list[str]) -> bool:
    """Whether a change is of nothing but a ``strict=True``."""
    gone = [line[2:] for line in changed if line.startswith("-") and "strict=True" in line]
    come = [line[2:] for line in changed if line.startswith("+")]
    if len(changed) != len(gone) + len(come) or len(gone) != 1 or len(come) != 1:
        return False
    others = ("strict=None", "strict=False", "")
    return come[0] in {gone[0].replace("strict=True", other) for other in others}
