"""A world as a file: one line of what it was drawn from and what broke, then its operations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tallybook.errors import WrongUsageError
from tallybook.sim.world.model import Failure, Lived, Operation, Params

LAST: int = 40
"""how many operations a person is shown"""


def write_replay(path: Path, lived: Lived) -> Path:
    """Write a lived world, so that `read_replay` gives it back."""
    failure = asdict(lived.failure) if lived.failure else None
    head = {"params": asdict(lived.params), "failure": failure}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{json.dumps(row, sort_keys=True)}\n" for row in (head, *lived.operations))
    path.write_text(text, encoding="utf-8")
    return path


def read_replay(path: Path) -> tuple[Params, Failure | None, list[Operation]]:
    """Read a world from a file.

    Raises:
        WrongUsageError: it holds none.
    """
    try:
        head, *operations = (json.loads(line) for line in path.read_text("utf-8").splitlines())
        params = Params(**head["params"])
        failure = Failure(**head["failure"]) if head["failure"] else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUsageError(
            f"{path} is no replay file: {error}",
            next_step="name a file that `tallybook sim` wrote when a proof failed",
        ) from error
    return params, failure, operations


def told(operation: Operation) -> str:
    """One operation in a line."""
    said = [f"{operation['n']:>4} {operation['do']}"]
    said += [
        str(operation[name]) for name in ("period", "pool", "amount", "item") if name in operation
    ]
    for name in ("events", "rejects", "files"):
        if name in operation:
            said.append(f"{len(operation[name])} {name}")
    if "crash" in operation:
        said.append("(dies on the way)")
    return " ".join(said)


def last_told(operations: Sequence[Operation]) -> str:
    """The last operations, one a line."""
    return "\n".join(told(operation) for operation in operations[-LAST:])
