"""What stands beside the chain: a change of it is named, by its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.check.kept import Digests, kept_faults, live_at, manifest
from tallybook.store.seal import SealedFile, combined_digest
from tampering import forge


def faults(company):
    with company.store.read() as tx:
        return [(fault.kind, fault.where) for fault in kept_faults(company.store, tx)]


def test_good_books_have_no_fault(copied):
    assert faults(copied) == []


@pytest.mark.parametrize(
    ("statement", "kind", "where"),
    [
        ("UPDATE sealed_file SET rows = rows + 1 WHERE added = 1", "manifest", ": rows "),
        ("UPDATE sealed_file SET min_us = min_us - 1 WHERE added = 1", "manifest", ": min_us "),
        ("UPDATE sealed_file SET meters = '[]' WHERE added = 1", "manifest", ": meters "),
        ("UPDATE sealed_file SET price_keys = '[]' WHERE added = 1", "manifest", ": price_keys "),
        ("UPDATE sealed_file SET supersedes = 1 WHERE added = 1", "manifest", ": supersedes "),
        ("UPDATE sealed_file SET digest = 'ab' WHERE added = 1", "manifest", ": digest "),
        ("UPDATE sealed_file SET sha256 = 'ab' WHERE added = 1", "file", "is not what was written"),
        ("UPDATE sealed_file SET kind = 'evidence' WHERE added = 1", "manifest", "as evidence of"),
        ("UPDATE sealed_file SET period = '2026-09' WHERE added = 1", "manifest", "of 2026-09"),
        ("UPDATE sealed_file SET meters = 'x' WHERE added = 1", "manifest", "never written"),
        pytest.param(
            "UPDATE sealed_file SET rows = 'x' WHERE added = 1", "manifest", "text where a number",
            marks=pytest.mark.of_the_file,
        ),
        ("UPDATE sealed_file SET retired = 99 WHERE added = 1", "manifest", "retired by version 99"),
        ("UPDATE sealed_file SET retired = 2 WHERE added = 1", "manifest", "2026-10 as of version 2"),
        ("UPDATE sealed_file SET added = 9 WHERE added = 1", "manifest", "version 1 of 9 lists no"),
        ("DELETE FROM sealed_file WHERE added = 3", "manifest", "2026-10 as of version 3"),
        ("DELETE FROM sealed_file WHERE added = 2", "manifest", "version 2 of 5 lists no file"),
        ("UPDATE statement SET body = body || ' ' WHERE version = 2", "statement", "2026-10 version 2"),
        ("UPDATE statement SET status = 'draft'", "statement", "2026-11 version 1"),
        ("UPDATE statement SET seal = 'ab' WHERE version = 2", "statement", "no close fixed it"),
        ("DELETE FROM statement WHERE period = '2026-11'", "statement", "of A-"),
        ("UPDATE document SET body = body || ' ' WHERE kind = 'org'", "document", "org version 1"),
        ("UPDATE document SET version = 2 WHERE kind = 'org'", "document", "org version 1 is missing"),
        ("DELETE FROM document WHERE kind = 'org'", "document", "entries name it"),
        ("UPDATE sheet SET body = '[]' WHERE period = '2026-11'", "sheet", "2026-11 sheet 1"),
    ],
)  # fmt: skip
@pytest.mark.both_stores
def test_what_was_changed_is_named(copied, statement, kind, where):
    forge(copied.home, statement)
    found = faults(copied)
    assert any(k == kind and where in text for k, text in found), found


def test_a_file_put_in_is_seen_where_a_run_read_the_month(copied):
    forge(
        copied.home,
        "INSERT INTO sealed_file SELECT replace(path, 'events/', 'events/x'), period, rows, bytes,"
        " sha256, digest, min_us, max_us, meters, price_keys, supersedes, added, retired, kind"
        " FROM sealed_file WHERE added = 1",
    )
    kinds = {kind for kind, _ in faults(copied)}
    assert kinds == {"file", "manifest"}


def test_each_version_of_the_manifest_lists_its_files(copied):
    with copied.store.read() as tx:
        files, retired = manifest(tx)
    assert [len(live_at(files, retired, version)) for version in range(7)] == [0, 1, 2, 3, 4, 5, 5]
    first = files[0].path
    assert first not in {file.path for file in live_at(files, {first: 3}, 3)}
    assert first in {file.path for file in live_at(files, {first: 3}, 2)}


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 5), st.none() | st.integers(1, 6))),
    st.integers(0, 7),
)
def test_a_digest_of_any_version_is_that_of_the_files_that_it_lists(files, version):
    rows = [
        SealedFile(str(n), month, 1, 1, "", f"{2**127 + n:032x}", 0, 0, (), (), 0, added)
        for n, (month, added, _) in enumerate(files)
    ]
    retired = {str(n): gone for n, (_, _, gone) in enumerate(files) if gone is not None}
    digests = Digests(rows, retired)
    for month in "abc":
        live = live_at([row for row in rows if row.period == month], retired, version)
        assert digests.at(month, version) == combined_digest([row.digest for row in live])
