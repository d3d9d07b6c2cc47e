"""Lines and invocations add up, and what is taken off is gone."""

from dataclasses import replace

import pytest

from attribute.test_transfer import LINE, USE
from tallybook.attribute.adding import added_together, added_up, counted_up
from tallybook.attribute.model import Attribution, Payer


def test_lines_of_one_key_are_one_line():
    (line,) = added_up([(1, LINE), (1, LINE)])
    assert (line.calls, line.tokens, line.units) == (6, 20, {"searches": 4})
    assert added_up([(1, LINE), (-1, LINE)]) == []
    shared = replace(LINE, payers=(Payer("a", "", "s", "split", 1),))
    assert len(added_up([(1, LINE), (1, shared)])) == 2


def test_more_cannot_be_taken_off_than_there_was():
    with pytest.raises(AssertionError, match="more was taken off"):
        added_together([(-1, Attribution((LINE,)))])


def test_invocations_of_one_kind_are_counted_together():
    (one,) = counted_up([(1, USE), (1, USE)])
    assert (one.calls, one.tokens) == (2, 18)
    assert counted_up([(1, USE), (-1, USE)]) == ()
