"""One process: its sockets, and what it reads again while it runs."""

from __future__ import annotations

import time

from gateway.provider import answer
from gateway.test_exchange import ASKED, CHAT
from tallybook.gateway.keyring import revoke
from tallybook.gateway.worker import listen
from tallybook.gateway.works import Works


def test_processes_listen_on_one_port(gateway):
    made = listen(gateway.config, 3)
    try:
        assert len({one.getsockname() for one in made}) == 1
    finally:
        for one in made:
            one.close()


def test_keys_and_credentials_are_read_again_while_it_runs(gateway, provider):
    assert isinstance(gateway.works, Works)
    provider.add(CHAT, answer(b"{}"))
    gateway.ask(CHAT, ASKED)
    (gateway.folder / "real.secret").write_text("another-key")
    revoke(gateway.config.keys, "vk", 1)
    end_s = time.monotonic() + 5
    while gateway.ask(CHAT, ASKED)[0] != 401 and time.monotonic() < end_s:
        time.sleep(0.05)
    fresh = gateway.issue("fresh")
    assert gateway.ask(CHAT, ASKED, secret=fresh)[0] == 200
    assert provider.asked[-1].named("authorization") == ["Bearer another-key"]
