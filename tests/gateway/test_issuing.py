"""Keys are issued, rotated and revoked in the sight of the command log; secrets are not."""

from __future__ import annotations

import json

import pytest

from tallybook.errors import WrongUsageError
from tallybook.gateway.issuing import HOURS_MAX, issue, revoke, rotate
from tallybook.gateway.keyring import Keyring
from tallybook.gateway.model import VirtualKey

KEY = VirtualKey(id="vk", digest="", hint="", issued_us=5, teams=("a",))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys.json"


def logged(company):
    with company.store.read() as tx:
        rows = tx.rows("SELECT name, args, actor, at_us, outcome FROM command ORDER BY seq")
    return [(row.name, json.loads(row.args), row.actor, row.at_us, row.outcome) for row in rows]


def test_each_act_is_logged_with_who_did_it_and_no_secret(company, file):
    before = len(logged(company))
    first = issue(company.store, file, KEY, "dana")
    hours = {"overlap_hours": 0}
    second, _ = rotate(company.store, file, "vk", **hours, actor="eve", now_us=6)
    assert revoke(company.store, file, "vk", "eve", 7) == 1
    started = "1970-01-01T00:00:00.000005Z"
    assert logged(company)[before:] == [
        ("key issue", {"id": "vk", "issued": started, "teams": ["a"]}, "dana", 5,
         f"ends in {first[-4:]}"),
        ("key rotate", {"id": "vk", **hours}, "eve", 6, f"ends in {second[-4:]}"),
        ("key revoke", {"id": "vk"}, "eve", 7, "1 secrets"),
    ]  # fmt: skip


def test_a_gateway_apart_from_any_books_has_keys_too(file):
    secret = issue(None, file, KEY, "dana")
    assert Keyring(file).find(secret).id == "vk"
    assert revoke(None, file, "vk", "dana", 7) == 1


@pytest.mark.parametrize("hours", [-1, HOURS_MAX + 1])
def test_an_overlap_has_its_bounds(company, file, hours):
    issue(company.store, file, KEY, "dana")
    before = logged(company)
    with pytest.raises(WrongUsageError, match=f"an overlap of {hours} hours"):
        rotate(company.store, file, "vk", overlap_hours=hours, actor="dana", now_us=6)
    assert logged(company) == before
