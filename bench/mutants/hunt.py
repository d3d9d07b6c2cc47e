"""A pytest plugin that lets one mutant after the other live and runs the tests that call it.

The tests are collected once. Which functions each of them calls is found in a first run of a
forked process; then each mutant lives in a forked process of its own, which ends at the first test
that fails: the one that killed most in this function goes first, then the quick ones. A test that
takes many times the CPU time that it takes without a mutant ends it too; the clock on the wall does
not count, so that a busy machine kills nobody.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from bench.mutants import switch

KILLED, SURVIVED, ENDLESS, UNCALLED = "killed", "survived", "timeout", "no tests"
CPU_SECONDS_MORE: Final = 3
CPU_TIMES: Final = 5
WALL_SECONDS_MAX: Final = 1800
"""for a mutant that waits and does not work"""
EXAMPLES_MAX: Final = 25
DRAWN: Final = "_hypothesis_internal_use_settings"
_FATES: Final = {0: SURVIVED, 1: KILLED}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the mutants are named, where their fates go, and how many live at once."""
    parser.addoption("--mutants", type=Path)
    parser.addoption("--fates", type=Path)
    parser.addoption("--at-once", type=int, default=1)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Cut short what draws hundreds of examples; whoever survives the few is looked at."""
    for item in items:
        test = getattr(item, "obj", None)
        held = getattr(test, DRAWN, None)
        if held:
            fewer = min(held.max_examples, EXAMPLES_MAX)
            setattr(test, DRAWN, settings(held, max_examples=fewer))


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Hunt instead of testing."""
    option = session.config.option
    mutants = json.loads(option.mutants.read_text(encoding="utf-8"))
    hunt = Hunt(session, option.fates)
    hunt.learn()
    hunt.run(mutants, option.at_once)
    return True


@dataclass(slots=True)
class Hunt:
    """One hunt: what calls what, who killed, and the fates so far."""

    session: pytest.Session
    out: Path
    seconds: dict[int, float] = field(default_factory=dict)
    callers: dict[str, list[int]] = field(default_factory=dict)
    kills: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    fates: dict[str, str] = field(default_factory=dict)

    def learn(self) -> None:
        """Run every test once without a mutant: all pass, and it is known what each calls."""
        pid, pipe, folder = self._forked(self._learned)
        with os.fdopen(pipe) as told:
            found = json.load(told)
        os.waitpid(pid, 0)
        shutil.rmtree(folder, ignore_errors=True)
        assert not found["failed"], f"fails without a mutant: {found['failed']}"
        self.seconds = dict(enumerate(found["seconds"]))
        self.callers = found["callers"]

    def run(self, mutants: Sequence[str], at_once: int) -> None:
        """Let each mutant live."""
        gc.collect()
        gc.freeze()
        living: dict[int, tuple[str, int, str]] = {}
        for mutant in mutants:
            items = self.callers.get(switch.function_of(mutant), [])
            if not items:
                self.fates[mutant] = UNCALLED
                continue
            if len(living) >= at_once:
                self._end_one(living)
            order = self._ordered(mutant, items)
            pid, pipe, folder = self._forked(partial(self._live, mutant, order))
            living[pid] = (mutant, pipe, folder)
        while living:
            self._end_one(living)
        self._write()

    def _ordered(self, mutant: str, items: Sequence[int]) -> list[int]:
        kills = self.kills[switch.function_of(mutant)]
        return sorted(items, key=lambda item: (-kills[item], self.seconds[item]))

    def _end_one(self, living: dict[int, tuple[str, int, str]]) -> None:
        pid, status = os.wait()
        mutant, pipe, folder = living.pop(pid)
        with os.fdopen(pipe) as told:
            killer = told.read()
        shutil.rmtree(folder, ignore_errors=True)
        code = os.waitstatus_to_exitcode(status)
        # Other ends than by the limit, such as a crash of the interpreter, are noticed too.
        is_endless = code in {-signal.SIGPROF, -signal.SIGALRM}
        self.fates[mutant] = ENDLESS if is_endless else _FATES.get(code, KILLED)
        if killer:
            self.kills[switch.function_of(mutant)][json.loads(killer)] += 1
        self._write()

    def _write(self) -> None:
        self.out.write_text(json.dumps(self.fates, indent=0), encoding="utf-8")

    def _forked(self, act: Callable[[], tuple[int, Any]]) -> tuple[int, int, str]:
        """A process that acts, tells what came of it, and ends with a code."""
        folder = tempfile.mkdtemp(prefix="mutant-", dir=_memory())
        mine, its = os.pipe()
        pid = os.fork()
        if pid:
            os.close(its)
            return pid, mine, folder
        try:
            # Every mutant writes into a folder of its own, which is gone with it.
            factory = self.session.config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001
            factory._basetemp = Path(folder)  # noqa: SLF001
            code, told = act()
            with os.fdopen(its, "w") as pipe:
                json.dump(told, pipe)
            os._exit(code)
        finally:
            os._exit(3)

    def _live(self, mutant: str, order: Sequence[int]) -> tuple[int, Any]:
        switch.switch_on(mutant)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.alarm(WALL_SECONDS_MAX)
        for place, item in enumerate(order):
            following = order[place + 1] if place + 1 < len(order) else None
            limit = self.seconds[item] * CPU_TIMES + CPU_SECONDS_MORE
            signal.setitimer(signal.ITIMER_PROF, limit)
            if not self._passes(item, following):
                return 1, item
        return 0, ""

    def _learned(self) -> tuple[int, Any]:
        seconds, failed = [], []
        callers: defaultdict[str, list[int]] = defaultdict(list)
        for item, test in enumerate(self.session.items):
            switch.called.clear()
            start = time.process_time()
            following = item + 1 if item + 1 < len(self.session.items) else None
            if not self._passes(item, following):
                failed.append(test.nodeid)
            seconds.append(time.process_time() - start)
            for function in switch.called:
                callers[function].append(item)
        return 0, {"seconds": seconds, "failed": failed, "callers": callers}

    def _passes(self, item: int, following: int | None) -> bool:
        items = self.session.items
        after = None if following is None else items[following]
        reports = runtestprotocol(items[item], log=False, nextitem=after)
        return not any(report.failed for report in reports)


def _memory() -> str | None:
    """A folder in memory where there is one: what a mutant writes need not reach a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
