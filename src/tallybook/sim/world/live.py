"""Living a world: operation after operation, crashes and retries, proofs after each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final

from tallybook.sim.world.crash import Moments, counted
from tallybook.sim.world.die import IN_PROCESS, Death
from tallybook.sim.world.draw import Draw
from tallybook.sim.world.hands import Done, Hands, copy_books, open_books
from tallybook.sim.world.known import Known
from tallybook.sim.world.model import BrokenError, Failure, Lived, Operation, Params
from tallybook.sim.world.prints import Row, books_print, final_digest, intake_print
from tallybook.sim.world.prove import prove_invariants, prove_month, prove_step, require
from tallybook.store import Store

Opened = Callable[[Path, Path | None], Store]
"""Makes books in a folder, of a file of empty ones if it is given and can."""
CHANGES_A_MONTH: Final = ("run", "pool", "waive", "close", "soft")
TAKEN_WHEN_SOFT: Final = ("waive", "close")
"""of these, what a soft-closed month takes"""
NOT_REPEATED: Final = ("pool", "waive", "seal", "adjust")
"""what nobody does again after finding it done: a second row would stand beside the first"""


class World:
    """One world, in a folder of its own.

    Args:
        folder: empty; the books go into ``books`` below it.
        template: a file of empty books to start from, or None.
        death: how commands die in it.
        opened: makes its books in a folder; in a file if not said.
    """

    def __init__(
        self,
        folder: Path,
        template: Path | None = None,
        death: Death = IN_PROCESS,
        opened: Opened | None = None,
    ) -> None:
        self._death = death
        self._home, self._twin = folder / "books", folder / "twin"
        self._hands = Hands((opened or open_books)(self._home, template))
        self._kept: dict[str, Row] = {}
        self.known = Known()
        self.tally: Counter[str] = Counter()

    def close(self) -> None:
        """Let go of the books."""
        self._hands.store.close()

    def digest(self) -> str:
        """The digest of what is on the books."""
        return final_digest(self._hands.store)

    def step(self, operation: Operation) -> None:
        """Carry out one operation and prove that everything still holds.

        Raises:
            BrokenError: something does not.
        """
        self.tally["steps"] += 1
        try:
            if operation["do"] == "prove":
                self._prove(operation)
            else:
                self._carry_out(operation)
            prove_step(self._hands.store, self.known, self._kept)
        except BrokenError:
            raise
        except Exception as error:
            raise BrokenError(type(error).__name__, f"{operation['do']}: {error}") from error

    def _carry_out(self, operation: Operation) -> None:
        store = self._hands.store
        before, must = books_print(store), self._must(operation)
        done = self._crashed(operation) if "crash" in operation else self._hands.do(operation)
        kind = operation["do"]
        if must is not None:
            wanted = "carried out" if must else "refused"
            require(
                f"{kind} {wanted}",
                ok=done.ok == must,
                detail=f"{_named(operation)}: {done.refusal or 'it was carried out'}",
            )
        if not done.ok:
            self.tally["refused"] += 1
            after = books_print(self._hands.store)
            require(
                "INV-08",
                ok=after == before,
                detail=f"{_named(operation)} was refused and changed the books",
            )
        elif kind == "ingest":
            self._offered(operation, done)
        self.known.keep(operation, done)
        self.tally[f"{kind}s" if done.ok else f"{kind} refused"] += 1

    def _must(self, operation: Operation) -> bool | None:
        """Whether an operation must be carried out or refused; None if either may be right."""
        known, kind, period = self.known, operation["do"], operation.get("period", "")
        if period in known.closed and _is_shut_for(kind, is_soft=period in known.soft):
            return False
        if kind in ("run", "ingest", "seal"):
            begun = kind != "run" or known.has_begun(period, operation["at_us"])
            return kind == "ingest" or (bool(known.files) and begun)
        if kind == "apply" and "is_wrong" in operation:
            return not operation["is_wrong"]
        if kind in ("close", "soft") and known.files and self._may_turn(operation):
            return True
        if kind == "reopen":
            return bool(known.closed) and period == max(known.closed)
        return True if kind in ("statement", "explain") and period in known.published else None

    def _may_turn(self, operation: Operation) -> bool:
        """Whether nothing may stand against a close, or a soft close."""
        known, period, at_us = self.known, operation["period"], operation["at_us"]
        if operation["do"] == "soft":
            return known.may_cut_off(period, at_us)
        return known.may_close(period, at_us)

    def _offered(self, operation: Operation, done: Done) -> None:
        """What became of a delivery is what must become of it."""
        wanted = self.known.offer(operation["events"])
        wanted["rejected"] = len(operation["rejects"])
        self.tally["events"] += len(operation["events"])
        offered = len(operation["events"]) + len(operation["rejects"])
        require(
            "INV-06",
            ok=sum(done.value.values()) == offered,
            detail=f"{offered} records offered, told {done.value}",
        )
        require("INV-06", ok=done.value == wanted, detail=f"expected {wanted}, told {done.value}")

    def _crashed(self, operation: Operation) -> Done:
        """Die at a moment of the operation, open the books again, and try again (INV-08).

        A twin of the books carries the operation out in peace: it says how many moments there are
        and where the books must arrive.
        """
        home, now_us = self._home, self._hands.now_us
        before, intake = books_print(self._hands.store), intake_print(self._hands.store)
        twin = _lived_in_peace(home, self._twin, operation, now_us)
        if not twin.moments:
            return self._hands.do(operation)
        self._hands.store.close()
        moment = operation["crash"] % (twin.moments + 1) + 1
        has_died = self._death.die(home, operation, now_us, moment)
        self._hands = Hands(Store.open(home), max(now_us, operation["at_us"]))
        found, taken = books_print(self._hands.store), intake_print(self._hands.store)
        whole = found in (before, twin.books)
        if operation["do"] == "ingest":  # what was freed by a refusal comes in as a second batch
            whole = twin.books[-1] - before[-1] > 1 or taken in (intake, twin.intake)
        detail = f"{_named(operation)} died and left something half done"
        require("INV-08", ok=whole, detail=detail)
        self._count((found, taken), (before, intake), twin, has_died=has_died)
        if operation["do"] == "ingest":
            return self._delivered_again(operation, intake, twin)
        return self._tried_again(operation, twin, is_in=found == twin.books != before)

    def _count(
        self, found: tuple[Row, Row], before: tuple[Row, Row], twin: Twin, *, has_died: bool
    ) -> None:
        """Count a death, and how it left the books."""
        name, done = self._death.name, (twin.books, twin.intake)
        left = "before" if found == before else "done" if found == done else "between batches"
        self.tally.update({name: has_died, f"{name}, {left}": has_died})

    def _tried_again(self, operation: Operation, twin: Twin, *, is_in: bool) -> Done:
        """What was wholly in stays as it is when tried again; what was out goes in."""
        kind = operation["do"]
        if not (is_in and kind in NOT_REPEATED):
            done = self._hands.do(operation)
            if is_in and kind == "run":
                require("INV-08", ok=done.value == (), detail=f"{_named(operation)} posted twice")
        require(
            "INV-08",
            ok=books_print(self._hands.store)[:-1] == twin.books[:-1],
            detail=f"{_named(operation)} died, was tried again and came out elsewhere",
        )
        return twin.done

    def _delivered_again(self, operation: Operation, intake: Row, twin: Twin) -> Done:
        """A delivery that was in when the process died is offered once more as a whole."""
        found = intake_print(self._hands.store)
        if found != intake:
            self.known.offer(operation["events"])
        done = self._hands.do(operation)
        if done.ok and found not in (intake, twin.intake):  # some batches were in: count anew
            told = self.known.told(operation["events"])
            return Done(value={**told, "rejected": len(operation["rejects"])})
        return done

    def _prove(self, operation: Operation) -> None:
        """Post all usage, post nothing the second time, then prove everything."""
        known = self.known
        if not known.files:
            return
        is_open = [name for name in known.periods() if name not in known.closed]
        due = dict.fromkeys([*filter(None, [known.landing()]), *is_open])
        operation["periods"] = [name for name in due if known.has_begun(name, operation["at_us"])]
        for period in operation["periods"]:
            running = {"do": "run", "period": period, "at_us": operation["at_us"]}
            first, second = self._hands.do(running), self._hands.do(running)
            require(
                "run carried out", ok=first.ok and second.ok, detail=f"{period}: {first.refusal}"
            )
            require("run twice", ok=second.value == (), detail=f"{period}: posted {second.value}")
            known.keep(running, first)
        prove_invariants(self._hands.store)
        for period in sorted(known.published):
            prove_month(self._hands.store, known, period, operation["pick"])
        self.tally["proofs"] += 1


@dataclass(frozen=True, slots=True)
class Twin:
    """How an operation ends when nobody dies: outcome, books, and the moments on the way."""

    done: Done
    books: Row
    intake: Row
    moments: int


def _lived_in_peace(home: Path, folder: Path, operation: Operation, now_us: int) -> Twin:
    rmtree(folder, ignore_errors=True)
    copy_books(home, folder)
    hands, moments = Hands(Store.open(folder), now_us), Moments()
    with counted(moments):
        done = hands.do(operation)
    twin = Twin(done, books_print(hands.store), intake_print(hands.store), moments.passed)
    hands.store.close()
    return twin


def _is_shut_for(kind: str, *, is_soft: bool) -> bool:
    if is_soft:
        return kind in CHANGES_A_MONTH and kind not in TAKEN_WHEN_SOFT
    return kind in CHANGES_A_MONTH or kind == "adjust"


def _named(operation: Operation) -> str:
    return " ".join(
        str(operation[name]) for name in ("do", "period", "pool", "item") if name in operation
    )


def drawn(params: Params, known: Known) -> Iterator[Operation]:
    """The operations of a world as it is lived: each is drawn from what is known by then."""
    draw = Draw(params)
    while (operation := draw.next(known)) is not None:
        yield operation


def live(
    params: Params,
    operations: Iterable[Operation] | None = None,
    template: Path | None = None,
    tell: Callable[[Operation], None] | None = None,
    death: Death = IN_PROCESS,
    opened: Opened | None = None,
) -> Lived:
    """Live a world to its end, or to the first proof that fails.

    Args:
        params: what it is drawn from.
        operations: lived instead of what would be drawn, if given.
        template: a file of empty books to start from, or None.
        tell: told each operation before it is carried out.
        death: how commands die in it.
        opened: makes its books in a folder; in a file if not said.

    Returns:
        the operations that were carried out, and what came of them.
    """
    lived: list[Operation] = []
    failure = None
    with TemporaryDirectory(prefix="tallybook-world-", dir=memory_folder()) as folder:
        world = World(Path(folder), template, death, opened)
        for operation in drawn(params, world.known) if operations is None else operations:
            if tell:
                tell(operation)
            lived.append(operation)
            try:
                world.step(operation)
            except BrokenError as broken:
                failure = Failure(broken.proof, broken.detail, len(lived) - 1)
                break
        digest = world.digest()
        world.close()
    return Lived(params, tuple(lived), failure, digest, world.tally)


def memory_folder() -> Path | None:
    """A folder in memory where the machine has one: what is thrown away need not reach a disk."""
    shared = Path("/dev/shm")  # noqa: S108 - the folder made in it is private
    return shared if os.access(shared, os.W_OK) else None
