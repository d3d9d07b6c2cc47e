"""The parent: one process per core, one that ships, a lock against a second gateway; reload, stop.

The parent holds the listening sockets, so a process that dies or is replaced leaves no connection
refused. It parses nothing that comes from outside.
"""

from __future__ import annotations

import fcntl
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallybook.errors import StoreError, TallybookError
from tallybook.gateway.config import read_config
from tallybook.gateway.counters import GAUGES, Counters
from tallybook.gateway.keyring import Keyring
from tallybook.gateway.model import GatewayConfig
from tallybook.gateway.prices import table_of
from tallybook.gateway.secret import Credential
from tallybook.gateway.ship import run as run_shipper
from tallybook.gateway.steward import publish_once
from tallybook.gateway.steward import run as run_steward
from tallybook.gateway.worker import listen, run, tls_of

LOG: Final = logging.getLogger("tallybook.gateway")
_SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_ROWS: Final = 600
_LIVED_S: Final = 2.0
_PAUSE_S: Final = 1.0
_SHIPPER: Final = -1
_STEWARD: Final = -2


@dataclass(slots=True)
class _Child:
    """``slot`` says which socket it serves; ``_SHIPPER`` ships. ``row`` is where it counts."""

    slot: int
    row: int
    started_s: float
    leaves: bool = False


def check(config: GatewayConfig) -> None:
    """Whether a gateway could run with this: keys, credentials, certificate and prices are there.

    Raises:
        TallybookError: something cannot be read.
        OSError: the same.
    """
    Keyring(config.keys)
    for upstream in config.upstreams:
        Credential(upstream)
    tls_of(config)
    if config.policy.cost_header or config.budgets is not None:
        table_of(config.books)
    if config.budgets is not None:
        publish_once(config)


@contextmanager
def alone(config: GatewayConfig) -> Iterator[int]:
    """Hold the lock of a spool; a second gateway on it would split the traffic unseen.

    Raises:
        StoreError: another gateway runs.
    """
    config.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = config.spool.with_name(config.spool.name + ".lock")
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(file, 20, 0).decode().strip()
            raise StoreError(
                f"a gateway runs on this spool, process {holder or 'unknown'}",
                where=str(config.spool),
                next_step="end it, or send it SIGHUP to read its configuration again",
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield file
    finally:
        os.close(file)


class Gateway:
    """The parent process.

    Args:
        path: of the configuration.
        config: what stands there.
        listening: a socket for each worker.
    """

    def __init__(
        self, path: Path, config: GatewayConfig, listening: Sequence[socket.socket]
    ) -> None:
        self._path = path
        self._config = config
        self._listening = listening
        self._table = Counters(_ROWS)
        self._children: dict[int, _Child] = {}
        self._due: list[tuple[float, int]] = []
        self._stops_s = 0.0

    def run(self) -> None:
        """Run until SIGTERM; SIGHUP reads the configuration again."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for slot in self._slots():
            self._start(slot)
        while self._children:
            found = signal.sigtimedwait(_SIGNALS, _PAUSE_S)
            number = found.si_signo if found else 0
            if number == signal.SIGHUP:
                self._reload()
            elif number in (signal.SIGTERM, signal.SIGINT):
                self._stop()
            self._reap()
            self._start_due()

    def _slots(self) -> list[int]:
        stewards = [_STEWARD] if self._config.budgets is not None else []
        return [_SHIPPER, *stewards, *range(len(self._listening))]

    def _start(self, slot: int) -> None:
        used = {child.row for child in self._children.values()}
        row = next(number for number in range(_ROWS) if number not in used)
        parent = os.getpid()  # a child that asks later may be an orphan already
        pid = os.fork()
        if pid:
            self._children[pid] = _Child(slot, row, time.monotonic())
            return
        code = 1
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            if slot == _SHIPPER:
                run_shipper(self._config, self._table, row, parent)
            elif slot == _STEWARD:
                run_steward(self._config, parent)
            else:
                run(self._config, self._listening[slot], self._table, row, parent)
            code = 0
        except TallybookError as error:
            LOG.error("%s", error)  # noqa: TRY400 - a message for people, not a trace
        except BaseException:
            LOG.exception("a process of the gateway ended")
        finally:
            logging.shutdown()
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue
            row = self._table.row(child.row)
            for name in GAUGES:
                row.put(name, 0)
            if child.leaves or self._stops_s:
                continue
            LOG.warning("process %d ended with %d; it is started again", pid, status)
            lived = time.monotonic() - child.started_s >= _LIVED_S
            self._due.append((time.monotonic() + (0.0 if lived else _PAUSE_S), child.slot))

    def _start_due(self) -> None:
        if self._stops_s:
            if time.monotonic() > self._stops_s:
                for pid in self._children:
                    os.kill(pid, signal.SIGKILL)
            elif all(child.slot == _STEWARD for child in self._children.values()):
                for pid in self._children:
                    os.kill(pid, signal.SIGINT)
            return
        now_s = time.monotonic()
        for due_s, slot in list(self._due):
            if now_s >= due_s:
                self._due.remove((due_s, slot))
                self._start(slot)

    def _reload(self) -> None:
        """New processes with the new configuration first, then the old ones finish and go."""
        try:
            config = read_config(self._path)
            if (config.host, config.workers, config.spool) != (
                self._config.host,
                self._config.workers,
                self._config.spool,
            ) or config.port != self._config.port:
                raise StoreError(
                    "listen, workers and spool cannot change while the gateway runs",
                    next_step="start it again",
                )
            check(config)
        except (TallybookError, OSError) as error:
            LOG.error("not reloaded, the old configuration holds: %s", error)  # noqa: TRY400
            return
        self._config = config
        old = list(self._children.items())
        for slot in self._slots():
            self._start(slot)
        for pid, child in old:
            child.leaves = True
            os.kill(pid, signal.SIGTERM)
        LOG.warning("reloaded: configuration %s", config.digest[:12])

    def _stop(self) -> None:
        self._due = []
        if not self._stops_s:
            self._stops_s = time.monotonic() + self._config.limits.stop_s + 5.0
        for pid, child in self._children.items():
            if child.slot != _STEWARD:  # it stays until the others have told what they used
                os.kill(pid, signal.SIGTERM)


def gateway(path: Path, on_ready: Callable[[str], None]) -> None:
    """Run a gateway until it is told to end.

    Args:
        path: of the configuration.
        on_ready: told the address, once connections are taken.

    Raises:
        TallybookError: it cannot run like this, or another one does.
    """
    config = read_config(path)
    check(config)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold every credential
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each call takes two
    with alone(config):
        try:
            listening = listen(config, config.workers)
        except OSError as error:
            raise StoreError(
                f"cannot listen on {config.host} port {config.port}: {error.strerror or error}",
                next_step="choose another listen, or end what listens there",
            ) from error
        host, port = listening[0].getsockname()[:2]
        scheme = "https" if config.certificate else "http"
        on_ready(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
        try:
            Gateway(path, config, listening).run()
        finally:
            for one in listening:
                one.close()
