"""What does not tie is told with its figures; what ties says nothing."""

from dataclasses import replace

from attribute.test_transfer import LINE
from tallybook.attribute.model import Attribution, Payer
from tallybook.attribute.transfer import transferred
from tallybook.check.graph import untied

SHARED = replace(LINE, payers=(Payer("a", "bot", "s", "split", 1), Payer("b", "", "s", "split", 2)))
SUMS = Attribution((SHARED,))
WHOLE = (3, 10, 7, 7, 7)


def test_what_ties_says_nothing():
    assert list(untied(SUMS, transferred(SUMS), WHOLE)) == []


def test_a_pico_that_is_lost_is_told():
    made = transferred(SUMS)
    first, *others = made.lines
    short = replace(made, lines=(replace(first, contract_pico=first.contract_pico - 1), *others))
    told = "; ".join(untied(SUMS, short, WHOLE))
    assert "what is charged comes to (3, 10, 7, 6, 7), the events to (3, 10, 7, 7, 7)" in told
    assert "X (reported): payers bear" in told
    assert "by team of who started it" in told


def test_events_that_no_line_holds_are_told():
    (told, _) = untied(SUMS, transferred(SUMS), (4, *WHOLE[1:]))
    assert told == "what is started comes to (3, 10, 7, 7, 7), the events to (4, 10, 7, 7, 7)"
