"""The benchmark of the close makes a month with as many lines as it says, and closes it."""

from bench.closing import make_lines
from bench.measure import measure


def test_a_month_of_many_lines_is_made_and_closed(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    make_lines(home, 600)
    told = measure("closed", home, [0, 1]).result
    assert told["version"] == 1
    assert 600 <= told["lines"] <= 1_500
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
