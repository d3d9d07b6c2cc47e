"""One trace while it runs: what it keeps, and calls that move to whoever turns out to be above."""

from __future__ import annotations

from tallybook.live.model import Subject
from tallybook.live.trace import NAMES_KEPT, Told, Trace, trace_of
from tallybook.live.walk import NAMED, NOBODY, Node

ONE = (1, 10, 100, 0, 0, 0, 0)


def told(place, span, parent="", *, role="call", agent="", team="platform", word=NOBODY, **more):
    node = Node(span, parent, place, agent, team, "", word)
    values = {"service": "", "step": "calls", "operation_id": "", "attempt": 0} | more
    figures = ONE if role == "call" else ()
    return Told((place, 0), node, role, figures=figures, **values)


def taken(trace, *rows, first=1):
    trace.take(rows)
    return trace.given(rows, first, rows[-1].place[0])


def test_a_call_moves_to_the_agent_that_is_told_of_after_it():
    trace = Trace("t")
    child = told(1, "c", "p")
    (first,) = taken(trace, child)
    assert first.subject == Subject("platform", "", "", allocated=False)
    parent = told(2, "p", role="span", agent="planner", team="a", word=NAMED)
    off, on = taken(trace, parent)
    assert (off.sign, off.subject) == (-1, first.subject)
    assert (on.sign, on.subject) == (1, Subject("a", "", "planner"))
    assert not trace.counted  # it is final: nothing stands above a root
    assert trace.subject == on.subject


def test_what_was_sealed_moves_no_more():
    trace = Trace("t")
    taken(trace, told(1, "c", "p"))
    assert taken(trace, told(2, "p", role="span", agent="x"), first=2) == []


def test_what_was_not_given_again_yet_does_not_move():
    trace = Trace("t")
    taken(trace, told(1, "a", "p"), told(2, "b", "p"))
    again = trace.given([told(1, "a", "p")], 1, 1)
    assert [one.sign for one in again] == [1]
    assert [one.place[0] for one in trace.counted] == [1, 2]


def test_it_counts_steps_and_attempts():
    trace = Trace("t")
    rows = [told(n, f"c{n}", operation_id="op", step="agent x") for n in (1, 2)]
    taken(trace, *rows, told(3, "c3", operation_id="op", attempt=7))
    assert trace.steps == {"agent x": 2, "calls": 1}
    assert trace.attempts == {"op": 7}
    assert trace.figures == [3, 30, 300, 0, 0, 0, 0]


def test_of_a_million_names_it_keeps_those_that_repeat():
    trace = Trace("t")
    for n in range(3):
        taken(trace, *[told(1, "", operation_id=f"op-{n}-{m}") for m in range(200)])
        taken(trace, told(2, "", operation_id="storm"))
    assert trace.attempts["storm"] == 3
    assert len(trace.attempts) == NAMES_KEPT


def test_it_is_stored_and_read_again():
    trace = Trace("t")
    taken(trace, told(1, "c", "p"), told(1, "s", "c", role="span", agent="x"))
    trace.figures[2] = 2**80  # no float, no overflow
    again = trace_of("t", trace.body)
    assert again == trace
    assert again.counted[0].subject == trace.counted[0].subject
