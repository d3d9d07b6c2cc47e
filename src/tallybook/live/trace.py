"""One trace while it runs: what it cost, how often its steps repeat, who made its calls.

A trace is kept as long as it is recent. It is told by what arrives, whoever tells of it first, and
is not told anew when usage is sealed: the totals are, the list of dear traces is of the moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from typing import Final

from tallybook.live.model import FIGURES, Subject
from tallybook.live.walk import Node, Tree, agent_of, origin_of

NODES_KEPT: Final = 10_000
"""A trace of more is walked no further: later calls are given to what is known by then."""
NAMES_KEPT: Final = 64
"""Steps and operations of which a trace keeps count, those that repeat most."""

Place = tuple[int, int]
"""the batch of the inbox and the place in it"""


@dataclass(slots=True)
class Told:
    """One row as it came: what a trace keeps of it.

    ``word`` is how its owner was found (`tallybook.live.walk`). ``figures`` are those of a
    `Tally`; empty for what does not bill, such as a step or a call that was told of before.
    """

    place: Place
    trace: str
    span: str
    parent: str
    started_us: int
    role: str
    service: str
    agent: str
    step: str
    operation_id: str
    attempt: int
    context: int
    team: str
    feature: str
    word: int
    figures: tuple[int, ...]

    @property
    def node(self) -> Node:
        """Where it stands in its trace."""
        return Node(
            self.span, self.parent, self.started_us, self.agent, self.team, self.feature, self.word
        )


@dataclass(slots=True)
class Counted:
    """A waiting call that may yet be given to somebody else, and whom its figures went to."""

    place: Place
    node: Node
    service: str
    figures: tuple[int, ...]
    subject: Subject


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
            self.first_us = min(self.first_us or row.started_us, row.started_us)
            self.last_us = max(self.last_us, row.started_us)
            if row.figures:
                for i, figure in enumerate(row.figures):
                    self.figures[i] += figure
            if row.step:
                self.steps[row.step] = self.steps.get(row.step, 0) + 1
            if row.role == "call" and row.operation_id:
                held = self.attempts.get(row.operation_id, 0) + 1
                self.attempts[row.operation_id] = max(held, row.attempt)
            if _may_be_above(row) and len(self.nodes) < NODES_KEPT:
                self.nodes.append(row.node)
        self.steps = _most(self.steps)
        self.attempts = _most(self.attempts)

    def given(self, rows: Iterable[Told], first_batch: int) -> list[tuple[Subject, Told]]:
        """Whom the figures of some rows go to, by what is known now."""
        tree = Tree(self.nodes)
        self.counted = [one for one in self.counted if one.place[0] >= first_batch]
        held = {one.place: one for one in self.counted}
        found: list[tuple[Subject, Told]] = []
        for row in rows:
            if not row.figures:
                continue
            subject = subject_of(tree, row.node, row.service)
            found.append((subject, row))
            self.subject = subject
            if row.place in held:
                held[row.place].subject = subject
            elif _may_move(row) and len(self.counted) < NODES_KEPT:
                self.counted.append(Counted(row.place, row.node, row.service, row.figures, subject))
        return found

    def moved(self, upto: int) -> list[tuple[Counted, Subject, Subject]]:
        """Waiting calls that are given to somebody else by now: (call, from whom, to whom).

        Args:
            upto: the last batch whose calls were given to anybody.
        """
        tree = Tree(self.nodes)
        found = []
        for one in self.counted:
            subject = subject_of(tree, one.node, one.service)
            if subject != one.subject and one.place[0] <= upto:
                found.append((one, one.subject, subject))
                one.subject = self.subject = subject
        return found

    @property
    def body(self) -> str:
        """As it is stored."""
        return json.dumps(
            [
                self.first_us, self.last_us, self.figures, astuple(self.subject), self.steps,
                self.attempts, [astuple(node) for node in self.nodes],
                [
                    [one.place, astuple(one.node), one.service, one.figures, astuple(one.subject)]
                    for one in self.counted
                ],
            ],
            separators=(",", ":"),
        )  # fmt: skip


def trace_of(trace: str, body: str) -> Trace:
    """A trace as it was stored."""
    first_us, last_us, figures, subject, steps, attempts, nodes, counted = json.loads(body)
    return Trace(
        trace,
        first_us,
        last_us,
        figures,
        Subject(*subject),
        steps,
        attempts,
        [Node(*node) for node in nodes],
        [
            Counted((place[0], place[1]), Node(*node), service, tuple(told), Subject(*held))
            for place, node, service, told, held in counted
        ],
    )


def subject_of(tree: Tree, node: Node, service: str) -> Subject:
    """Who caused a call: the one who started it and the agent that made it."""
    path = tree.path(node)
    origin = origin_of(path)
    return Subject(origin.team, origin.feature, agent_of(path, service), bool(origin.word))


def _may_be_above(row: Told) -> bool:
    """Whether a call may lie beneath it: steps, and calls that themselves lie in a tree."""
    return bool(row.span) and (row.role != "call" or bool(row.parent))


def _may_move(row: Told) -> bool:
    """Whether a call may be given to somebody else once more is known: all but a plain root."""
    return bool(row.parent) or not row.span


def _most(counts: dict[str, int]) -> dict[str, int]:
    """Of too many names those that repeat most; of equals, those that came last."""
    if len(counts) <= NAMES_KEPT:
        return counts
    newest = list(counts.items())[::-1]
    kept = sorted(newest, key=lambda item: -item[1])[:NAMES_KEPT]
    return dict(reversed(kept))
