"""Positions: whole or not at all, one for each stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import PullError
from tallybook.pull.model import Ask, Window
from tallybook.pull.position import (
    Position,
    asked_of,
    load,
    path_of,
    reached_us,
    save,
    window_of,
)


@given(
    st.builds(
        Position,
        st.integers(0, 2**60),
        st.none() | st.tuples(st.integers(0, 2**60), st.integers(0, 2**60)),
        st.integers(0, 2**60),
        st.text(),
        st.text(),
    )
)
def test_a_position_comes_back_as_it_was(tmp_path_factory, position):
    path = tmp_path_factory.mktemp("pulls") / "one.json"
    save(path, position)
    assert load(path) == position


def test_the_first_pull_stands_at_the_beginning(tmp_path):
    position = load(tmp_path / "none.json")
    assert (position.until_us, window_of(position)) == (0, None)
    assert window_of(Position(window=(1, 2))) == Window(1, 2)


def test_what_is_no_position_is_told(tmp_path):
    path = tmp_path / "one.json"
    path.write_text("{")
    with pytest.raises(PullError, match="the position cannot be read"):
        load(path)


def test_a_crash_while_writing_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "one.json"
    save(path, Position(1))
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        save(path, Position(2))
    assert load(path) == Position(1)


def test_each_stream_has_a_file_and_each_question_a_digest(tmp_path):
    assert path_of(tmp_path, "openai-usage", "A/b").name == "openai-usage.a-b.json"
    ask = Ask("p", (("a", "1"),))
    others = {asked_of("u", ask), asked_of("v", ask), asked_of("u", Ask("p", (("a", "2"),)))}
    assert len(others) == 3
    assert asked_of("u", ask) == asked_of("u", Ask("p", (("a", "1"),)))


@pytest.mark.parametrize(
    ("position", "end_us"),
    [
        (Position(), 0),
        (Position(40), 40),
        (Position(0, (10, 40), 20), 20),
        (Position(10, (5, 40), 20), 20),
        (Position(30, (5, 40), 20), 30),
        (Position(10, (15, 40), 20), 10),
    ],
)
def test_what_is_in_ends_where_a_pull_was_cut_if_that_joins_it(position, end_us):
    assert reached_us(position) == end_us
