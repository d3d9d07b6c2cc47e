"""Counters that all processes of a gateway share, and their text for Prometheus.

One row of 64-bit numbers for each process in memory that the parent made before it forked: each
writes its own row, anybody adds them up, and a process that is replaced goes on in its row.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from typing import Final

COUNTED: Final = {
    "requests": "Requests whose head was read.",
    "refused": "Requests that were answered with an error of the gateway's own.",
    "calls": "Calls that were passed on to a provider.",
    "answers_2xx": "Answers of providers, by class of their status.",
    "answers_3xx": "",
    "answers_4xx": "",
    "answers_5xx": "",
    "upstream_failures": "Calls that brought no whole answer: no connection, a time out, garbage.",
    "client_aborts": "Calls whose caller left before the end of the answer.",
    "drained": "Answers that were read to their end after the caller had left.",
    "stale_retries": "Requests sent again because a kept connection was closed meanwhile.",
    "events": "Usage events written.",
    "events_delayed": "Usage events that could not be written at once, and are tried again.",
    "recovered": "Calls of processes that died, found again.",
    "faults": "Faults of the gateway's own, each told once in the log.",
    "in_bytes": "Bytes of bodies taken from callers.",
    "out_bytes": "Bytes of bodies handed to callers.",
    "connections": "Connections of callers that were opened.",
    "upstream_connections": "Connections to providers that were opened.",
}
GAUGES: Final = {
    "under_way": "Calls under way.",
    "clients": "Open connections of callers.",
}
_BUCKETS_MS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 120_000)
_NAMES: Final = (
    *COUNTED,
    *GAUGES,
    *(f"took_{n}" for n in range(len(_BUCKETS_MS) + 1)),
    "took_ms",
)
_INDEX: Final = {name: number for number, name in enumerate(_NAMES)}
_WIDTH: Final = len(_NAMES)
_FIRST_BUCKET: Final = _INDEX["took_0"]
_TOOK_MS: Final = _INDEX["took_ms"]
_REQUESTS: Final = _INDEX["requests"]
_IN_BYTES: Final = _INDEX["in_bytes"]
_CALLS: Final = _INDEX["calls"]
_OUT_BYTES: Final = _INDEX["out_bytes"]
_ANSWERS_2XX: Final = _INDEX["answers_2xx"]


class Counters:
    """The table; see above.

    Args:
        rows: processes at most.
    """

    def __init__(self, rows: int) -> None:
        self._map = mmap.mmap(-1, rows * _WIDTH * 8)
        self._numbers = memoryview(self._map).cast("Q")
        self._rows = rows

    def row(self, number: int) -> Row:
        """What one process counts in."""
        return Row(self._numbers[number * _WIDTH : (number + 1) * _WIDTH])

    def totals(self) -> dict[str, int]:
        """Every number, added up over the processes."""
        return {
            name: sum(self._numbers[row * _WIDTH + at] for row in range(self._rows))
            for name, at in _INDEX.items()
        }

    def as_text(self) -> str:
        """In the text format of Prometheus."""
        totals = self.totals()
        lines: list[str] = []
        for name, told in COUNTED.items():
            plain, _, status = (
                name.partition("_") if name.startswith("answers_") else (name, "", "")
            )
            if told:
                lines += [
                    f"# HELP tallybook_gateway_{plain}_total {told}",
                    f"# TYPE tallybook_gateway_{plain}_total counter",
                ]
            label = f'{{status="{status}"}}' if status else ""
            lines.append(f"tallybook_gateway_{plain}_total{label} {totals[name]}")
        for name, told in GAUGES.items():
            lines += [
                f"# HELP tallybook_gateway_{name} {told}",
                f"# TYPE tallybook_gateway_{name} gauge",
                f"tallybook_gateway_{name} {totals[name]}",
            ]
        return "\n".join([*lines, *_histogram(totals), ""])


class Row:
    """The numbers of one process."""

    __slots__ = ("_numbers", "answers", "calls", "in_bytes", "out_bytes", "requests")

    def __init__(self, numbers: memoryview) -> None:
        self._numbers = numbers
        self.requests = self.in_bytes = self.calls = self.answers = self.out_bytes = 0
        """of plain calls, since they were last put into the table (`publish`)"""

    def add(self, name: str, count: int = 1) -> None:
        """Count something."""
        self._numbers[_INDEX[name]] += count

    def publish(self) -> None:
        """Put what plain calls counted into the table: for many of them at once."""
        numbers = self._numbers
        numbers[_REQUESTS] += self.requests
        numbers[_IN_BYTES] += self.in_bytes
        numbers[_CALLS] += self.calls
        numbers[_ANSWERS_2XX] += self.answers
        numbers[_OUT_BYTES] += self.out_bytes
        self.requests = self.in_bytes = self.calls = self.answers = self.out_bytes = 0

    def put(self, name: str, value: int) -> None:
        """Say how much there is of something now."""
        self._numbers[_INDEX[name]] = value

    def took(self, ms: int) -> None:
        """Count a call that took so many milliseconds, first byte to last."""
        self._numbers[_FIRST_BUCKET + bisect_left(_BUCKETS_MS, ms)] += 1
        self._numbers[_TOOK_MS] += ms


def _histogram(totals: dict[str, int]) -> list[str]:
    name = "tallybook_gateway_call_seconds"
    lines = [f"# HELP {name} How long calls took.", f"# TYPE {name} histogram"]
    count = 0
    for number, bound in enumerate(_BUCKETS_MS):
        count += totals[f"took_{number}"]
        lines.append(f'{name}_bucket{{le="{bound / 1000:g}"}} {count}')
    count += totals[f"took_{len(_BUCKETS_MS)}"]
    lines += [
        f'{name}_bucket{{le="+Inf"}} {count}',
        f"{name}_sum {totals['took_ms'] / 1000:g}",
        f"{name}_count {count}",
    ]
    return lines
