"""Virtual keys: told once, kept as digests, in force until they are not."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from threading import Thread

import pytest

from gateway.running import key
from tallybook.errors import StoreError, WrongUsageError
from tallybook.gateway.keyring import Keyring, issue, read_keys, revoke, rotate

DAY_US = 86_400_000_000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "gateway" / "keys.json"


def test_a_key_is_found_by_its_secret_which_is_not_kept(path):
    made = key("vk", models=("gpt-*",), expires_us=5_000_000, untagged="admit")
    secret = issue(path, made)
    assert secret.startswith("tbk_")
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (kept,) = read_keys(path)
    assert replace(kept, digest="", hint="") == made
    ring = Keyring(path)
    assert ring.find(secret) == kept
    assert ring.find(secret[:-1]) is ring.find("") is None


def test_a_change_is_seen_without_a_restart(path):
    ring = Keyring(path)
    secret = issue(path, key())
    assert ring.find(secret) is None
    assert ring.refresh()
    assert not ring.refresh()
    revoke(path, "vk", 7)
    assert ring.refresh()
    found = ring.find(secret)
    assert found is not None
    assert found.revoked_us == 7


def test_a_rotated_key_has_two_secrets_for_a_while(path):
    old = issue(path, key())
    new, _ = rotate(path, "vk", 1_000_000, DAY_US)
    ring = Keyring(path)
    assert ring.find(old).revoked_us == 1_000_000 + DAY_US
    assert ring.find(new).revoked_us == 0
    assert ring.find(new).teams == ("support",)
    assert revoke(path, "vk", 2_000_000) == 2


def test_what_cannot_be_meant_is_refused(path):
    issue(path, key())
    for act in (
        lambda: issue(path, key()),
        lambda: issue(path, key("x", purposes=("fun",))),
        lambda: issue(path, key("a b")),
        lambda: revoke(path, "nobody", 1),
        lambda: rotate(path, "nobody", 1, 1),
    ):
        with pytest.raises(WrongUsageError):
            act()
    revoke(path, "vk", 5)
    issue(path, key())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": [{"id": 1}]}', '{"keys": [{"x": 1}]}'])
def test_a_damaged_file_leaves_the_keys_that_were_read(path, text):
    secret = issue(path, key())
    ring = Keyring(path)
    path.write_text(text)
    with pytest.raises(StoreError):
        ring.refresh()
    assert ring.find(secret) is not None


def test_many_issue_at_once_and_none_is_lost(path):
    threads = [Thread(target=issue, args=(path, key(f"vk-{n}"))) for n in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.id for one in read_keys(path)} == {f"vk-{n}" for n in range(12)}
    assert json.loads(path.read_text())
