"""One look: take in what came, answer, and give the alerts that follow from it.

Whoever looks gives alerts, be it a command, the server or a watch; each is given once.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from tallybook.books.model import Alerts
from tallybook.clock import Clock
from tallybook.live.alerts import give
from tallybook.live.answer import ROWS_SHOWN, Answerer
from tallybook.live.detect import Usuals, in_spend, in_trace, spender
from tallybook.live.model import HOUR_US, Alert, Live
from tallybook.live.rollup import Rollup, Standing
from tallybook.money import PICO_PER_NANO
from tallybook.store import Store
from tallybook.store.memory import collector_paused

SEEN_KEPT: Final = 100_000
"""How many alerts a watch remembers to have been given, so that it need not ask the books."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and the alerts that nobody gave before."""

    live: Live
    fired: tuple[Alert, ...]


class Watch:
    """Looks at a set of books again and again; holds its engine and its figures in between.

    For one thread at a time.

    Args:
        store: open books.
        clock: what now is.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._rollup = Rollup(store, clock)
        self._answerer = Answerer(self._rollup)
        self._usuals: Usuals = {}
        self._usuals_of: tuple[object, ...] = ()
        self._seen: set[tuple[str, str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the engine."""
        self._rollup.close()

    def look(self, most: int = ROWS_SHOWN) -> Look:
        """Take in, answer, give alerts.

        Args:
            most: how many features and agents are listed one by one; 0 for all.

        Raises:
            BooksError: no policy files were applied.
            StoreError: others kept changing what this stands on.
            CorruptedError: a sealed file or a batch is not what was written.
        """
        with collector_paused(), self._store.held_open():
            standing = self._rollup.caught_up()
            live = self._answerer.live(standing, most)
            return Look(live, tuple(self._alerts(standing)))

    def keep_up(self) -> tuple[Alert, ...]:
        """Take in without answering, so that the next answer has less to take in.

        Returns:
            the alerts that follow from traces.
        """
        with collector_paused(), self._store.held_open():
            standing = self._rollup.caught_up()
            return tuple(self._given(standing, self._of_traces(standing)))

    def _alerts(self, standing: Standing) -> list[Alert]:
        at = _thresholds(standing)
        hour_us = standing.now_us - standing.now_us % HOUR_US
        burning = self._answerer.burning(
            at.spend_least_nano * PICO_PER_NANO,
            lambda team, feature: ("spend", spender(team, feature), str(hour_us)) in self._seen,
        )
        return self._given(standing, [*self._of_traces(standing), *in_spend(burning, at, hour_us)])

    def _of_traces(self, standing: Standing) -> list[Alert]:
        """The alerts of the traces that something came of."""
        asked = (standing.state.period, standing.state.sealed_lot)
        if asked != self._usuals_of:
            self._usuals, self._usuals_of = self._rollup.usuals(standing), asked
        at = _thresholds(standing)
        return [
            alert
            for trace in self._rollup.touched.values()
            for alert in in_trace(trace, at, self._usuals)
        ]

    def _given(self, standing: Standing, found: list[Alert]) -> list[Alert]:
        new = {(one.kind, one.subject, one.window): one for one in found}
        new = {key: one for key, one in new.items() if key not in self._seen}
        org = standing.ground.basis.books.org
        given = give(self._store, new.values(), org, standing.now_us)
        if len(self._seen) > SEEN_KEPT:
            self._seen.clear()  # the books know all of them
        self._seen.update(new)
        return given


def _thresholds(standing: Standing) -> Alerts:
    basis = standing.ground.basis
    return basis.books.policy.alerts_at(basis.period)
