"""Recorded policy files: a new version only when something changed."""

import pytest

from tallybook.books.documents import document_of
from tallybook.errors import StoreError
from tallybook.store.commands import Command, log_command
from tallybook.store.documents import (
    document_versions,
    documents_at,
    latest_documents,
    record_documents,
)

pytestmark = pytest.mark.both_stores


@pytest.fixture
def store(new_store):
    return new_store()


def record(store, **data):
    wanted = {kind: document_of(kind, value) for kind, value in data.items()}
    with store.write() as tx:
        return record_documents(tx, wanted, "me", 1)


def test_only_what_changed_gets_a_version(store):
    assert record(store, org={"a": 1}, policy={}) == {"org": 1, "policy": 1}
    assert record(store, org={"a": 1}, policy={"b": 2}) == {"policy": 2}
    assert record(store, org={"a": 1}) == {}
    with store.read() as tx:
        assert {k: v.version for k, v in latest_documents(tx).items()} == {"org": 1, "policy": 2}
        assert [x.version for x in document_versions(tx, "policy")] == [1, 2]


def test_old_versions_are_read_back(store):
    record(store, org={"a": 1})
    record(store, org={"a": 2})
    with store.read() as tx:
        assert documents_at(tx, {"org": 1, "prices": 0})["org"].document.body == '{"a":1}'
        assert set(documents_at(tx, {"org": 1, "prices": 0})) == {"org"}
        with pytest.raises(StoreError, match="version 3 of the org file"):
            documents_at(tx, {"org": 3})


def test_commands_are_logged_with_what_they_were_given(store):
    with store.write() as tx:
        log_command(tx, Command("run", {"period": "2026-10"}, "me"), 7, {"org": 1}, "done")
    with store.read() as tx:
        row = tx.row("SELECT * FROM command")
    assert (row.name, row.args, row.actor, row.at_us, row.versions, row.outcome) == (
        "run", '{"period":"2026-10"}', "me", 7, '{"org":1}', "done",
    )  # fmt: skip
