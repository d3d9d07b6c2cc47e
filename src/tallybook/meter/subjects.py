"""People behind random ids: the only place that knows both is the `subject` table.

No digest covers a subject id, so erasing a person deletes one row and changes no book.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from tallybook.store import Tx, sql_text, storable

Kind = Literal["user", "customer"]
Person = tuple[Kind, str]


class Subjects:
    """Finds or gives the subject ids of people, remembering those of committed transactions.

    Args:
        new_id: gives a random id that it never gave before.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._known: dict[Person, str] = {}
        self._pending: dict[Person, str] = {}

    def resolve(self, tx: Tx, people: Iterable[Person]) -> dict[Person, str]:
        """The subject id of each person, made if there is none.

        Args:
            tx: a write transaction; call `committed` once it has committed.
            people: kind and value, as the source gave them.
        """
        wanted = set(people)
        resolved = {person: self._known[person] for person in wanted if person in self._known}
        rows = [
            {"subject": self._new_id(), "kind": kind, "value": storable(value)}
            for kind, value in sorted(wanted - resolved.keys())
        ]
        tx.run_many(sql_text(__package__, "add_subject"), rows)
        self._pending = {}
        for kind, value in wanted - resolved.keys():
            subject = tx.scalar(
                sql_text(__package__, "subject_of"), kind=kind, value=storable(value)
            )
            self._pending[kind, value] = str(subject)
        return resolved | self._pending

    def committed(self) -> None:
        """Remember what `resolve` found: its transaction stands."""
        self._known |= self._pending
        self._pending = {}


def names_of(tx: Tx, kind: Kind) -> dict[str, str]:
    """Who stands behind each subject id; who was erased is not there."""
    rows = tx.rows(sql_text(__package__, "subject_names"), kind=kind)
    return {str(row.subject): str(row.value) for row in rows}


def forget(tx: Tx, kind: Kind, value: str) -> bool:
    """Erase a person: the mapping goes, the subject id in the events means nobody from now on.

    Returns:
        whether there was one to erase.
    """
    return tx.run(sql_text(__package__, "forget_subject"), kind=kind, value=storable(value)) > 0
