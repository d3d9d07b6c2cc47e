"""What decides a figure beside the events: the digest moves with prices and owners, and only then."""

from __future__ import annotations

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.clock import Period
from tallybook.live.ground import read_ground
from tallybook.live.rate import Part, Rater, add_up
from tallybook.live.walk import NAMED, NOBODY, SERVED
from tallybook.store.lake import Snapshot
from tallybook.store.stream import waiting_since

OCTOBER = Period.parse("2026-10")


@pytest.fixture
def acme(tmp_path):
    made = Company(tmp_path)
    made.apply(org=org(), policy=policy(), prices=PRICES)
    yield made
    made.store.close()


def digest(acme):
    return read_ground(acme.store, OCTOBER).digest


def test_it_moves_with_what_decides(acme):
    first = digest(acme)
    acme.ingest(usage("e-1"))
    acme.run()  # publishes the card that was due
    assert digest(acme) == first
    acme.apply(policy=policy() + "    alerts: {loop: 3}\n")
    assert digest(acme) == first
    acme.apply(prices=PRICES.replace('"10"', '"11"'))
    second = digest(acme)
    assert second != first
    acme.apply(org=org().replace("name: Bot", "name: Robot"))
    assert digest(acme) not in (first, second)


@pytest.mark.parametrize(
    ("carried", "team", "word"),
    [
        ({"team": "a"}, "a", NAMED),
        ({"feature": "find"}, "b", NAMED),
        ({"key_id": "key-b"}, "b", NAMED),
        ({"service": "retrieval"}, "b", SERVED),
        ({}, "platform", NOBODY),
    ],
)
def test_whose_a_record_says_it_is(acme, carried, team, word):
    ground = read_ground(acme.store, OCTOBER)
    values = tuple(carried.get(name, "") for name in ground.carried)
    said = ground.said(0, values)
    assert (said.team, said.word) == (team, word)
    assert ground.said(0, values) is said


def test_a_price_is_compiled_once(acme):
    ground = read_ground(acme.store, OCTOBER)
    key = ("X", "x-1", "", "")
    assert ground.price([key])
    assert not ground.price([key])
    assert ground.price([("Y", "y-1", "", "")])
    assert [row.price_id for row in ground.rows] == [*range(1, len(ground.rows) + 1)]


def test_what_waits_and_what_is_sealed_are_rated_alike(acme):
    acme.ingest(
        usage("e-1", units={"web_search": 3}),
        usage("e-2", status="error"),
        usage("e-3", tokens={"input_uncached": 7, "cache_read": 9}),
        usage("e-4", model="nobody-prices-this"),
    )
    ground = read_ground(acme.store, OCTOBER)
    rater = Rater(acme.store)
    with acme.store.read() as tx:
        rows = rater.rated(ground, waiting_since(tx, 0, 100), ["other"]).rows
    assert [row.event_id for row in rows] == ["e-1", "e-2", "e-3", "e-4"]
    acme.run()
    files = acme.store.lake.snapshot("2026-10").files
    sealed = add_up(
        acme.store, read_ground(acme.store, OCTOBER), Part(files, Snapshot(1, ())), slots_us=0
    )
    (figures,) = dict(sealed.buckets.items())["month", 0].values()
    assert figures == [sum(column) for column in zip(*(row.figures for row in rows), strict=True)]
    assert add_up(acme.store, ground, Part((), Snapshot(1, ())), slots_us=0).sources == set()
    rater.close()
