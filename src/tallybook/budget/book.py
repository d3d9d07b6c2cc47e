"""The lease book of one node: a file that its processes share, and a lock around it.

Every line is an act (a draw, a report, a warning given); the accounts are what the lines add up to.
Who has the lock reads what others wrote, decides, and writes its own lines with one ``write``, so
a process that is killed leaves whole acts and no lock. A line is on the disk when the page cache is
brought there (`Book.sync`); a power cut may take what is younger.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from tallybook.budget.lease import Account, Lease

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_BLOCK: Final = 1 << 20
_COMPACT_BYTES: Final = 8 << 20
_NONE: Final = 200
"""Halvings that leave nothing."""
_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(list[Any]).decode

Act = list[Any]
"""``[word, account, ...]``: the word says which of the acts of `Account` it is."""


class Want(NamedTuple):
    """What a process wants of an account: at least so much, under a ceiling."""

    account: str
    ceiling_nano: int
    need_nano: int


class Book:
    """See above. One object for each process; not for several threads.

    Args:
        folder: of the book, on a local disk; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        self.folder = folder
        self.accounts: dict[str, Account] = {}
        self.slots: dict[str, dict[int, str]] = {}
        """of each holder: which account each place of its counters is of"""
        self.ceilings: dict[str, int] = {}
        """what this node drew of an account that it shares with others"""
        self.wants: dict[str, tuple[int, int]] = {}
        """of such accounts: what is needed beyond that, and under which ceiling"""
        self.full: dict[str, tuple[int, int]] = {}
        """of such accounts: what was spent by all, and the need for which nothing was free"""
        self.minutes: dict[str, tuple[int, int]] = {}
        """of throttled accounts: a minute and the calls that were let through in it"""
        self.blind = ""
        """why nobody can say what accounts hold that are shared through a server; '' if it can"""
        self.touched: set[str] | None = None
        """accounts that an act was read of, for who asks for that by putting a set here"""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._lock = os.open(folder / "lock", flags, _FILE_MODE)
        self._file = -1
        self._at = 0
        with self.held():
            pass

    def account(self, name: str) -> Account:
        """An account, as last read."""
        found = self.accounts.get(name)
        if found is None:
            found = self.accounts[name] = Account()
        return found

    def ceiling(self, want: Want) -> int:
        """Up to where may be drawn: what the node drew, where the account is shared."""
        return self.ceilings.get(want.account, want.ceiling_nano)

    @contextmanager
    def held(self) -> Iterator[list[Act]]:
        """Hold the book; the acts that are put into the list are written at the end.

        Raises:
            OSError: the acts cannot be written; none of them counts.
        """
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._read()
            acts: list[Act] = []
            yield acts
            if acts:
                self._write(b"".join(_ENCODE(act) + b"\n" for act in acts))
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def look(self) -> None:
        """Read what others wrote since."""
        with self.held():
            pass

    def draw(
        self,
        holder: str,
        wants: Sequence[Want],
        used_nano: Sequence[int],
        slots: Sequence[int],
        halvings: int,
        *,
        is_shared: bool,
        exactly: Sequence[bool] = (),
    ) -> list[int]:
        """Draw from several accounts; where one has too little nothing is drawn of it.

        Args:
            holder: who draws.
            wants: of which accounts, how much.
            used_nano: what the holder has used of each in all.
            slots: where it counts each.
            halvings: see `Account.draw`.
            exactly: of which accounts no slice is drawn, but what is needed.
            is_shared: whether the node draws from a server; what it lacks is noted for that.

        Raises:
            OSError: the book cannot be written.
        """
        with self.held() as acts:
            drawn = []
            just = exactly or (False,) * len(wants)
            for want, used, slot, exact in zip(wants, used_nano, slots, just, strict=True):
                account = self.account(want.account)
                ceiling = self.ceilings.get(want.account, 0) if is_shared else want.ceiling_nano
                granted = account.granting(ceiling, want.need_nano, _NONE if exact else halvings)
                if self.slots.get(holder, {}).get(slot) != want.account:
                    acts.append(["slot", want.account, holder, slot])
                if granted:
                    acts.append(["draw", want.account, holder, granted, used])
                rest = ceiling - account.taken_nano - granted
                wanted = self.wants.get(want.account, (0, 0))[0]
                if is_shared and rest < max(want.need_nano, granted) and want.need_nano > wanted:
                    acts.append(["want", want.account, want.need_nano, want.ceiling_nano])
                drawn.append(granted)
        return drawn

    def minute(self, account: str, minute: int, most: int) -> bool:
        """Take one of the calls that a minute has; whether there was one left."""
        with self.held() as acts:
            began, count = self.minutes.get(account, (minute, 0))
            left = began != minute or count < most
            if left:
                acts.append(["minute", account, minute])
        return left

    def finish(self, name: str, cost_nano: int | None) -> bool:
        """Work that went on without its call has ended; whether anything was held under its name.

        Args:
            name: under which it was held.
            cost_nano: what it cost; None where nobody told: then it cost what was held.
        """
        with self.held() as acts:
            for account, found in self.accounts.items():
                lease = found.leases.get(name)
                if lease is not None:
                    used = lease.drawn_nano if cost_nano is None else cost_nano
                    acts.append(["close", account, name, used])
            return bool(acts)

    def sync(self) -> None:
        """Bring the book to the disk."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Close the files."""
        os.close(self._file)
        os.close(self._lock)

    def compact(self, keep: Collection[str]) -> None:
        """Write the book anew as it stands, if it has grown long, without accounts not kept.

        Args:
            keep: how the names of those begin that stay.
        """
        with self.held():
            if self._at < _COMPACT_BYTES:
                return
            beside = self.folder / "book.new"
            with beside.open("wb") as file:
                file.write(b"".join(_ENCODE(act) + b"\n" for act in self._standing(keep)))
                file.flush()
                os.fsync(file.fileno())
            beside.rename(self.folder / "book")
        self.look()

    def _standing(self, keep: Collection[str]) -> Iterator[Act]:
        for name, account in self.accounts.items():
            if name.partition("/")[0] in keep:
                yield from _standing_of(name, account)
                if name in self.ceilings:
                    yield ["ceiling", name, self.ceilings[name]]
        if self.blind:
            yield ["blind", "", self.blind]
        for name, (began, count) in self.minutes.items():
            yield from (["minute", name, began] for _ in range(count))
        for holder, slots in self.slots.items():
            for slot, name in slots.items():
                if name.partition("/")[0] in keep:
                    yield ["slot", name, holder, slot]

    def _read(self) -> None:
        path = self.folder / "book"
        if self._file < 0 or not _is_at(path, self._file):
            self._open(path)
        while block := os.pread(self._file, _BLOCK, self._at):
            whole = block[: block.rfind(b"\n") + 1]
            if not whole:
                break
            for line in whole.splitlines():
                self._apply(_DECODE(line))
            self._at += len(whole)

    def _open(self, path: Path) -> None:
        if self._file >= 0:
            os.close(self._file)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file, self._at = os.open(path, flags, _FILE_MODE), 0
        for held in (self.accounts, self.slots, self.ceilings, self.wants, self.full, self.minutes):
            held.clear()

    def _write(self, lines: bytes) -> None:
        end = os.fstat(self._file).st_size
        if end > self._at:  # half a line, of a disk that was full
            os.ftruncate(self._file, self._at)
        if os.write(self._file, lines) < len(lines):
            os.ftruncate(self._file, self._at)
            raise OSError(28, os.strerror(28))
        self._read()

    def _apply(self, act: Act) -> None:
        word, name, *rest = act
        if word == "blind":  # of the node, and of no account
            self.blind = str(rest[0] or "")
            return
        account = self.account(name)
        if self.touched is not None:
            self.touched.add(name)
        if word in _OF_ACCOUNTS:
            _OF_ACCOUNTS[word](account, *rest)
        self._apply_here(word, name, rest)

    def _apply_here(self, word: str, name: str, rest: Act) -> None:
        """What an act means to the node, beside the account."""
        if word == "close":
            slots = self.slots.get(rest[0], {})
            for slot in [slot for slot, its in slots.items() if its == name]:
                del slots[slot]
        elif word == "slot":
            self.slots.setdefault(rest[0], {})[rest[1]] = name
        elif word == "ceiling":
            self.ceilings[name] = rest[0]
            self.wants.pop(name, None)
            self.full.pop(name, None)
        elif word == "want":
            self.wants[name] = (max(rest[0], self.wants.get(name, (0, 0))[0]), rest[1])
        elif word == "full":
            self.full[name] = (rest[0], rest[1])
            self.wants.pop(name, None)
        elif word == "minute":
            began, count = self.minutes.get(name, (rest[0], 0))
            self.minutes[name] = (rest[0], count + 1 if began == rest[0] else 1)


