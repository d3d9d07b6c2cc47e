"""Budgets that several gateways share: each leases slices from a Redis or Valkey server.

An account stands there as one text, and is changed by comparing it with what was read and setting
it, in one step: the law is that of `tallybook.budget.lease`, in Python integers, and the server
does no arithmetic. A node draws for all its processes and counts in its own book, so no call waits
for the server unless the node's slice is used up.

What a node drew counts as taken until the node gives it back or tells that it was used, so a node
that is lost takes its slice with it. A server that comes back may have forgotten what it was told
last. Then nobody draws until every node has told what it knows, or for ``lease_s``, after which a
node that was not heard spends no more of what it drew.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

import msgspec
import redis

from tallybook.budget.book import Book
from tallybook.budget.lease import Account, Lease
from tallybook.budget.limits import Limits, kept_accounts
from tallybook.budget.model import SINCE
from tallybook.clock import Clock
from tallybook.gateway.model import BudgetPolicy
from tallybook.sdk.counters import Health

_PREFIX: Final = "tallybook:budget:"
_EPOCH: Final = f"{_PREFIX}epoch"
_NODES: Final = f"{_PREFIX}nodes"
_GONE: Final = "the server that they are shared through does not answer"
_HALVINGS: Final = 4
"""A node that is lost takes what it drew: a sixteenth of what was free then, at most."""
_TRIES: Final = 64
_TIMEOUT_S: Final = 1.0
_TELL_S: Final = 0.25
_IDLE_TELLS: Final = 8
_RETRY_S: Final = 0.5
_BLIND_S: Final = 1.5
_FIRST_MS: Final = 2_000
_KEEP_S: Final = 100 * 86_400
_KEEP_CARRIED_S: Final = 100 * _KEEP_S
"""What does not reset must not be forgotten because nobody spent for a season."""
_SET_IF_SAME: Final = """
local held = redis.call('GET', KEYS[1])
if (held or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


class _Kept(msgspec.Struct, array_like=True):
    """An account as the server keeps it; numbers as text, for they may be larger than 2^53."""

    closed: str = "0"
    leases: dict[str, tuple[str, str]] = {}
    warned: list[str] = []


class _Epoch(msgspec.Struct):
    """Since when this run of the server is known, and by whom it must have been heard."""

    run: str
    from_ms: int
    known: list[str]
    lost: bool


class Server:
    """One node's side; for its steward.

    Args:
        address: ``redis://host:port/0``.
        book: of the node.
        policy: of the configuration.
        clock: of the node.
        health: told when the server is gone.
    """

    def __init__(
        self, address: str, book: Book, policy: BudgetPolicy, clock: Clock, health: Health
    ) -> None:
        self._client: Any = redis.Redis.from_url(
            address,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            decode_responses=True,
        )
        self._change = self._client.register_script(_SET_IF_SAME)
        self._book = book
        self._policy = policy
        self._clock = clock
        self._health = health
        self.node = _node_of(book.folder)
        self.nodes = max(policy.nodes, 1)
        self._run = ""
        self._heard_s = self._drew_s = monotonic()
        self._retry_s = 0.0
        self._tell_s = 0.0
        self._is_expired = False
        self._may_draw = False
        self._heard_nodes = 0
        self._told: dict[str, tuple[int, int]] = {}
        self._idle: dict[str, int] = {}
        self._spent: dict[str, int] = {}

    def spent(self, account: str) -> int:
        """What all nodes were last known to have spent."""
        return self._spent.get(account, 0)

    def leave(self, months: Iterable[Limits]) -> None:
        """The node stops: what it drew and did not use is for the others, at once.

        Raises:
            OSError: the book of the node cannot be written.
        """
        in_use = kept_accounts(months)
        with suppress(redis.RedisError):  # then the server keeps it for this node
            self._book.look()
            for account in [one for one in self._book.ceilings if one.partition("/")[0] in in_use]:
                self._tell(account, anew=True)
                mine = self._book.account(account)
                self._give_back(account, self._book.ceilings[account] - mine.taken_nano)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def exchange(self, months: Iterable[Limits]) -> None:
        """Draw what processes lack, tell what was used, give back what is idle.

        Raises:
            OSError: the book of the node cannot be written.
        """
        now_s = monotonic()
        if now_s < self._retry_s:
            return
        try:
            self._book.look()
            was_heard = self._exchanged(now_s, kept_accounts(months))
        except redis.RedisError as error:
            self._health.warn("budget server", type(error).__name__)
            self._run = ""
            self._retry_s = now_s + _RETRY_S
            self._miss(now_s)
            return
        if was_heard:
            self._heard(now_s)

    def first(self, account: str, level: str) -> bool:
        """Whether this node is the one to give a warning; of all nodes one is.

        Raises:
            redis.RedisError: the server is gone; it is asked again later.
        """
        for _ in range(_TRIES):
            kept, found = self._get(account)
            if level in found.warned:
                return False
            found.warned.add(level)
            if self._set(account, kept, found):
                return True
        return False

    # -- one exchange

    def _exchanged(self, now_s: float, in_use: set[str]) -> bool:
        """Whether the server was asked anything."""
        wants = list(self._book.wants.items())
        is_due = now_s >= self._tell_s
        if self._run and self._may_draw and not wants and not is_due:
            return False
        if not self._run:
            self._join(in_use)
        if not self._may_draw:
            self._may_draw = self._all_heard()
        for account, (need_nano, ceiling_nano) in wants:
            if self._may_draw:
                self._draw(account, need_nano, ceiling_nano)
        if is_due:
            self._tell_s = now_s + _TELL_S
            self._check_run()
            self._client.hset(_NODES, self.node, str(self._now_ms()))
            for account in [one for one in self._book.accounts if one.partition("/")[0] in in_use]:
                self._tell(account)
        return True

    def _join(self, in_use: set[str]) -> None:
        """Tell this run of the server everything that this node knows."""
        run = self._run_now()
        held = self._client.get(_EPOCH)
        epoch = msgspec.json.decode(held, type=_Epoch) if held else None
        mine = [
            name
            for name in {*self._book.accounts, *self._book.ceilings}
            if name.partition("/")[0] in in_use
        ]
        has_drawn = any(self._book.ceilings.get(name) for name in mine)
        if epoch is None or epoch.run != run:
            last_ms = self._now_ms() - 1000 * self._policy.lease_s
            seen = self._client.hgetall(_NODES)
            known = sorted(name for name, at_ms in seen.items() if int(at_ms) >= last_ms)
            made = _Epoch(run, self._now_ms(), known, lost=epoch is None and has_drawn)
            if not self._swap(_EPOCH, held or "", msgspec.json.encode(made).decode()):
                self._join(in_use)
                return
        elif has_drawn and not (epoch.lost or self.node in epoch.known or self._is_known(run)):
            # It never heard of this node, and yet the node drew: it forgot.
            epoch.lost = True
            self._swap(_EPOCH, held, msgspec.json.encode(epoch).decode())
        for account in mine:
            self._tell(account, anew=True)
        self._client.hset(_NODES, self.node, str(self._now_ms()))
        self._client.sadd(f"{_PREFIX}heard:{run}", self.node)
        self._client.expire(f"{_PREFIX}heard:{run}", _KEEP_S)
        self._run, self._may_draw = run, False

    def _all_heard(self) -> bool:
        """Whether this run of the server knows what every node drew."""
        epoch = msgspec.json.decode(self._client.get(_EPOCH), type=_Epoch)
        heard = self._client.smembers(f"{_PREFIX}heard:{epoch.run}")
        self._heard_nodes = len(heard)
        self.nodes = max(self._policy.nodes, len(heard), 1)
        age_ms = self._now_ms() - epoch.from_ms
        if age_ms > 1000 * self._policy.lease_s:
            return True
        if self._policy.nodes and len(heard) >= self._policy.nodes:
            return True
        if epoch.lost or not heard.issuperset(epoch.known):
            return False
        return bool(epoch.known) or age_ms > min(_FIRST_MS, 1000 * self._policy.lease_s)

    def _check_run(self) -> None:
        if self._run_now() != self._run or not self._is_known(self._run):
            self._run = ""
            raise redis.ConnectionError("another run of the server")

    def _is_known(self, run: str) -> bool:
        return bool(self._client.sismember(f"{_PREFIX}heard:{run}", self.node))

    def _draw(self, account: str, need_nano: int, ceiling_nano: int) -> None:
        granted = spent_nano = 0
        lease = Lease()
        for _ in range(_TRIES):
            kept, found = self._get(account)
            lease = self._announced(account, found)
            short_nano = need_nano - (lease.drawn_nano - self._book.account(account).taken_nano)
            granted = found.draw(self.node, ceiling_nano, short_nano, _HALVINGS)
            spent_nano = found.spent_nano
            if self._set(account, kept, found):
                break
        else:
            return  # others are faster; the want stands
        self._note(account, spent_nano)
        with self._book.held() as acts:
            acts.append(["ceiling", account, lease.drawn_nano])
            if not granted and short_nano > 0:
                acts.append(["full", account, spent_nano, need_nano])

    def _tell(self, account: str, *, anew: bool = False) -> None:
        """Tell what was used of an account, and give back what nobody needed for a while."""
        mine = self._book.account(account)
        free_nano = self._book.ceilings.get(account, 0) - mine.taken_nano
        figures = (mine.spent_nano, mine.taken_nano)
        if figures == self._told.get(account) and not anew:
            self._idle[account] = self._idle.get(account, 0) + 1
            if free_nano <= 0 or self._idle[account] != _IDLE_TELLS:
                return
            self._give_back(account, free_nano)
            return
        self._idle[account] = 0
        for _ in range(_TRIES):
            kept, found = self._get(account)
            lease = self._announced(account, found)
            if self._set(account, kept, found):
                break
        else:
            return
        self._told[account] = figures
        self._note(account, found.spent_nano)
        if lease.drawn_nano != self._book.ceilings.get(account, 0):
            with self._book.held() as acts:
                acts.append(["ceiling", account, lease.drawn_nano])

    def _give_back(self, account: str, free_nano: int) -> None:
        """First the node has it no more, then others may."""
        with self._book.held() as acts:
            mine = self._book.account(account)
            back_nano = min(free_nano, self._book.ceilings.get(account, 0) - mine.taken_nano)
            if back_nano <= 0:
                return
            ceiling_nano = self._book.ceilings[account] - back_nano
            acts.append(["ceiling", account, ceiling_nano])
        for _ in range(_TRIES):
            kept, found = self._get(account)
            found.tell(self.node, mine.spent_nano)
            lease = found.lease_of(self.node)
            lease.drawn_nano = max(min(lease.drawn_nano, ceiling_nano), lease.used_nano)
            if self._set(account, kept, found):
                return

    def _announced(self, account: str, found: Account) -> Lease:
        """The lease of this node, with all that the node knows of it."""
        drawn_nano = self._book.ceilings.get(account, 0)
        found.announce(self.node, drawn_nano, self._book.account(account).spent_nano)
        return found.lease_of(self.node)

    def _note(self, account: str, spent_nano: int) -> None:
        self._spent[account] = max(self._spent.get(account, 0), spent_nano)

    # -- the server gone, and back

    def _miss(self, now_s: float) -> None:
        """Nothing was heard: say so, and after ``lease_s`` spend no more of what was drawn."""
        away_s = now_s - self._heard_s
        if away_s > _BLIND_S:
            self._note_blind(_GONE)
        if away_s > self._policy.lease_s and not self._is_expired:
            self._is_expired = True
            with self._book.held() as acts:
                for account in self._book.ceilings:
                    taken_nano = self._book.account(account).taken_nano
                    acts.append(["ceiling", account, taken_nano])

    def _heard(self, now_s: float) -> None:
        self._heard_s = monotonic()
        self._is_expired = False
        if self._may_draw:
            self._drew_s = now_s
        is_blind = now_s - self._drew_s > _BLIND_S
        self._note_blind(self._awaited() if is_blind else "")

    def _awaited(self) -> str:
        """What this node waits for before it draws again."""
        told = self._policy.nodes or "all"
        return (
            f"it waits to hear from {told} gateways what they drew, for at most"
            f" {self._policy.lease_s} s, heard {self._heard_nodes}"
        )

    def _note_blind(self, why: str) -> None:
        if self._book.blind != why:
            with self._book.held() as acts:
                acts.append(["blind", "", why])

    # -- what the server holds

    def _now_ms(self) -> int:
        seconds, micro = self._client.time()
        return int(seconds) * 1000 + int(micro) // 1000

    def _run_now(self) -> str:
        return str(self._client.info("server")["run_id"])

    def _get(self, account: str) -> tuple[str, Account]:
        kept: str = self._client.get(_PREFIX + account) or ""
        if not kept:
            return "", Account()
        held = msgspec.json.decode(kept, type=_Kept)
        leases = {name: Lease(int(drawn), int(used)) for name, (drawn, used) in held.leases.items()}
        return kept, Account(int(held.closed), leases, set(held.warned))

    def _set(self, account: str, kept: str, found: Account) -> bool:
        """Whether nobody changed it meanwhile."""
        leases = {
            name: (str(one.drawn_nano), str(one.used_nano))
            for name, one in sorted(found.leases.items())
        }
        made = _Kept(str(found.closed_nano), leases, sorted(found.warned))
        text = msgspec.json.encode(made).decode()
        return text == kept or self._swap(_PREFIX + account, kept, text)

    def _swap(self, key: str, kept: str, text: str) -> bool:
        keep_s = _KEEP_CARRIED_S if key.startswith(_PREFIX + SINCE) else _KEEP_S
        return bool(self._change(keys=[key], args=[kept, text, keep_s]))


def _node_of(folder: Path) -> str:
    """What this node is called, for as long as its disk lives."""
    path = folder / "node"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        made = secrets.token_hex(8)
        path.write_text(made + "\n")
        return made
