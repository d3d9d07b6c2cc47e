import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.globs import glob_matches, glob_regex, globs_meet, is_glob

GLOBS = st.text("ab*?", max_size=5)
TEXTS = ["".join(chars) for n in range(6) for chars in itertools.product("abc", repeat=n)]


@pytest.mark.parametrize(
    ("glob", "text", "matches"),
    [
        ("refund-*", "refund-", True),
        ("refund-*", "Refund-x", False),
        ("refund-*", "a refund-x", False),
        ("gpt-4?", "gpt-4o", True),
        ("gpt-4?", "gpt-4", False),
        ("gpt-4.1", "gpt-4x1", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("*", "", True),
        ("*", "line\nline", True),
        ("a", "a\n", False),
        ("a|b", "a", False),
        ("50% $(x)", "50% $(x)", True),
    ],
)
def test_star_and_question_mark_alone_are_wild(glob, text, matches):
    assert glob_matches(glob, text) is matches


def test_a_glob_has_a_wildcard():
    assert is_glob("a*")
    assert is_glob("?")
    assert not is_glob("gpt-4[o]")


@given(st.text(max_size=12))
def test_text_without_wildcards_matches_itself_alone(text):
    literal = text.replace("*", "").replace("?", "")
    assert glob_matches(literal, literal)
    assert not glob_matches(literal, literal + "x")


@given(st.text(max_size=12), st.text(max_size=12))
def test_the_expression_is_the_glob(glob, text):
    assert bool(re.fullmatch(glob_regex(glob), text)) == glob_matches(glob, text)


@given(GLOBS, GLOBS)
def test_globs_meet_exactly_when_some_text_matches_both(one, other):
    # The shortest common text has no more letters than the globs have characters but stars, and
    # texts of up to five letters are searched.
    found = any(glob_matches(one, text) and glob_matches(other, text) for text in TEXTS)
    assert globs_meet(one, other) == globs_meet(other, one)
    if found:
        assert globs_meet(one, other)
    if len(one.replace("*", "")) + len(other.replace("*", "")) <= 5:
        assert globs_meet(one, other) == found