def _standing_of(name: str, account: Account) -> Iterator[Act]:
    yield ["closed", name, account.closed_nano]
    for holder, lease in account.leases.items():
        yield ["lease", name, holder, lease.drawn_nano, lease.used_nano]
    for level in sorted(account.warned):
        yield ["warn", name, level]


def _draw(account: Account, holder: str, granted_nano: int, used_nano: int) -> None:
    account.lease_of(holder).drawn_nano += granted_nano
    account.tell(holder, used_nano)


def _tell(account: Account, holder: str, used_nano: int, back_nano: int) -> None:
    account.tell(holder, used_nano)
    account.give_back(holder, back_nano)


def _lease(account: Account, holder: str, drawn_nano: int, used_nano: int) -> None:
    account.leases[holder] = Lease(drawn_nano, used_nano)


def _closed(account: Account, nano: int) -> None:
    account.closed_nano = nano


def _warn(account: Account, level: str) -> None:
    account.warned.add(level)


_OF_ACCOUNTS: Final[Mapping[str, Callable[..., None]]] = {
    "draw": _draw,
    "tell": _tell,
    "close": Account.close,
    "lease": _lease,
    "closed": _closed,
    "warn": _warn,
}


def _is_at(path: Path, file: int) -> bool:
    try:
        there, here = path.stat(), os.fstat(file)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
