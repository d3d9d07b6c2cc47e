"""One trace while it runs: what it cost, how often its steps repeat, who made its calls.

A trace is kept as long as it is recent. It is told by what arrives, whoever tells of it first, and
is not told anew when usage is sealed: the totals are, the list of dear traces is of the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from tallybook.live.bucket import plus
from tallybook.live.model import FIGURES, Subject
from tallybook.live.walk import Node, Tree, agent_of, origin_of

NODES_KEPT: Final = 2_000
"""A trace of more is walked no further: later calls are given to what is known by then."""
NAMES_KEPT: Final = 512
"""Steps and operations of which a trace keeps count, those that repeat most."""

Place = tuple[int, int]
"""the batch of the inbox and the place in it"""


class Told(NamedTuple):
    """One row as it came: what a trace keeps of it.

    ``step`` is what it repeats, '' for nothing. ``figures`` are those of a `Tally`; empty for what
    does not bill, such as a step or a call that was told of before.
    """

    place: Place
    node: Node
    role: str
    service: str
    step: str
    operation_id: str
    attempt: int
    figures: tuple[int, ...]


class Counted(NamedTuple):
    """A waiting call that may yet be given to somebody else, and whom its figures went to."""

    place: Place
    node: Node
    service: str
    figures: tuple[int, ...]
    subject: Subject


class Given(NamedTuple):
    """Figures that a subject gains, or loses under a sign of -1."""

    subject: Subject
    started_us: int
    figures: tuple[int, ...]
    sign: int = 1


@dataclass(slots=True)
class Trace:
    """A recent trace. ``steps`` and ``attempts`` count repetitions by name and by operation."""

    trace: str
    first_us: int = 0
    last_us: int = 0
    figures: list[int] = field(default_factory=lambda: [0] * len(FIGURES))
    subject: Subject = field(default_factory=lambda: Subject("", "", ""))
    steps: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)

    def take(self, rows: Iterable[Told]) -> None:
        """Fold in what came; who made the calls is asked of `given` afterwards."""
        for row in rows:
            node = row.node
            if not self.first_us or node.started_us < self.first_us:
                self.first_us = node.started_us
            self.last_us = max(self.last_us, node.started_us)
            if row.figures:
                self.figures = plus(self.figures, row.figures)
            if row.step:
                self.steps[row.step] = self.steps.get(row.step, 0) + 1
            if row.operation_id and row.role == "call":
                held = self.attempts.get(row.operation_id, 0) + 1
                self.attempts[row.operation_id] = max(held, row.attempt)
            # Steps lie above calls, and calls do that are named as a parent may be.
            if node.span and len(self.nodes) < NODES_KEPT:
                self.nodes.append(node)
        if len(self.steps) > NAMES_KEPT:
            self.steps = _most(self.steps)
        if len(self.attempts) > NAMES_KEPT:
            self.attempts = _most(self.attempts)

    def given(self, rows: Iterable[Told], first_batch: int, upto: int) -> list[Given]:
        """Whom the figures of some rows go to, and which waiting calls go to somebody else now.

        Args:
            rows: of the trace, each to be given once.
            first_batch: the first that waits; earlier calls are given for good.
            upto: the last batch whose calls were given to anybody.
        """
        tree = Tree(self.nodes)
        found: list[Given] = []
        counted: list[Counted] = []
        new: set[Place] = set()
        for row in rows:
            if not row.figures:
                continue
            subject, is_final = subject_of(tree, row.node, row.service)
            self.subject = subject
            found.append(Given(subject, row.node.started_us, row.figures))
            new.add(row.place)
            if not is_final:
                counted.append(Counted(row.place, row.node, row.service, row.figures, subject))
        for one in self.counted:
            if one.place in new or one.place[0] < first_batch:
                continue
            if one.place[0] > upto:
                counted.append(one)
                continue
            subject, is_final = subject_of(tree, one.node, one.service)
            if subject != one.subject:
                found.append(Given(one.subject, one.node.started_us, one.figures, -1))
                found.append(Given(subject, one.node.started_us, one.figures))
                self.subject = subject
            if not is_final:
                counted.append(one._replace(subject=subject))
        self.counted = counted[:NODES_KEPT]
        return found

    @property
    def body(self) -> str:
        """As it is stored."""
        values = (
            self.first_us, self.last_us, self.figures, self.subject, self.steps, self.attempts,
            self.nodes, self.counted,
        )  # fmt: skip
        return _ENCODER.encode(values).decode()


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(
    tuple[
        int, int, list[int], Subject, dict[str, int], dict[str, int], list[Node], list[Counted]
    ]
)  # fmt: skip


def trace_of(trace: str, body: str) -> Trace:
    """A trace as it was stored."""
    return Trace(trace, *_DECODER.decode(body))


def subject_of(tree: Tree, node: Node, service: str) -> tuple[Subject, bool]:
    """Who caused a call: who started it and the agent that made it; and whether that is final.

    It is once the path ends at a root: what comes later stands beneath or beside it.
    """
    if node.span and not node.parent:
        return Subject(node.team, node.feature, node.agent or service, bool(node.word)), True
    path: Sequence[Node] = tree.path(node)
    origin = origin_of(path)
    subject = Subject(origin.team, origin.feature, agent_of(path, service), bool(origin.word))
    return subject, bool(path[-1].span) and not path[-1].parent


def _most(counts: dict[str, int]) -> dict[str, int]:
    """Of too many names those that repeat most; of equals, those that came last."""
    newest = list(counts.items())[::-1]
    kept = sorted(newest, key=lambda item: -item[1])[:NAMES_KEPT]
    return dict(reversed(kept))
