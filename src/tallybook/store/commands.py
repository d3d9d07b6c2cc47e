"""The command log: who did what, when, with which arguments and versions. It only grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tallybook.store.engine import Tx, canonical_json, storable


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its user gave it."""

    name: str
    args: Mapping[str, object]
    actor: str


def log_command(
    tx: Tx, command: Command, now_us: int, versions: Mapping[str, object], outcome: str
) -> None:
    """Append a command, in the transaction that carries it out."""
    tx.run(
        "INSERT INTO command (name, args, actor, at_us, versions, outcome)"
        " VALUES (:name, :args, :actor, :at_us, :versions, :outcome)",
        name=command.name,
        args=storable(canonical_json(command.args)),
        actor=command.actor,
        at_us=now_us,
        versions=canonical_json(dict(versions)),
        outcome=outcome,
    )
