"""A use of a model never passes for labelled, whatever stands around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import org, policy
from tallybook.books.documents import parse, read_folder
from tallybook.budget.labels import Row, check_labels, is_good
from tallybook.clock import parse_instant

NOW_US = parse_instant("2026-10-20T09:00:00Z")
LINES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n"), max_size=30)
MARKS = [
    *(
        "import openai",
        "u = 'https://api.anthropic.com/v1'",
        "GROQ_API_KEY",
        "from litellm import x",
    )
]
LABELS = ['h = {"x-tallybook-feature": "bot"}', "# tallybook: feature=bot", 'tag(feature="bot")']


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    folder = tmp_path_factory.mktemp("books")
    files = {"org": org(), "policy": policy(), "budgets": "default: {monthly: '1.00', over: stop}"}
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return parse(read_folder(folder))


@given(st.lists(LINES, max_size=4), st.sampled_from(MARKS), st.lists(LINES, max_size=4))
def test_a_use_without_a_label_is_a_fault(books, before, mark, after):
    text = "\n".join([*before, mark, *after])
    found = check_labels([("a.py", text)], [], books, NOW_US)
    assert not is_good(found)
    assert found.faults[0].place.startswith("a.py:")


@given(st.sampled_from(MARKS), st.sampled_from(LABELS), st.booleans())
def test_a_use_with_a_label_that_the_books_know_is_good(books, mark, label, first):
    lines = [label, mark] if first else [mark, label]
    found = check_labels([("a.py", "\n".join(lines))], [], books, NOW_US)
    assert is_good(found), found.faults
    assert found.uses == {"a.py": ("bot",)}


@given(st.text(max_size=8), st.sampled_from(MARKS))
def test_only_a_row_for_the_path_excuses_a_use(books, path, mark):
    rows = [Row(path="src/*", feature="bot")]
    texts = [("src/ok.py", "x = 1"), (f"lib/{path}.py", mark)]
    assert not is_good(check_labels(texts, rows, books, NOW_US))
    assert is_good(check_labels([("src/ok.py", mark)], rows, books, NOW_US))
