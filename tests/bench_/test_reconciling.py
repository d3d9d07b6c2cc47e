"""The benchmark of reconciliation bills what was metered, and finds what it put in."""

from bench.generate import make_home
from bench.measure import measure
from bench.reconciling import OFF_EVERY, bill

ROWS = 5_000


def test_what_is_billed_agrees_but_for_the_lines_that_are_off(tmp_path):
    home = tmp_path / "home"
    make_home(home, ROWS)
    bill(home, lines=3_000)
    bill(home)  # a second time brings nothing in
    (told,) = [measure("matched", home, [0]).result]
    assert told["calls"] == ROWS
    off = told["lines"] - told["matched"]
    assert 0 < off <= told["lines"] / OFF_EVERY * 2
