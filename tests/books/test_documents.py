import hashlib
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.books import KINDS, Document, example_files, parse, read_folder
from tallybook.books.budgets import Budgets
from tallybook.books.documents import document_of
from tallybook.books.model import Prices
from tallybook.errors import BooksError, CorruptedError

PRICES = 'contracts:\n  - {contract: M, provider: openai, discount: "8%"}\n'
BUDGETS = "budgets:\n  - {feature: refund-bot, from: 2026-10, monthly: 700.00}\n"


@pytest.fixture
def example(tmp_path):
    for name, text in example_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def stored(documents):
    """The documents as a database gives them back: three texts each."""
    return {k: Document(str(d.kind), str(d.body), str(d.sha256)) for k, d in documents.items()}


def test_the_example_books_are_right_and_complete(example):
    assert set(example_files()) == {"README.md", *(f"{kind}.yaml" for kind in KINDS)}
    books = parse(read_folder(example))
    assert [team.id for team in books.org.teams] == ["support", "search", "growth", "platform"]
    assert books.org.unowned_team == "platform"
    assert books.policy.versions[0].evaluation.pool == "quality"
    assert books.prices.contracts
    assert books.budgets.increases
    assert books.calendar.zone_name == "UTC"


def test_the_digest_is_that_of_the_canonical_body(example):
    for kind, document in read_folder(example).items():
        assert document.kind == kind
        assert document.sha256 == hashlib.sha256(document.body.encode()).hexdigest()
        data = json.loads(document.body)
        canonical = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert document.body == canonical


def test_lines_comments_and_style_are_not_in_the_document(folder):
    block = "budgets:\n\n  # a comment\n  - monthly: '700.00'\n    from: 2026-10\n    feature: refund-bot\n"
    one, other = folder.documents(budgets=BUDGETS), folder.documents(budgets=block)
    assert one["budgets"] == other["budgets"]


def test_the_text_of_a_figure_is_in_the_document(folder):
    body = folder.documents(budgets=BUDGETS)["budgets"].body
    assert body == '{"budgets":[{"feature":"refund-bot","from":"2026-10","monthly":"700.00"}]}'


def test_a_stored_document_gives_the_same_books(example):
    documents = read_folder(example)
    assert parse(stored(documents)) == parse(documents)


def test_a_document_survives_being_written_as_yaml(example, tmp_path):
    """JSON is YAML: the canonical body, read as a file, is the same document again."""
    documents = read_folder(example)
    for kind, document in documents.items():
        (tmp_path / f"{kind}.yaml").write_text(document.body, encoding="utf-8")
    assert read_folder(tmp_path) == documents


def test_the_order_of_keys_never_shows(folder, org_with):
    one = org_with(teams=["{id: x, unit: commerce, owners: {product: p, finance: f}}"])
    other = org_with(teams=["{unit: commerce, owners: {finance: f, product: p}, id: x}"])
    first, second = folder.books(org=one), folder.books(org=other)
    assert first == second
    assert repr(first) == repr(second)


def test_books_do_not_depend_on_the_hash_seed(example):
    script = (
        "import sys; from pathlib import Path; from tallybook.books import parse, read_folder\n"
        "d = read_folder(Path(sys.argv[1])); print(parse(d), [x.sha256 for x in d.values()])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script, str(example)],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(said) == 1


def test_files_that_may_be_left_out_are_empty_documents(folder):
    documents = folder.documents()
    assert documents["prices"].body == documents["budgets"].body == "{}"
    books = parse(documents)
    assert books.prices == Prices()
    assert books.budgets == Budgets()
    assert parse({kind: documents[kind] for kind in ("org", "policy")}) == books


@pytest.mark.parametrize("kind", ["org", "policy"])
def test_a_missing_file(folder, kind):
    fault = folder.fault(**{kind: None})
    assert fault == (
        f"{kind}.yaml:1: the file is missing; expected {kind}.yaml in the books folder; "
        "do: write it; tallybook init makes an example to start from"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_file(folder, kind):
    assert folder.fault(**{kind: "# nothing\n"}).startswith(f"{kind}.yaml:1: the file is empty; ")


def test_a_missing_folder(tmp_path):
    with pytest.raises(BooksError) as refused:
        read_folder(tmp_path / "none")
    assert "none: no such folder; expected a folder with org.yaml" in refused.value.faults[0]


def test_a_folder_in_the_place_of_a_file(folder):
    (folder.path / "prices.yaml").mkdir()
    assert folder.fault().startswith("prices.yaml:1: cannot be read (")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("org.yml", "rename it to org.yaml"),
        ("outcomes.yaml", "this version does not read outcomes"),
        ("notes.txt", "move it out of the folder"),
        (".org.yaml.swp", "move it out of the folder"),
    ],
)
def test_unknown_files_are_refused(folder, name, remedy):
    (folder.path / name).write_text("x")
    fault = folder.fault()
    assert fault.startswith(f"{name}: not a file of the books; expected org.yaml, policy.yaml")
    assert remedy in fault


def test_readme_and_git_files_are_let_be(folder):
    for name in ("README.md", "README", ".gitignore"):
        (folder.path / name).write_text("x")
    (folder.path / ".git").mkdir()
    assert set(folder.documents()) == set(KINDS)


def test_nothing_comes_out_of_a_folder_with_one_fault(folder):
    faults = folder.faults(prices="contracts: 3\n", budgets=BUDGETS.replace("refund-bot", "x"))
    assert [fault.split(":")[0] for fault in faults] == ["prices.yaml", "budgets.yaml"]


def test_a_changed_body_is_noticed(folder):
    documents = folder.documents()
    org = documents["org"]
    documents["org"] = Document("org", org.body.replace("Acme", "Acne"), org.sha256)
    with pytest.raises(CorruptedError, match=org.sha256):
        parse(documents)


def test_stored_documents_that_do_not_fit_are_refused_in_words(folder):
    documents = folder.documents(prices=PRICES)
    policy = {"versions": [{"effective_from": "2026-10", "default": {"model": "fair"}}]}
    with pytest.raises(BooksError) as refused:
        parse({**documents, "policy": document_of("policy", policy)})
    (fault,) = refused.value.faults
    assert fault.startswith('policy document: versions 1, default, model: "fair" is not known')
    with pytest.raises(BooksError):
        parse({})


DATES = st.sampled_from(
    ["", ", from: 2026-02-01", ", to: 2026-11-15", ", from: 2026-02-01, to: 2027-01-01"]
)
NAMES = st.sampled_from(
    ["no", "0471", "1e3", "2026-10-01", "x.y", "null-team", "12:30".replace(":", "-")]
)


@given(st.lists(st.tuples(NAMES, DATES), unique_by=lambda row: row[0], max_size=5))
def test_any_org_that_is_read_round_trips(tmp_path_factory, rows):
    org = (
        "company: {name: Acme, currency: USD, fiscal_year_start: 2026-07, timezone: Asia/Kolkata}\n"
        "business_units: [{id: all}]\nunowned: {team: home}\nteams:\n  - {id: home, unit: all}\n"
    )
    org += "".join(f"  - {{id: {name}, unit: all{dates}}}\n" for name, dates in rows)
    path = tmp_path_factory.mktemp("books")
    (path / "org.yaml").write_text(org)
    (path / "policy.yaml").write_text(
        "versions: [{effective_from: 2026-01, default: {model: showback}}]\n"
    )
    documents = read_folder(path)
    books = parse(stored(documents))
    assert books == parse(documents)
    assert [team.id for team in books.org.teams] == ["home", *(name for name, _ in rows)]
