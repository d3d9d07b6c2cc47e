"""What informs a team and is not added: who is told what of whose usage."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tallybook.books.model import TeamPolicy
from tallybook.report.lines import Terms
from tallybook.report.notes import note_figures, notes_of
from tallybook.report.sides import sides_of

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "allocate"))
import worked_example as law
from moved import sheet, used


def terms(model="real_cost", committed=()):
    policy = law.policy(TeamPolicy(model))
    return Terms(policy, "platform", frozenset(committed))


def told(*lines, **changes):
    """(team, label, role, calls) of every note."""
    found = note_figures(lines, terms(**changes), sides_of(sheet(*lines), {}))
    return [
        (team, note.label, note.transfer.role if note.transfer else "", figures.calls)
        for team, notes in found.items()
        for note, (figures, _) in notes.items()
    ]


def test_who_ran_for_others_is_told_who_pays():
    line = used("a", "b", rule="caller_pays", service="fetch", calls=20)
    assert told(line) == [("b", "run for a: fetch", "run_for", 20)]


def test_who_caused_is_told_who_pays():
    line = used("b", "b", origin="a", rule="callee_absorbs", service="fetch", calls=20)
    label = "caused by you, paid by b: fetch (callee absorbs)"
    assert told(line) == [("a", label, "paid_by", 20)]


def test_both_parts_of_a_split_are_told_to_the_other():
    caller = used("a", "b", rule="split", service="fetch", calls=14)
    callee = used("b", "b", origin="a", rule="split", service="fetch", calls=6)
    assert told(caller, callee) == [
        ("a", "caused by you, paid by b: fetch (split)", "paid_by", 6),
        ("b", "run for a: fetch", "run_for", 14),
    ]


def test_one_note_of_two_rules_names_both():
    rows = [used("a", "b", rule=rule, service="fetch") for rule in ("split", "caller_pays")]
    ((_, notes),) = note_figures(rows, terms(), sides_of(sheet(*rows), {})).items()
    ((note, (figures, lines)),) = notes.items()
    assert note.transfer.rule == "caller_pays, split"
    assert (figures.calls, len(lines)) == (2, 2)


def test_joint_cost_is_told_to_its_owner_once():
    line = used("a", "b", origin="b", rule="joint", service="index")
    assert told(line) == [("b", "run for a: index", "run_for", 1)]


@pytest.mark.parametrize(
    "changes", [{"model": "proportional"}, {"committed": [("a", "bot"), ("b", "bot")]}]
)
def test_a_transfer_within_usage_is_told_beside_it(changes):
    rows = [
        used("a", "b", rule="caller_pays", service="fetch", feature="bot"),
        used("b", "b", origin="a", rule="callee_absorbs", service="fetch", feature="bot"),
        used("a", "b", origin="b", rule="joint", service="index", feature="bot"),
    ]
    labels = {(team, label) for team, label, _, _ in told(*rows, **changes)}
    assert labels == {
        ("a", "caused by you, run by b: fetch (caller pays), within usage"),
        ("a", "caused by you, paid by b: fetch (callee absorbs)"),
        ("a", "joint cost of b: index, within usage"),
        ("b", "caused by a, paid by you: fetch (callee absorbs), within usage"),
        ("b", "run for a: fetch"),
        ("b", "run for a: index"),
    }


def test_evaluation_that_a_pool_pays_is_told_once_and_as_the_pools():
    own = used("a", "a", purpose="evaluation", feature="bot")
    assert told(own) == [("a", "paid by the quality pool", "", 1)]
    absorbed = used("b", "b", origin="a", rule="callee_absorbs", purpose="evaluation")
    assert told(absorbed) == [("b", "paid by the quality pool", "", 1)]


def test_the_id_of_a_note_is_its_team_and_its_words():
    line = used("a", "b", rule="caller_pays", service="fetch")
    (note,) = notes_of(line, terms(), sides_of(sheet(line), {}))
    assert note.id("2026-10") == replace(note, transfer=None).id("2026-10") != note.id("2026-11")
    # The id that it had before notes named the rule.
    assert note.id("2026-10") == "L-2026-10-5ca01ee446e1"
