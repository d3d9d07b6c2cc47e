"""The process that tends the budgets of a node: limits, warnings, and what dead processes left.

It reads the books (policy files, or what was applied to the store), what approvers granted and what
the store says was spent, and publishes the limits for the processes that carry traffic. When any of
that is gone the last limits hold, and traffic goes on.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from tallybook.books.budgets import Budget
from tallybook.books.documents import Document, parse, read_folder
from tallybook.books.model import Books
from tallybook.budget.book import Book
from tallybook.budget.hold import bury
from tallybook.budget.lease import level_of, levels_passed
from tallybook.budget.limits import UNKNOWN, Limits, kept_accounts, limits_in_force
from tallybook.budget.model import SINCE, Limit, Notice, Scope
from tallybook.clock import Clock, Period, SystemClock, told_by_signals
from tallybook.errors import CorruptedError, TallybookError, WrongUsageError
from tallybook.gateway.model import BudgetPolicy, GatewayConfig
from tallybook.gateway.notices import Notices, notices_of
from tallybook.gateway.published import NAME, Published, folder_of, publish
from tallybook.money import format_percent, nano_covering
from tallybook.sdk.counters import Health

if TYPE_CHECKING:
    from tallybook.budget.carried import Earlier
    from tallybook.gateway.leases import Server
    from tallybook.live.spend import Spend
    from tallybook.store import Store

LOG: Final = logging.getLogger("tallybook.gateway")
_LOOP_S: Final = 0.02
_WARN_S: Final = 0.25
_BOOKS_S: Final = 2.0
_SPENT_S: Final = 30.0
_LOCAL: Final = "books:"


class Steward:
    """See above.

    Args:
        config: of the gateway.
        clock: what now is.
        health: told of what cannot be read.
        looks_up: whether to ask the store what was spent; else what was published last holds.
    """

    def __init__(
        self, config: GatewayConfig, clock: Clock, health: Health, *, looks_up: bool = True
    ) -> None:
        assert config.budgets is not None
        self._config = config
        self._policy = config.budgets
        self._clock = clock
        self._health = health
        self._folder = folder_of(config.spool)
        self._book = Book(self._folder)
        self._own = Book(self._folder)  # of the thread that publishes
        self._notices = Notices(notices_of(config.spool), health)
        self._looks_up = looks_up
        self._months: list[Limits] = []
        self._warned_of: list[Limits] | None = None
        self._documents: Mapping[str, Document] | None = None
        self._outside: Mapping[str, int] = {}
        self._outside_in: Period | None = None
        self._carried: Mapping[str, int] = {}
        self._earlier: Earlier | None = None
        self._due_s: dict[str, float] = {}
        self._server: Server | None = None
        address = self._policy.server
        if self._policy.server_env:
            address = os.environ.get(self._policy.server_env, "")
            if not address:
                raise WrongUsageError(
                    f"budgets: server_env names {self._policy.server_env}, which is not set",
                    next_step="set it to the address of the server: redis://host:port/0",
                )
        if address:
            self._server = _server(address, self._book, self._policy, clock, health)

    @property
    def months(self) -> list[Limits]:
        """The limits as last published."""
        return self._months

    def step(self) -> None:
        """Do what is due; nothing that fails here stops traffic."""
        if self._server is not None:
            with self._health.guarded("leases"):
                self._server.exchange(self._months)
        if self._is_due("warn", _WARN_S):
            with self._health.guarded("steward"):
                if bury(self._book):
                    LOG.warning("counted what a process that died held of budgets")
                self._warn()
                self._book.sync()
                self._book.compact(kept_accounts(self._months))
                self._notices.tend()

    def publish(self, *, strict: bool = False) -> None:
        """Read the books and publish the limits; those that were published hold if it cannot be.

        Args:
            strict: raise what cannot be read.
        """
        try:
            self._own.look()
            found = self._read()
            publish(self._folder, found, self._documents)
        except (TallybookError, OSError) as error:
            if strict:
                raise
            self._health.warn("budgets", f"the last limits hold: {error}")
            return
        except Exception as error:  # a store may fail in any way
            if strict:
                raise
            self._health.failed("budgets", error)
            return
        self._months = found

    def leave(self) -> None:
        """The whole gateway stops: what it drew of shared budgets and did not use goes back."""
        if self._server is not None:
            with self._health.guarded("leases"):
                bury(self._book)
                self._server.leave(self._months)

    def close(self) -> None:
        """This process ends."""
        self._notices.close()
        if self._server is not None:
            self._server.close()
        self._book.close()

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = monotonic()
        if now_s < self._due_s.get(what, 0.0):
            return False
        self._due_s[what] = now_s + every_s
        return True

    def _read(self) -> list[Limits]:
        """The limits of this month and the next."""
        home = self._home
        now_us = self._clock.now_us()
        if home is None:
            assert self._config.books is not None
            self._documents = read_folder(self._config.books)
            books = parse(self._documents)
            return [self._limits(books, period) for period in _months(books, now_us)]
        from tallybook.budget.carried import with_all_grants  # noqa: PLC0415 - as below
        from tallybook.store import Store  # noqa: PLC0415 - databases, for this process alone
        from tallybook.store.documents import latest_documents  # noqa: PLC0415 - as above

        with closing(Store.open(home)) as store:
            with store.read() as tx:
                documents = {kind: one.document for kind, one in latest_documents(tx).items()}
            folder = self._config.books
            self._documents = read_folder(folder) if folder is not None else documents
            books = parse(self._documents)
            made = []
            for period in _months(books, now_us):
                with store.read() as tx:
                    made.append((with_all_grants(tx, books, period), period))
            if self._looks_up and documents and self._is_due("spent", _SPENT_S):
                self._look_up(store, made[0][0])
        return [self._limits(books, period) for books, period in made]

    @property
    def _home(self) -> Path | None:
        told = self._config.ship_to
        return Path(told.removeprefix(_LOCAL)) if told.startswith(_LOCAL) else None

    def _look_up(self, store: Store, books: Books) -> None:
        """What the store says was spent, whoever told it, beyond what gateways counted.

        The store knows what came by other ways, and what gateways shipped; a gateway knows what it
        let through. The larger of the two is what counts, so usage that both know counts once. Both
        are of one moment: what gateways count later comes on top.
        """
        from tallybook.budget.carried import Earlier, carrying, used_in  # noqa: PLC0415 - as above
        from tallybook.live.spend import spend_so_far  # noqa: PLC0415 - as above

        self._earlier = self._earlier or Earlier()
        try:
            found = spend_so_far(store, self._clock)
        except TallybookError as error:
            self._health.warn("spent", str(error))
            return
        rows = {f"{row.scope}:{row.subject}": row for row in carrying(books, found.period)}
        live = used_in(found.hours, found.hour_starts_us(), books, found.period.previous())
        with store.read() as tx:
            earlier = self._earlier.used(tx, books, found.period, live)
        spent = _by_budget(books, found, self._at(books, found.period))
        summed = {name for name, row in rows.items() if row.scope in ("feature", "team", "unit")}
        if unknown := sorted(summed - earlier.keys()):
            told = f"a month with usage was not run, so only calls count of {', '.join(unknown)}"
            self._health.warn("budgets", told)
        for budget, pico in earlier.items():
            spent[budget] += int(nano_covering(pico))
        self._outside_in = found.period
        self._outside = {
            budget: nano - known
            for budget, nano in spent.items()
            if nano > (known := self._known(_account(budget, found.period, rows), self._own))
        }
        self._carried = {name: nano for name, nano in self._outside.items() if name in rows}

    def _limits(self, books: Books, period: Period) -> Limits:
        made = limits_in_force(books, period, self._at(books, period), self._before(period))
        made.nodes = self._server.nodes if self._server is not None else 1
        return made

    def _at(self, books: Books, period: Period) -> int:
        """Now, or the first instant of a month that is still to come."""
        return max(self._clock.now_us(), books.calendar.bounds_us(period)[0])

    def _before(self, period: Period) -> Mapping[str, int]:
        """What was spent of each budget outside of the gateways' own count, as looked up last.

        What carries is the same in both months that are published, so it holds over their turn.
        """
        if period == self._outside_in:
            return self._outside
        return {**self._published_before(period), **self._carried}

    def _published_before(self, period: Period) -> dict[str, int]:
        """The same as it was published last."""
        published = Published(self._folder)
        try:
            published.refresh()
        except CorruptedError:
            return {}
        return {
            budget: nano
            for one in published.months
            if one.period == period
            for budget, nano in one.spent_before.items()
        }

    def _known(self, account: str, book: Book) -> int:
        """What the gateways themselves counted as spent."""
        found = book.accounts.get(account)
        spent_nano = found.spent_nano if found is not None else 0
        if self._server is not None:
            spent_nano = max(spent_nano, self._server.spent(account))
        return spent_nano

    def _warn(self) -> None:
        """Give the warnings whose level was passed, each once."""
        self._book.look()
        touched, self._book.touched = self._book.touched, set()
        if touched is None or self._warned_of is not self._months:
            touched = set(self._book.accounts)  # limits may be others
            for one in self._months:
                touched |= {limit.account for limit in one.rows.values()}
        try:
            for months in self._months:
                for account in touched:
                    limit = _named(months, account.partition("/")[2])
                    if limit is not None and limit.warn and limit.account == account:
                        self._warn_of(limit, account)
        except Exception:
            self._book.touched |= touched  # the server is gone, say: they are looked at again
            raise
        self._warned_of = self._months

    def _warn_of(self, limit: Limit, account: str) -> None:
        spent_nano = limit.spent_before_nano + self._known(account, self._book)
        given = self._book.account(account).warned
        for share in levels_passed(spent_nano, limit.limit_nano, limit.warn, given):
            level = level_of(share, limit.limit_nano)
            if self._server is None or self._server.first(account, level):
                self._notices.put(
                    Notice(
                        notice_id=f"{account}#{level}",
                        at_us=self._clock.now_us(),
                        period=str(limit.period),
                        budget=limit.budget,
                        act="warn",
                        feature=limit.subject if limit.scope == "feature" else "",
                        team=limit.subject if limit.scope == "team" else "",
                        key_id=limit.subject if limit.scope == "key" else "",
                        level=format_percent(share).replace(" ", ""),
                        calls=0,
                        limit_nano=limit.limit_nano,
                        spent_nano=spent_nano,
                        reason=f"{format_percent(share)} of the limit is spent",
                    )
                )
                LOG.warning("budget %s: %s of %s spent", limit.budget, format_percent(share),
                            limit.period)  # fmt: skip
            with self._book.held() as acts:
                acts.append(["warn", account, level])


def _server(address: str, book: Book, policy: BudgetPolicy, clock: Clock, health: Health) -> Server:
    """The server that budgets are shared through; its client is an extra.

    Raises:
        WrongUsageError: the client is not installed, or the address is none.
    """
    try:
        from tallybook.gateway.leases import Server  # noqa: PLC0415 - an extra

        return Server(address, book, policy, clock, health)
    except ModuleNotFoundError as error:
        raise WrongUsageError(
            "budgets: server is set, and the client of Redis is not installed",
            next_step="pip install 'tallybook[redis]'",
        ) from error
    except ValueError as error:  # the address is not repeated: a password may stand in it
        raise WrongUsageError(
            "the address of the budget server is none",
            next_step="write redis://host:port/0, or rediss:// or unix://",
        ) from error


def _by_budget(books: Books, found: Spend, at_us: int) -> defaultdict[str, int]:
    """What was spent, in nano, of each use case, team and unit."""
    team_of = {one.id: one.team for one in books.org.features if one.span.holds(at_us)}
    unit_of = {one.id: one.unit for one in books.org.teams if one.span.holds(at_us)}
    spent: defaultdict[str, int] = defaultdict(int)
    for (told, feature), pico in found.month.items():
        team = team_of.get(feature, told)
        for scope, subject in (
            ("feature", feature if feature in team_of else UNKNOWN),
            ("team", team),
            ("unit", unit_of.get(team, "")),
        ):
            if subject:
                spent[f"{scope}:{subject}"] += int(nano_covering(pico))
    return spent


def _account(budget: str, period: Period, rows: Mapping[str, Budget]) -> str:
    """Under which name a budget is counted; ``rows`` are those that do not reset, by name."""
    row = rows.get(budget)
    return f"{period if row is None else f'{SINCE}{row.from_period}'}/{budget}"


def _named(months: Limits, budget: str) -> Limit | None:
    scope, _, subject = budget.partition(":")
    return months.named(_SCOPES[scope], subject)


_SCOPES: Final[Mapping[str, Scope]] = {
    "feature": "feature",
    "team": "team",
    "unit": "unit",
    "key": "key",
    "customer": "customer",
}


def _months(books: Books, now_us: int) -> tuple[Period, Period]:
    period = books.calendar.period_of(now_us)
    return period, period.next()


def run(config: GatewayConfig, parent: int) -> None:
    """Tend the budgets until told to stop, or until the parent is gone.

    SIGINT says that the whole gateway stops; after SIGTERM another steward goes on.
    """
    ended = threading.Event()
    with told_by_signals() as stop:
        steward = Steward(config, SystemClock(), Health())

        def publish() -> None:
            while not ended.wait(_BOOKS_S):
                steward.publish()

        steward.publish()
        # The books may be slow to read or gone; leases must not wait for them.
        threading.Thread(target=publish, daemon=True).start()
        try:
            while not stop.wait(_LOOP_S):
                steward.step()
                if os.getppid() != parent:
                    return
            if signal.SIGINT in stop.told:
                steward.leave()
        finally:
            ended.set()
            steward.close()


def publish_once(config: GatewayConfig) -> None:
    """Publish the limits before traffic begins.

    Raises:
        TallybookError: the books cannot be read, and nothing was published before.
        OSError: the same.
    """
    steward = Steward(config, SystemClock(), Health(), looks_up=False)
    try:
        steward.publish(strict=not (folder_of(config.spool) / NAME).exists())
    finally:
        steward.close()
