"""The database goes away in the middle: nothing half done, a clear error, and a second try works."""

import pytest

from company import usage
from stores import disk_full
from tallybook.close.adjust import approve, post
from tallybook.close.soft import soft_close
from tallybook.errors import StoreError
from tallybook.store import faults

LOST = "disk I/O error"


@pytest.fixture
def lost_at(monkeypatch, stores):
    """``lost_at("close.rounded")``: from there on the database does not answer."""

    def lose(point):
        def reached(name):
            if name == point:
                raise disk_full(stores.kind, LOST)

        monkeypatch.setattr(faults, "reached", reached)

    return lose


def cut_off(company):
    return company.soft_close()


def closed(company):
    return company.close()


def adjusted(company):
    with company.store.write() as tx:
        return post(tx, "J-0001", actor="cfo", now_us=company.clock.now_us())


POINTS = [
    ("open", cut_off, "run.posted"),
    ("open", cut_off, "close.cut_off"),
    ("open", closed, "run.posted"),
    ("open", closed, "close.rounded"),
    ("open", closed, "close.issued"),
    ("soft-closed", closed, "close.rounded"),
    ("soft-closed", closed, "close.issued"),
    ("approved", adjusted, "adjust.posted"),
]


def brought_to(company, state):
    """Usage of October that is not sealed yet, but for what the state needs."""
    company.ingest(usage("1", tokens={"output": 333}), usage("2", team="b", feature="find"))
    company.run()
    if state == "soft-closed":
        company.soft_close()
    if state == "approved":
        made = company.adjust("Charge:a:bot=-1", "Variance:goodwill=1", reverses=True)
        with company.store.write() as tx:
            approve(tx, made.id, actor="cfo", now_us=company.clock.now_us())
    return company


def unnumbered(company):
    """All rows; a command that was cut off may keep the number that it would have had."""
    held = company.dump()
    held["command"] = [row[1:] for row in held["command"]]
    return held


@pytest.mark.parametrize(
    ("state", "act", "point"), POINTS, ids=lambda part: getattr(part, "__name__", part)
)
def test_nothing_is_half_done_and_the_second_try_is_as_the_first(
    found_company, lost_at, monkeypatch, state, act, point
):
    company = brought_to(found_company("lost"), state)
    whole = brought_to(found_company("whole"), state)
    before = company.dump()
    lost_at(point)
    with pytest.raises(StoreError, match=f"{LOST}; nothing of this command was kept") as told:
        act(company)
    assert "and run the same command again" in str(told.value)
    assert company.dump() == before
    monkeypatch.undo()
    act(company)
    act(whole)
    assert unnumbered(company) == unnumbered(whole)
    assert company.failing() == {}


def test_every_point_of_the_close_is_tried():
    tried = {point for _, _, point in POINTS}
    assert {"close.cut_off", "close.rounded", "close.issued", "adjust.posted"} <= tried
    assert soft_close.__module__ == "tallybook.close.soft"
