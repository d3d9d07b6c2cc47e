"""Runs of an agent that works across teams, as the spans that its processes export.

Sales writes a proposal: its agent asks the research agent, which looks up the handbook with the
retrieval tool of the knowledge team, and a clause checker of the legal team, which looks up more.
The root alone says for whom all of it happens. Every draw is a whole number.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from tallybook.clock import format_instant
from tallybook.sim.traffic import Month, Record, spread

RUNS: Final = {"2026-08": 260, "2026-09": 320, "2026-10": 240}
ORIGIN: Final = {"feature": "proposal-writer", "purpose": "production"}
_HOUR_US, _MS_US = 3_600_000_000, 1_000
_FAILS_OF_100: Final = 4
"""searches that fail and are tried once more"""

WRITER: Final = ("openai", "gpt-5.4", 9_000, 2_400)
RESEARCHER: Final = ("openai", "gpt-5.1", 16_000, 900)
SEARCH: Final = ("openai", "gpt-5-mini", 30_000, 300)
CHECKER: Final = ("mistral", "mistral-large-2512", 24_000, 1_200)


def runs_of(month: Month, seed: int, scale: int = 1) -> list[Record]:
    """The spans of all runs of a month, each as a canonical event; a step has ``role: step``.

    Args:
        month: which.
        seed: the same seed makes the same runs.
        scale: divides their number.
    """
    draw = Random(f"{seed} agents {month.period}")  # noqa: S311 - a simulation
    runs = max(3, RUNS[month.period] // scale)
    return [span for _ in range(runs) for span in _Run(draw, month).spans()]


class _Run:
    """One proposal."""

    def __init__(self, draw: Random, month: Month) -> None:
        self._draw = draw
        self._trace = f"{draw.getrandbits(128) | 1:032x}"
        day_us = month.days_us[draw.randrange(len(month.days_us))]
        self._now_us = day_us + draw.randrange(8, 18) * _HOUR_US
        self._end_us = month.end_us

    def spans(self) -> Iterator[Record]:
        """The run, the root first."""
        root = self._step("", "invoke_workflow", "proposal-run", ORIGIN)
        yield root
        yield self._call(root, WRITER)
        researcher = self._step(root["span_id"], "invoke_agent", "research-agent")
        yield researcher
        yield self._call(researcher, RESEARCHER)
        for _ in range(self._draw.randrange(1, 4)):
            yield from self._searched(researcher)
        checker = self._step(root["span_id"], "invoke_agent", "clause-checker")
        yield checker
        yield from self._searched(checker)
        yield self._call(checker, CHECKER)
        yield self._call(root, WRITER)

    def _searched(self, above: Record) -> Iterator[Record]:
        """A search of the handbook, tried once more if it fails."""
        has_failed = self._draw.randrange(100) < _FAILS_OF_100
        for failed in (True, False) if has_failed else (False,):
            tool = self._step(above["span_id"], "execute_tool", "retrieval")
            yield {**tool, "status": "error"} if failed else tool
            yield self._call(tool, SEARCH)

    def _step(
        self, parent: str, operation: str, service: str, tags: dict[str, str] | None = None
    ) -> Record:
        named = {"role": "step", "operation": operation, "service": service}
        return self._span(parent) | named | (tags or {})

    def _call(self, above: Record, asked: tuple[str, str, int, int]) -> Record:
        provider, model, taken, given = asked
        tokens = {"input_uncached": spread(self._draw, taken), "output": spread(self._draw, given)}
        return self._span(above["span_id"]) | {
            "provider": provider, "model": model, "tokens": tokens
        }  # fmt: skip

    def _span(self, parent: str) -> Record:
        draw = self._draw
        begun_us = min(self._now_us, self._end_us - 1)
        self._now_us += draw.randrange(40, 9_000) * _MS_US
        span = f"{draw.getrandbits(64) | 1:016x}"
        made: dict[str, Any] = {
            "event_id": f"{self._trace}:{span}",
            "source": "otel",
            "started_at": format_instant(begun_us),
            "ended_at": format_instant(begun_us + draw.randrange(900, 30_000) * _MS_US),
            "status": "ok",
            "trace_id": self._trace,
            "span_id": span,
        }
        return made | ({"parent_span_id": parent} if parent else {})
