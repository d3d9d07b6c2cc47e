"""Where sealed files lie: the same order and the same refusals in a folder and in a storage."""

import errno
from hashlib import sha256

import fsspec
import pytest

from tallybook.errors import CorruptedError, StoreError
from tallybook.store import shelf as shelf_module
from tallybook.store.address import Address
from tallybook.store.shelf import Folder, Objects, shelf_of

NAME = "events/2026-10/1-1-ab.parquet"
BODY = b"sealed" * 1000
DIGEST = sha256(BODY).hexdigest()


@pytest.fixture(params=["folder", "objects"])
def shelf(request, tmp_path):
    if request.param == "folder":
        yield Folder(tmp_path / "lake")
        return
    yield Objects("memory://acme/lake", tmp_path / "lake" / "cache")
    fsspec.filesystem("memory").store.clear()


def kept(shelf, body=BODY):
    partial = shelf.desk(NAME)
    partial.write_bytes(body)
    shelf.keep(partial, NAME, sha256(body).hexdigest())
    assert not partial.exists()


def test_what_was_kept_is_read(shelf):
    kept(shelf)
    assert shelf.path(NAME, DIGEST).read_bytes() == BODY
    assert shelf.digest(NAME) == DIGEST
    assert shelf.place(NAME).endswith(NAME)


def test_keeping_it_again_changes_nothing(shelf):
    kept(shelf)
    kept(shelf)
    assert shelf.digest(NAME) == DIGEST


def test_what_is_not_there_cannot_be_read(shelf):
    with pytest.raises(OSError):
        shelf.digest(NAME)


def test_the_place_of_a_set_of_books(tmp_path):
    assert shelf_of(Address(tmp_path)).place("x") == str(tmp_path / "lake/x")
    shared = (tmp_path / "a folder").as_uri()
    assert shelf_of(Address(tmp_path, lake=shared)).place("x") == str(tmp_path / "a folder/x")
    assert shelf_of(Address(tmp_path, lake="s3://acme/lake/")).place("x") == "s3://acme/lake/x"


@pytest.fixture
def objects(tmp_path):
    yield Objects("memory://acme/lake", tmp_path / "cache")
    fsspec.filesystem("memory").store.clear()


def test_another_host_fetches_a_file_once(objects, tmp_path):
    kept(objects)
    other = Objects("memory://acme/lake", tmp_path / "other")
    path = other.path(NAME, DIGEST)
    assert path.read_bytes() == BODY
    written = path.stat().st_mtime_ns
    assert other.path(NAME, DIGEST).stat().st_mtime_ns == written
    assert [one.name for one in (tmp_path / "other").iterdir()] == [f"{DIGEST}.parquet"]


def test_other_bytes_are_not_taken(objects, tmp_path):
    kept(objects)
    fsspec.filesystem("memory").pipe("/acme/lake/" + NAME, b"forged")
    other = Objects("memory://acme/lake", tmp_path / "other")
    with pytest.raises(CorruptedError, match="is not what was written") as refused:
        other.path(NAME, DIGEST)
    assert refused.value.where == f"memory://acme/lake/{NAME}"
    assert not list((tmp_path / "other").iterdir())
    assert objects.digest(NAME) != DIGEST, "verify reads what lies there, not the cache"


def test_what_is_gone_is_told_with_the_next_step(objects, tmp_path):
    kept(objects)
    with pytest.raises(StoreError, match="cannot be fetched") as refused:
        Objects("memory://acme/lake", tmp_path / "other").path("events/absent", DIGEST)
    assert "run the same command again" in refused.value.next_step
    assert not list((tmp_path / "other").iterdir())


def test_a_put_that_did_not_arrive_whole_is_refused(objects, monkeypatch):
    def cut(self, source, path, **_):
        self.pipe(path, b"s")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "put_file", cut)
    partial = objects.desk(NAME)
    partial.write_bytes(BODY)
    with pytest.raises(OSError, match="1 of 6000 bytes arrived"):
        objects.keep(partial, NAME, DIGEST)
    assert partial.exists(), "it is not taken for one that is in its place"


def test_errors_of_a_client_are_errors_of_reading(objects, monkeypatch):
    class TheirError(Exception):
        pass

    def refused(*_args, **_kwargs):
        raise TheirError("no credentials")

    kept(objects)
    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "open", refused)
    with pytest.raises(OSError, match="no credentials") as told:
        objects.digest(NAME)
    assert told.value.errno == errno.EIO


def test_hosts_that_share_a_folder_write_beside_each_other(tmp_path, monkeypatch):
    paths = set()
    for host in ("one", "two"):
        uname = type("Host", (), {"nodename": host})
        monkeypatch.setattr(shelf_module.os, "uname", lambda uname=uname: uname)
        paths.add(Folder(tmp_path).desk(NAME))
    assert len(paths) == 2
