"""Where books are, and what a folder may say of it."""

from pathlib import Path

import pytest

from tallybook.errors import StoreError
from tallybook.store.address import (
    STORE_FILE,
    Address,
    checked,
    holds_books,
    read_address,
    write_address,
)

URL = "postgresql://tally@db.example:5433/books"


def test_what_was_written_is_read(tmp_path):
    address = Address(tmp_path, URL, "s3://acme/lake")
    write_address(address)
    assert read_address(tmp_path) == address
    assert [path.name for path in tmp_path.iterdir()] == [STORE_FILE]


def test_books_that_are_a_folder_alone_need_no_file(tmp_path):
    write_address(Address(tmp_path))
    assert not list(tmp_path.iterdir())
    assert read_address(tmp_path) == Address(tmp_path)


@pytest.mark.parametrize("name", ["book.sqlite", STORE_FILE])
def test_either_file_makes_a_folder_a_home(tmp_path, name):
    assert not holds_books(tmp_path)
    (tmp_path / name).touch()
    assert holds_books(tmp_path)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("database: [", "no YAML"),
        ("base: x", "database and lake, and nothing else"),
        ("- database", "database and lake, and nothing else"),
        ("database: 7", "are addresses"),
        ("database: mysql://host/books", "mysql: is no address"),
        ("database: postgresql://host", "is no address"),
        ("database: postgresql://u:s3cret@host/books", "holds a password"),
        ("database: postgresql://host/books?password=s3cret", "holds a password"),
        ("database: postgresql://host/books?sslkey=k&sslpassword=s3cret", "holds a password"),
        ("database: 'postgresql://[::1/books'", "is no address"),
        ("lake: bucket", "no address of a place"),
        ("lake: 's3://'", "no address of a place"),
        ("lake: file://lake/here", "no address of a place"),
        ("lake: 'file:///'", "no address of a place"),
        ("lake: sftp://u:s3cret@host/lake", "sealed files holds a password"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place_and_without_its_secret(tmp_path, text, what):
    (tmp_path / STORE_FILE).write_text(text)
    with pytest.raises(StoreError, match=what) as refused:
        read_address(tmp_path)
    assert refused.value.where == str(tmp_path / STORE_FILE)
    assert refused.value.next_step
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (URL, "postgresql://db.example:5433/books"),
        (
            "postgresql:///books?host=/run/pg&options=-csearch_path%3Dacme",
            "postgresql:///run/pg/books",
        ),
        ("postgresql://u@a:5432,b:5433/books?target=any", "postgresql://a:5432,b:5433/books"),
        ("postgresql://u@[::1]:5433/books", "postgresql://[::1]:5433/books"),
        ("", "home/book.sqlite"),
    ],
)
def test_errors_name_the_database_without_user_and_options(url, told):
    assert checked(Address(Path("home"), url)).told == told
