"""A row is added to a policy file; every other byte stays, and the row reads as it was meant."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books.add_row import with_row
from tallybook.books.documents import example_files
from tallybook.books.faults import Sheet
from tallybook.books.source import read_source
from tallybook.errors import BooksError

ROW = {"id": "x", "team": "support", "name": "A: #1 'thing'"}


def added(text, section="features", row=None):
    return with_row(text, section, ROW if row is None else row, "org.yaml")


def test_rows_go_to_the_end_of_their_list_and_comments_stay():
    text = example_files()["org.yaml"]
    found = added(text)
    assert found.replace("  - {id: x, team: support, name: \"A: #1 'thing'\"}\n", "") == text
    before, after = yaml.safe_load(text), yaml.safe_load(found)
    assert after["features"] == [*before["features"], ROW]
    assert {k: v for k, v in after.items() if k != "features"} == {
        k: v for k, v in before.items() if k != "features"
    }


@pytest.mark.parametrize(
    "text",
    [
        "features: []\nrules: []\n",
        "features:   # none yet\nrules: []\n",
        "rules: []\n",
        "features:\n- {id: a}\n# about rules\nrules: []\n",
        "features:\n    - id: a\n      name: A\n\n\nrules: []\n",
        "rules: []\nfeatures:\n  - {id: a}",
        "rules: []\nfeatures:\n  - id: a\n    name: >-\n      long\n      text\n",
    ],
)
def test_every_way_of_writing_a_list(text):
    before = yaml.safe_load(text)
    after = yaml.safe_load(added(text))
    assert after["features"] == [*(before.get("features") or []), ROW]
    assert after["rules"] == []


@pytest.mark.parametrize("text", ["features: [{id: a}]\n", "features:\n  [{id: a},\n  {id: b}]\n"])
def test_a_list_in_brackets_is_refused_with_the_row_to_add(text):
    with pytest.raises(BooksError, match=r"org\.yaml:1: features is not written") as told:
        added(text)
    assert "{id: x, team: support" in str(told.value)


@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "team", "from", "monthly"]),
        st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1)
        | st.sampled_from(["yes", "2026-10", "2026-10-01", "0471", "1e5", "null", "~", "-", "a b"])
        | st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc"])), max_size=2),
        min_size=1,
    )
)
def test_what_is_written_is_what_the_books_read(row):
    text = with_row("features:\n  - {id: a}\n", "features", row, "org.yaml")
    sheet = Sheet("org.yaml")
    source = read_source(text.encode(), sheet)
    assert source is not None, sheet.faults
    assert source.data["features"] == [{"id": "a"}, row]
