"""Two processes on the same books: what they were told adds up, and one of them closes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tallybook.sim.oracle.usage import take_in
from tallybook.sim.world import pair
from tallybook.sim.world.model import BrokenError


def test_two_processes_lose_nothing_and_double_nothing(template: Path) -> None:
    told = pair.paired(1, deliveries=3, template=template)
    assert min(told["accepted"], told["duplicate"]) > 0
    assert told["closed"] == 1


def test_deliveries_are_accepted_whole_in_any_order() -> None:
    _, offered, ending = pair.drawn(4, 5)
    events = [event for one in offered for event in one["events"]]
    for order in (events, events[::-1]):
        intake = take_in(order)
        assert (intake.accepted, intake.duplicate, intake.quarantined) == (len(events), 0, 0)
    assert ending[-1]["do"] == "close"


@pytest.mark.parametrize(
    "told",
    [
        Counter(accepted=2, duplicate=2, closed=1),
        Counter(accepted=3, duplicate=0, closed=1),
        Counter(accepted=3, duplicate=1, closed=2),
        Counter(accepted=3, duplicate=1),
    ],
)
def test_what_does_not_add_up_breaks_the_world(told: Counter[str]) -> None:
    pair._require_sums(Counter(accepted=3, duplicate=1, closed=1), 3, 4)
    with pytest.raises(BrokenError, match="two processes"):
        pair._require_sums(told, 3, 4)
