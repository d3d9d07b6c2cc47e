"""Names in columns: each is found by its row, and different names are never taken for one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.attribute.nodes import _MARKED, _ODD, Answers, Names, distinct

WORDS = st.integers(0, 5)


def digests(values):
    return np.array(values, np.uint64)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), max_size=40), st.lists(st.tuples(WORDS, WORDS)))
def test_a_name_is_found_by_one_of_its_rows_and_no_other(names, asked):
    columns = [digests([name[i] for name in names]) for i in (0, 1)]
    index = Names(columns, np.arange(len(names)))
    found = index.find([digests([name[i] for name in asked]) for i in (0, 1)])
    for name, at in zip(asked, found.tolist(), strict=True):
        assert (names[at] == name) if name in names else at == -1
    holders = dict(zip(names, index.holder.tolist(), strict=True))
    assert all(index.holder[at] == holders[name] for at, name in enumerate(names))
    assert all(names[at] == name for name, at in holders.items())


def test_names_that_are_mixed_to_one_number_stay_two():
    first = (1, 2)
    other = ((first[0] * _ODD[-1]) ^ first[1] ^ (7 * _ODD[-1])) % 2**64
    columns = [digests([first[0], 7]), digests([first[1], other])]
    index = Names(columns, np.arange(2))
    assert index.holder.tolist() == [0, 1]
    assert index.find(columns).tolist() == [0, 1]
    assert index.find([digests([7]), digests([2])]).tolist() == [-1]


def test_rows_that_have_no_name_are_not_found():
    index = Names([digests([4, 4, 5])], np.array([1, 2]))
    assert index.find([digests([4, 5, 6])]).tolist() == [1, 2, -1]
    assert index.holder.tolist() == [-1, 1, 2]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=60), st.sampled_from((901, _MARKED, _MARKED + 1)))
def test_numbers_are_told_apart_alike_whether_marked_or_sorted(numbers, below):
    found, at = distinct(np.array(numbers, np.int64), below)
    assert found.tolist() == sorted(set(numbers))
    assert found[at].tolist() == numbers


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), max_size=30), max_size=6))
def test_each_number_is_asked_once_wherever_it_comes(columns):
    asked = []
    answers = Answers(lambda one: asked.append(one) or len(asked))
    for column in columns:
        found = answers.to(digests(column)).tolist()
        assert [asked[number - 1] for number in found] == column
    assert len(asked) == len(set(asked)) == len(set().union(*columns))
