"""Which statements another engine than DuckDB may run: those that were proven equal on it.

`golden.json` is published with the code. It holds, for each statement of the run, the digest of its
text and the golden digest of its results over adversarial events, by engine and version. A pair is
offered only while its digest equals DuckDB's; `tests/engines` proves the table again each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

from tallybook.errors import StoreError
from tallybook.store.sqltext import sql_text

DUCKDB: Final = "duckdb"
_NAMED = re.compile(r"-- ([a-z_]+)/([a-z_]+)\n")


@dataclass(frozen=True, slots=True)
class Golden:
    """The published table.

    Args:
        versions: which version of each program was proven.
        texts: the digest of each statement's text.
        results: the golden digest of each statement by engine.
    """

    versions: Mapping[str, str]
    texts: Mapping[str, str]
    results: Mapping[str, Mapping[str, str]]

    def require(self, statement: str, engine: str, versions: Mapping[str, str]) -> None:
        """Require that a statement was proven on an engine as both stand here.

        Args:
            statement: the text, as `sql_text` names it.
            engine: the engine that is to run it.
            versions: what is installed here.

        Raises:
            StoreError: it was not; nothing was run.
        """
        for program, version in versions.items():
            proven = self.versions.get(program, "none")
            if version != proven:
                raise _not_offered(
                    f"{program} {version} was not proven to give DuckDB's figures; {proven} was",
                    f"install it: pip install 'tallybook[{engine}]'; or run without --engine",
                )
        name = name_of(statement)
        results = self.results.get(name, {})
        if self.texts.get(name) != text_digest(name):
            what = f"the statement {name or 'without a name'} was not proven on {engine}"
        elif engine not in results or results[engine] != results.get(DUCKDB):
            what = f"{name} gives other figures on {engine} than on DuckDB"
        else:
            return
        raise _not_offered(what, "run without --engine; docs/engines.md says how one is proven")


def published() -> Golden:
    """The table that came with this code."""
    text = files(__package__).joinpath("golden.json").read_text(encoding="utf-8")
    held = json.loads(text)
    statements = held["statements"]
    return Golden(
        versions=held["versions"],
        texts={name: row["text"] for name, row in statements.items()},
        results={name: row["results"] for name, row in statements.items()},
    )


def name_of(statement: str) -> str:
    """The name that `sql_text` put in a statement's first line, or ''."""
    found = _NAMED.match(statement)
    return f"{found[1]}/{found[2]}" if found else ""


def text_digest(name: str) -> str:
    """The digest of a named statement's file as it is now; '' if there is none."""
    room, _, stem = name.partition("/")
    try:
        text = sql_text(f"tallybook.{room}", stem)
    except (ModuleNotFoundError, FileNotFoundError):
        return ""
    return sha256(text.encode()).hexdigest()[:16]


def _not_offered(what: str, next_step: str) -> StoreError:
    return StoreError(f"not offered: {what}", next_step=next_step)
