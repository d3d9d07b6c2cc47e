"""`ship`: a spool into these books, or elsewhere."""

import json
from typing import ClassVar

import pytest

from company import usage
from tallybook.cli import ship as module
from tallybook.errors import DeliveryError
from tallybook.sdk.counters import Health
from tallybook.sdk.spool import Spool


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / "spool"
    made = Spool(folder, segment_bytes=1000, segment_s=60, bound_bytes=1 << 20, health=Health())
    for number in range(3):
        made.append(json.dumps(usage(f"s-{number}")).encode())
    made.seal()
    return folder


def test_a_spool_goes_into_these_books(company, call, spool):
    found = call("ship", str(spool), "--json")
    assert found.code == 0
    assert found.value == {"accepted": 3, "duplicate": 0, "quarantined": 0, "rejected": 0}
    assert list(spool.iterdir()) == []
    assert call("ship", str(spool), "--json").value["accepted"] == 0


def test_a_spool_goes_elsewhere(company, call, spool, tmp_path):
    found = call("ship", str(spool), "--to", f"parquet:{tmp_path}/lake")
    assert found.code == 0
    assert "3 accepted" in found.out
    assert len(list((tmp_path / "lake").iterdir())) == 1
    assert call("ingest", "parquet", str(tmp_path / "lake"), "--json").value["accepted"] == 3


def test_the_environment_names_spool_and_place(company, call, spool, tmp_path, monkeypatch):
    monkeypatch.setenv("TALLYBOOK_SPOOL", str(spool))
    monkeypatch.setenv("TALLYBOOK_SHIP_TO", f"table:sqlite:///{tmp_path}/warehouse.db")
    assert call("ship", "--json").value["accepted"] == 3


def test_a_spool_that_is_not_there_is_told(company, call, spool):
    found = call("ship", str(spool / "mistyped"), "--json")
    assert (found.code, found.value["accepted"]) == (0, 0)
    assert "mistyped is not there" in found.err


def test_a_place_that_is_none_is_wrong_usage(company, call, spool):
    found = call("ship", str(spool), "--to", "ftp://there")
    assert found.code == 2
    assert "no place to ship to" in found.err
    assert len(list(spool.iterdir())) == 1


def test_following_waits_an_outage_out(company, call, spool, monkeypatch):
    pauses = []

    class There:
        errors: ClassVar = [DeliveryError("cannot be reached", where="https://books.test")]

        def deliver(self, segment):
            if self.errors:
                raise self.errors.pop()
            return module.Delivery(accepted=3)

        def close(self): ...

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "destination", lambda *_args: There())
    monkeypatch.setattr(module.time, "sleep", sleep)
    found = call("ship", str(spool), "--follow", "--json")
    assert found.value["accepted"] == 3
    assert pauses == [4.0, 2.0]
    assert "cannot be reached" in found.err
