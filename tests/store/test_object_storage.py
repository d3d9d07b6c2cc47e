"""Sealed files on a real S3-compatible server: rclone's, driven by s3fs as in production."""

import shutil

import pytest

import crash
import servers
from company import PRICES, Company, org, policy, usage
from tallybook.errors import CorruptedError, StoreError
from tallybook.store import Store


@pytest.fixture(scope="module")
def storage():
    with servers.own_storage() as own:
        yield own


@pytest.fixture
def company(storage, tmp_path, monkeypatch):
    for name, value in storage.environment.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "books"
    Store.create(home, lake=f"s3://{storage.bucket}/{tmp_path.name}").close()
    made = Company(home)
    made.apply(org=org(), policy=policy(), prices=PRICES)
    yield made
    made.store.close()


def of(company, storage):
    """The objects of one company."""
    prefix = company.store.address.lake.rpartition("/")[2]
    return {name: path for name, path in storage.objects().items() if name.startswith(prefix)}


def test_a_month_lives_on_the_storage_alone(company, storage, tmp_path):
    company.ingest(usage("1"), usage("2", provider="Y", model="y-1", service="retrieval"))
    company.run()
    company.ingest(usage("3"))
    company.run()
    company.close()
    files = company.store.lake.snapshot().files
    assert len(of(company, storage)) == len(files) == 2
    shutil.rmtree(company.home / "lake")
    assert company.rebuilt() == {("2026-10", 1): ""}
    assert company.failing() == {}

    alone = Company(tmp_path / "alone")
    alone.apply(org=org(), policy=policy(), prices=PRICES)
    alone.ingest(usage("1"), usage("2", provider="Y", model="y-1", service="retrieval"))
    alone.run()
    alone.ingest(usage("3"))
    alone.run()
    alone.close()
    assert company.statements().body_sha256 == alone.statements().body_sha256
    alone.store.close()


def test_a_changed_object_is_found_and_never_read(company, storage):
    company.ingest(usage("1"))
    company.run()
    ((name, path),) = of(company, storage).items()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert name in company.failing("INV-15")["INV-15"]
    shutil.rmtree(company.home / "lake")
    with pytest.raises(CorruptedError, match="is not what was written"):
        company.run()


def test_a_copy_that_was_damaged_here_is_fetched_again(company):
    company.ingest(usage("1"))
    company.run()
    snapshot = company.store.lake.snapshot()
    path = company.store.lake.path(snapshot.files[0])
    path.write_bytes(b"cut off")
    company.store.lake.verify(snapshot)
    assert path.stat().st_size == snapshot.files[0].bytes


def test_a_storage_that_is_gone_loses_nothing(company, storage, monkeypatch):
    company.ingest(usage("1"))
    storage.stop()
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreError, match="could not seal 1 events") as refused:
        company.run()
    assert "the inbox still holds them" in refused.value.what
    assert refused.value.next_step
    storage.start()
    assert company.run().events == 1
    assert company.failing() == {}


def test_a_kill_before_the_manifest_leaves_an_object_that_the_next_seal_takes_over(
    company, storage, monkeypatch
):
    class DiedError(BaseException):
        pass

    def die(reached):
        if reached == "seal.renamed":
            raise DiedError

    company.ingest(*crash.EVENTS)
    with monkeypatch.context() as patch:
        patch.setattr("tallybook.store.faults.reached", die)
        with pytest.raises(DiedError):
            company.run()
    left = set(of(company, storage))
    assert left
    assert company.store.lake.snapshot().files == ()
    company.run()
    assert set(of(company, storage)) == left
    assert company.failing() == {}
