"""What one process holds of the budgets: reserve before a call, settle after it, in integers.

Room is what the process drew from the book of its node and has neither used nor reserved. A call
reserves from the room of every limit that it is under, or of none. What is used and reserved stands
in a file that is mapped into memory as well, so a process that is killed leaves its figures: what
it used is used, and what it held for calls under way counts as used, for nobody knows.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tallybook.budget.book import Act, Book, Want
from tallybook.budget.model import Estimate, Limit

SUFFIX: Final = ".held"
_SLOTS: Final = 8192
_BYTES: Final = 8
_FILE_MODE: Final = 0o600


class Room:
    """What this process has of one budget and month."""

    __slots__ = (
        "account", "drawn", "idle", "is_new", "limit", "reserved", "room", "slot", "spare", "told",
        "used",
    )  # fmt: skip

    def __init__(self, account: str, slot: int, limit: Limit) -> None:
        self.account = account
        self.slot = slot
        self.limit = limit
        self.drawn = self.used = self.reserved = self.room = self.told = self.spare = 0
        self.idle = 0
        self.is_new = True

    @property
    def ceiling_nano(self) -> int:
        """Up to where the books of all gateways may be taken."""
        return self.limit.limit_nano - self.limit.spent_before_nano


class Reservation:
    """What one call holds, and of which budgets; of those in ``beyond`` beyond their limit."""

    __slots__ = ("beyond", "is_over", "nano", "rooms")

    def __init__(self, rooms: Sequence[Room], nano: int, beyond: Collection[Room] = ()) -> None:
        self.rooms = rooms
        self.beyond = beyond
        self.nano = nano
        self.is_over = False


class Holder:
    """One process.

    Args:
        book: of the node.
        name: of this process, like no other before or after it.
        is_shared: whether the node draws from a server what its processes draw from the book.
        halvings: see `tallybook.budget.lease.Account.granting`.
    """

    def __init__(
        self, book: Book, name: str, *, is_shared: bool = False, halvings: int = 3
    ) -> None:
        self.book = book
        self.name = name
        self.is_shared = is_shared
        self._halvings = halvings
        self._rooms: dict[str, Room] = {}
        self._free_slots = list(range(_SLOTS - 1, -1, -1))
        self._path = book.folder / f"{name}{SUFFIX}"
        size = _SLOTS * 2 * _BYTES
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with book.held():  # nobody looks for dead holders meanwhile
            self._file = os.open(self._path, flags, _FILE_MODE)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        os.posix_fallocate(self._file, 0, size)
        self._map = mmap.mmap(self._file, size)
        self._numbers = memoryview(self._map).cast("q")

    def room_of(self, limit: Limit) -> Room:
        """What there is of a limit; the limit may have changed since.

        Raises:
            OSError: more budgets are in use at once than this process can count.
        """
        account = limit.account
        room = self._rooms.get(account)
        if room is None:
            if not self._free_slots:
                raise OSError(28, f"{_SLOTS} budgets are in use at once")
            slot = self._free_slots.pop()
            room = self._rooms[account] = Room(account, slot, limit)
            self._numbers[2 * slot] = self._numbers[2 * slot + 1] = 0
        room.limit = limit
        return room

    def reserve(
        self, rooms: Sequence[Room], estimate: Estimate, beyond: Collection[Room] = ()
    ) -> Reservation | None:
        """Reserve from all, if each has room in this process; None, and nothing, if not.

        Args:
            rooms: that the call is under.
            estimate: of the call.
            beyond: those of them that it is let beyond the limit of: what it holds there and does
                not use is for no other call within the limit.
        """
        need, hold = estimate.need_nano, estimate.hold_nano
        for room in rooms:
            if room.room < need and room.limit.is_enforced:
                return None
        numbers = self._numbers
        for room in rooms:
            room.room -= hold
            room.reserved += hold
            room.idle = 0
            numbers[2 * room.slot + 1] = room.reserved
        return Reservation(rooms, hold, beyond)

    def draw(
        self,
        rooms: Sequence[Room],
        need_nano: int,
        ceilings: Sequence[int],
        beyond: Collection[Room] = (),
    ) -> list[Room]:
        """Draw for those of the rooms that have too little; those that still have.

        Args:
            rooms: that a call is under.
            need_nano: what it needs.
            ceilings: up to where each may be drawn.
            beyond: those of which no more is drawn than the call needs.

        Raises:
            OSError: the book cannot be written.
        """
        short, wants = [], []
        for room, ceiling in zip(rooms, ceilings, strict=True):
            if room.room < need_nano and room.limit.is_enforced:
                short.append(room)
                wants.append(Want(room.account, ceiling, need_nano - room.room))
        if not short:
            return []
        drawn = self.book.draw(
            self.name,
            wants,
            [room.used for room in short],
            [room.slot for room in short],
            self._halvings,
            is_shared=self.is_shared,
            exactly=[room in beyond for room in short],
        )
        for room, nano in zip(short, drawn, strict=True):
            if nano:
                room.is_new = False
                room.told = room.used
            room.drawn += nano
            room.room += nano
        return [room for room in short if room.room < need_nano]

    def settle(self, held: Reservation, cost_nano: int) -> None:
        """The call cost so much; what it held beyond that is free again. Once for each."""
        if held.is_over:
            return
        held.is_over = True
        numbers, nano = self._numbers, held.nano
        for room in held.rooms:
            room.used += cost_nano
            room.reserved -= nano
            if room in held.beyond and cost_nano < nano:
                room.spare += nano - cost_nano
            else:
                room.room += nano - cost_nano
            # A process killed between the two counts too much rather than too little.
            numbers[2 * room.slot] = room.used
            numbers[2 * room.slot + 1] = room.reserved

    def defer(self, held: Reservation, name: str) -> None:
        """Work goes on without its call: what it holds is held under a name of its own.

        It stays so whatever becomes of this process, until `tallybook.budget.book.Book.finish`.

        Raises:
            OSError: the book cannot be written; the call still holds it.
        """
        if held.is_over:
            return
        nano = held.nano
        with self.book.held() as acts:
            for room in held.rooms:
                acts.append(["tell", room.account, self.name, room.used, nano])
                acts.append(["lease", room.account, name, nano, 0])
        held.is_over = True
        for room in held.rooms:
            room.reserved -= nano
            room.drawn -= nano
            room.told = room.used
            self._numbers[2 * room.slot + 1] = room.reserved

    def release(self, held: Reservation) -> None:
        """The call never went out, or cost nothing."""
        self.settle(held, 0)

    def charge(self, rooms: Sequence[Room], cost_nano: int) -> None:
        """Count a cost that nobody reserved: results of work that was begun earlier."""
        self.settle(Reservation(rooms, 0), cost_nano)

    def tend(self) -> None:
        """Tell the book what was used, and give back what was idle since the last time.

        To be called about twice a second.

        Raises:
            OSError: the book cannot be written; it is tried again.
        """
        news = list(self._news())
        if news:
            with self.book.held() as acts:
                acts.extend(news)
        for room in self._rooms.values():
            room.told = room.used
            room.is_new = False
            back = self._back(room)
            room.drawn -= back
            room.room -= back - room.spare
            room.spare = 0
            room.idle += 1

    def _news(self) -> Iterator[Act]:
        for room in self._rooms.values():
            back = self._back(room)
            if room.is_new:
                yield ["slot", room.account, self.name, room.slot]
            if room.used > room.told or back:
                yield ["tell", room.account, self.name, room.used, back]

    def _back(self, room: Room) -> int:
        """What goes back to the book: what was held beyond a limit, and what is idle."""
        idle = max(room.room, 0) if room.idle and not room.reserved else 0
        return idle + room.spare

    def forget(self, kept: Collection[str], idle: int) -> bool:
        """Forget what is named otherwise, and what was idle for so many times of `tend`.

        Args:
            kept: how the names of those begin that stay.
            idle: how many times.

        Returns:
            whether anything was forgotten: its room is no room any more.

        Raises:
            OSError: the book cannot be written.
        """
        gone = [
            room
            for room in self._rooms.values()
            if not room.reserved
            and (room.idle >= idle or room.account.partition("/")[0] not in kept)
        ]
        if not gone:
            return False
        with self.book.held() as acts:
            acts += [["close", room.account, self.name, room.used] for room in gone]
        for room in gone:
            del self._rooms[room.account]
            self._free_slots.append(room.slot)
        return True

    def close(self) -> None:
        """Tell everything and leave; calls still under way count as what was held for them.

        Raises:
            OSError: the book cannot be written; somebody closes this holder later.
        """
        with self.book.held() as acts:
            acts += [
                ["close", room.account, self.name, room.used + room.reserved]
                for room in self._rooms.values()
            ]
        self._path.unlink(missing_ok=True)
        self._numbers.release()
        self._map.close()
        os.close(self._file)


def bury(book: Book) -> int:
    """Close the holders whose processes died; how many they were.

    Raises:
        OSError: the book cannot be written.
    """
    count = 0
    for path in sorted(book.folder.glob(f"*{SUFFIX}")):
        with suppress(FileNotFoundError):
            count += _buried(book, path)
    return count


def _buried(book: Book, path: Path) -> int:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with book.held() as acts:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            numbers = memoryview(path.read_bytes()).cast("q")
            for slot, account in book.slots.get(path.stem, {}).items():
                used, reserved = numbers[2 * slot], numbers[2 * slot + 1]
                acts.append(["close", account, path.stem, used + reserved])
            path.unlink()
    finally:
        os.close(file)
    return 1
