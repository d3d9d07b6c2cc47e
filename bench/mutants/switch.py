"""Which mutant is alive in this process; every mutated function asks here at each call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

MutantDict = MutableMapping[str, Callable[..., Any]]
ORIGINAL = "_mutmut_orig"
SEPARATOR = "__mutmut_"

alive: dict[str, str] = {"module": "", "name": ""}
called: set[str] = set()
"""Names of the functions that were called, with their module; cleared by whoever reads it."""


def switch_on(mutant: str) -> None:
    """Let one mutant live, by module and name; '' lets none."""
    alive["module"], _, alive["name"] = mutant.rpartition(".")


def function_of(mutant: str) -> str:
    """The function, with its module, that a mutant is of."""
    return mutant.partition(SEPARATOR)[0]


def switched(
    mutants: Mapping[str, Callable[..., Any]],
    is_classmethod: bool = False,  # noqa: FBT001, FBT002 - as mutmut writes it
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function that acts as its living mutant, or as itself.

    Args:
        mutants: by name; the function itself under `ORIGINAL`.
        is_classmethod: whether the first argument is a class that binds what is called.
    """

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        module = function.__module__

        @functools.wraps(function)
        def act(*args: Any, **params: Any) -> Any:
            original = mutants[ORIGINAL]
            called.add(function_of(f"{module}.{original.__name__}"))
            found = mutants.get(alive["name"]) if alive["module"] == module else None
            chosen = found or original
            if is_classmethod:
                return getattr(args[0], chosen.__name__)(*args[1:], **params)
            return chosen(*args, **params)

        return act

    return wrap
